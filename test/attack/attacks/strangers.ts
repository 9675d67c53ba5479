// i: another client's registrations, taken back or taken over.

import type { Attack } from "../attack.ts";
import type { AttackConnection } from "../attacker/attackConnection.ts";
import type { Attacker } from "../attacker/attacker.ts";
import { publishFrame, unpublishFrame } from "../attacker/frames.ts";
import { honestPublisherId, honestService } from "../honest/names.ts";

const LAST = 2n ** 63n - 1n;
const CLIENTS = 3;
const SERVICES = 4;
const PAUSE_MS = 100;
// A registration changes each two seconds, and counts from 1.
const NEAR_VERSIONS = [2n, 3n, 4n, 5n, 6n, 7n, 8n];

export const strangers: Attack = {
  letter: "i",
  name: "strangers",
  isLight: true,
  sends: "unregisters and registrations under the registIds of living clients, with versions up to 2^63-1",
  expected: "refused: a living owner keeps what it registered",
  signs: [/REGISTRATION_HELD/],
  full: 5,
  short: 1,
  async strike(attacker) {
    const connections = [await attacker.open(), await attacker.open({ localAddress: "127.0.0.9" })];
    for (let round = 0; round < attacker.size && !attacker.isOver; round++) {
      for (const connection of connections) await strikeAll(attacker, connection);
    }
  },
};

async function strikeAll(attacker: Attacker, connection: AttackConnection): Promise<void> {
  for (const version of [...NEAR_VERSIONS, 1_000n, 2n ** 40n, LAST]) {
    for (let at = 0; at < CLIENTS * SERVICES; at++) {
      const service = at % SERVICES;
      const registId = honestPublisherId(Math.floor(at / SERVICES), service);
      const what = { service: honestService(service), registId, version };
      await connection.send(unpublishFrame({ ...what, id: at }));
      await connection.send(publishFrame({ ...what, id: at, boxes: ["stranger~1"] }));
    }
    await attacker.pause(PAUSE_MS);
  }
}
