// c: attributes, many of them kept and very many of them refused.

import type { Attack } from "../attack.ts";
import { publishFrame, registIdOf } from "../attacker/frames.ts";
import { FrameTemplate } from "../attacker/frameTemplate.ts";

const LARGE = 500;

function attributesOf(count: number, valueChars: number): ReadonlyMap<string, string> {
  const value = "v".repeat(valueChars);
  return new Map(Array.from({ length: count }, (_, number) => [`key-${number}`, value]));
}

export const attributes: Attack = {
  letter: "c",
  name: "attributes",
  sends: "registrations with 30 attributes of 256 characters, which all differ, and some with 63 of 4 KB",
  expected: "refused: the first when the client's bytes are used up, the others for their sum",
  signs: [/HESSIAN_LIMIT/, /CLIENT_BYTES_EXHAUSTED/],
  full: 16_264,
  short: 5_000,
  async strike(attacker) {
    const large = templateOf(attributesOf(63, 4_000));
    const allowed = new FrameTemplate((number) =>
      publishFrame({
        service: "attack-attributes",
        registId: registIdOf(number),
        // Each map is another one: equal ones are kept once.
        attributes: new Map([...attributesOf(29, 256), ["own", number]]),
      }),
    );
    const connection = await attacker.open();
    await attacker.sendAll(connection, allowed, { from: attacker.size });
    await attacker.answered(connection, attacker.size);
    // A connection that goes on beyond its bytes may be closed, so these come from another one.
    const other = await attacker.open();
    await attacker.sendAll(other, large, { count: LARGE });
    await attacker.answered(other, LARGE);
  },
};

function templateOf(map: ReadonlyMap<string, string>): FrameTemplate {
  return new FrameTemplate((number) =>
    publishFrame({
      service: "attack-attributes",
      registId: registIdOf(number),
      attributes: new Map([...map].map(([key, value]) => [key, `${number}${value}`])),
    }),
  );
}

export const refusedAttributes: Attack = {
  letter: "c",
  name: "refused-attributes",
  sends: "frames with 120,000 attributes each, which are refused",
  expected: "refused while they are decoded, and a killed client is unlisted meanwhile",
  signs: [/REGISTRATION_TOO_LARGE|HESSIAN_LIMIT/],
  full: 120,
  short: 24,
  async strike(attacker) {
    const frame = new FrameTemplate((number) =>
      publishFrame({
        service: "attack-attributes",
        registId: registIdOf(number),
        attributes: attributesOf(120_000, 4),
      }),
    );
    const connection = await attacker.open();
    await attacker.sendAll(connection, frame);
    await attacker.answered(connection, attacker.size);
  },
};
