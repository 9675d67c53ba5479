// a: a small frame becomes a large payload, and many clients hold what one may not.

import { setTimeout as sleep } from "node:timers/promises";
import type { Attack } from "../attack.ts";
import type { AttackConnection } from "../attacker/attackConnection.ts";
import { referringFrame, registIdOf } from "../attacker/frames.ts";
import { FrameTemplate } from "../attacker/frameTemplate.ts";

const BOX = "x".repeat(32 * 1024);
// 16 MiB, less the room for what else is in a frame.
const COUNT_16_MIB = 511;
// The largest content of one registration.
const COUNT_4_MIB = 127;

function template(count: number): FrameTemplate {
  return new FrameTemplate((number) =>
    referringFrame({ service: `attack-payload-${number}`, registId: registIdOf(number) }, { box: BOX, count }),
  );
}

export const payloadByReference: Attack = {
  letter: "a",
  name: "payload-by-reference",
  sends: "frames of 34 KB whose box is referred to 511 times (16 MiB), then four times as many of 4 MiB",
  expected: "refused: the first for their size, the others when the client's bytes are used up",
  signs: [/REGISTRATION_TOO_LARGE/, /CLIENT_BYTES_EXHAUSTED/],
  full: 300,
  short: 60,
  async strike(attacker) {
    const connection = await attacker.open();
    await attacker.sendAll(connection, template(COUNT_16_MIB));
    await attacker.sendAll(connection, template(COUNT_4_MIB), { from: attacker.size, count: attacker.size * 4 });
    await attacker.answered(connection, attacker.size * 5);
  },
};

const CLIENT_FRAMES = 15;

export const payloadFromManyAddresses: Attack = {
  letter: "a",
  name: "payload-from-many-addresses",
  sends: "15 frames of 4 MiB by reference from each of many clients, each with an address of its own",
  expected: "refused when the node's bytes are used up, or come too fast",
  signs: [/(ADDRESS|NODE)_BYTES_EXHAUSTED|OVERLOADED/],
  full: 80,
  short: 30,
  async strike(attacker) {
    const frames = template(COUNT_4_MIB);
    const connections: AttackConnection[] = [];
    for (let client = 0; client < attacker.size && !attacker.isOver; client++) {
      const connection = await attacker.open({ localAddress: `127.0.1.${1 + client}` });
      connections.push(connection);
      await attacker.sendAll(connection, frames, { from: client * CLIENT_FRAMES, count: CLIENT_FRAMES });
      await sleep(0);
    }
    await attacker.until(() => connections.every(({ answers, isClosed }) => answers >= CLIENT_FRAMES || isClosed));
  },
};
