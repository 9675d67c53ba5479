// k: very many of what is cheap to ask for.

import { Buffer } from "node:buffer";
import type { Attack } from "../attack.ts";
import type { AttackConnection } from "../attacker/attackConnection.ts";
import type { Attacker } from "../attacker/attacker.ts";
import { publishFrame, registIdOf, subscribeFrame } from "../attacker/frames.ts";
import { FrameTemplate } from "../attacker/frameTemplate.ts";

const FRAME_BYTES = 16 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;

export const unfinishedFrames: Attack = {
  letter: "k",
  name: "unfinished-frames",
  sends: "frames of 16 MiB less one byte, each on a connection of its own",
  expected: "the connections are closed when what they hold is too much",
  full: 250,
  short: 100,
  async strike(attacker) {
    // The head of a request that declares 16 MiB with all that belongs to it.
    const head = Buffer.from(publishFrame({ service: "attack-frames", registId: registIdOf("0000000000") })).subarray(
      0,
      22,
    );
    const contentBytes = FRAME_BYTES - head.length - head.readUInt16BE(14);
    head.writeUInt32BE(contentBytes, 18);
    const piece = Buffer.alloc(PIECE_BYTES, "x");
    const one = async () => {
      const connection = await attacker.open();
      await connection.send(head);
      for (let left = FRAME_BYTES - head.length - 1; left > 0 && !attacker.isOver && !connection.isClosed; ) {
        await connection.send(piece.subarray(0, Math.min(left, PIECE_BYTES)));
        left -= PIECE_BYTES;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: attacker.size }, one));
    const failed = ends.filter(({ status }) => status === "rejected").length;
    if (failed > 0) attacker.tally.note(`${failed} connections were refused`);
    await attacker.pause(500);
  },
};

/** Frames of one kind, dealt out to connections that hold what one client may. */
async function flood(attacker: Attacker, template: FrameTemplate): Promise<void> {
  const count = Math.min(attacker.size, REGISTRATIONS_PER_CONNECTION);
  const connections: AttackConnection[] = [];
  for (let from = 0; from < attacker.size && !attacker.isOver; from += count) {
    const connection = await attacker.open();
    connections.push(connection);
    await attacker.sendAll(connection, template, { from, count });
    await attacker.answered(connection, count);
  }
  const answers = connections.reduce((sum, connection) => sum + connection.answers, 0);
  attacker.tally.note(`${answers} of ${attacker.size} answered`);
}

const REGISTRATIONS_PER_CONNECTION = 100_000;

export const idleSubscriptions: Attack = {
  letter: "k",
  name: "idle-subscriptions",
  sends: "subscriptions to services that nobody publishes, 100,000 on each connection",
  expected: "refused when the client's bytes are used up",
  signs: [/CLIENT_BYTES_EXHAUSTED/],
  full: 1_000_000,
  short: 100_000,
  secondsMax: 60,
  shortSecondsMax: 6,
  strike: (attacker) =>
    flood(
      attacker,
      new FrameTemplate((number) =>
        subscribeFrame({ service: `attack-nothing-${number}`, registId: registIdOf(number) }),
      ),
    ),
};

export const servicesThatLeave: Attack = {
  letter: "k",
  name: "services-that-leave",
  sends: "services with one publisher each, which all leave at once",
  expected: "taken up to the client's bytes, and removed in turns",
  signs: [/CLIENT_BYTES_EXHAUSTED/],
  full: 1_000_000,
  short: 100_000,
  secondsMax: 60,
  shortSecondsMax: 6,
  strike: (attacker) =>
    flood(
      attacker,
      new FrameTemplate((number) =>
        publishFrame({ service: `attack-service-${number}`, registId: registIdOf(number) }),
      ),
    ),
};

export const publishersThatLeave: Attack = {
  letter: "k",
  name: "publishers-that-leave",
  sends: "publishers of one service, which all leave at once",
  expected: "taken up to the client's bytes and the list's, and removed in turns",
  signs: [/CLIENT_BYTES_EXHAUSTED/],
  full: 1_000_000,
  short: 100_000,
  secondsMax: 60,
  shortSecondsMax: 6,
  strike: (attacker) =>
    flood(
      attacker,
      new FrameTemplate((number) => publishFrame({ service: "attack-publishers", registId: registIdOf(number) })),
    ),
};
