// k: connections that do nothing, and nearly all of them from one address.

import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker/attacker.ts";

// The number of connections that the machine accepts at once without refusing any.
const DIALS_AT_ONCE = 50;

async function dialAll(attacker: Attacker, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let at = 0; at < attacker.size && !attacker.isOver; at += DIALS_AT_ONCE) {
    const dials = Array.from({ length: Math.min(DIALS_AT_ONCE, attacker.size - at) }, () => attacker.dial(port));
    sockets.push(...(await Promise.all(dials)).filter((socket) => socket !== undefined));
  }
  return sockets;
}

// A node greets with its first bytes.
const GREETING_MS_MAX = 12_000;

export const silentNodes: Attack = {
  letter: "k",
  name: "silent-nodes",
  isLight: true,
  sends: "connections to the node port that never greet, but send a heartbeat now and then",
  expected: "closed when they have not greeted in time",
  full: 4_000,
  short: 1_000,
  secondsMax: 20,
  shortSecondsMax: 14,
  server: { hasNodePort: true },
  async strike(attacker) {
    const sockets = await dialAll(attacker, attacker.target.nodePort);
    const startMs = performance.now();
    while (!attacker.isOver && performance.now() - startMs < GREETING_MS_MAX && sockets.some(isOpen)) {
      for (const socket of sockets) if (isOpen(socket)) socket.write(HEARTBEAT);
      await sleep(1_000);
    }
    const open = sockets.filter(isOpen).length;
    attacker.tally.note(`${open} of ${sockets.length} are open after ${Math.round(performance.now() - startMs)} ms`);
    if (open > 0) attacker.tally.fail(`${open} connections that have not greeted are open`);
  },
};

// Protocol 2 version 1, as nodes speak; a request that asks for nothing.
const HEARTBEAT = Buffer.from("0201010000010000000152" + "00ffffffff0000000000000000", "hex");

function isOpen(socket: Socket): boolean {
  return !socket.destroyed;
}

export const allConnections: Attack = {
  letter: "k",
  name: "all-connections",
  isLight: true,
  sends: "more connections from one address than the server takes in all",
  expected: "refused beyond the address's share, logged; clients of other addresses get in",
  signs: [/ADDRESS_CONNECTIONS_EXHAUSTED/],
  full: 1_200,
  short: 1_200,
  server: { flags: ["--client-connections-max=1000"] },
  async strike(attacker) {
    const sockets = await dialAll(attacker, attacker.target.boltPort);
    await sleep(Math.min(3_000, attacker.leftMs));
    attacker.tally.note(`${sockets.filter(isOpen).length} of ${attacker.size} are open`);
  },
};

export const fewDescriptors: Attack = {
  letter: "k",
  name: "few-descriptors",
  isLight: true,
  sends: "more connections than the server has descriptors",
  expected: "refused before the last descriptors are taken: the health check answers",
  full: 400,
  short: 400,
  server: { openFilesMax: 256 },
  hasMayflies: false,
  async strike(attacker) {
    const sockets = await dialAll(attacker, attacker.target.boltPort);
    await sleep(Math.min(3_000, attacker.leftMs));
    attacker.tally.note(`${sockets.filter(isOpen).length} of ${attacker.size} are open`);
  },
};
