// g: unregisters of what never was.

import type { Attack } from "../attack.ts";
import { registIdOf, unpublishFrame } from "../attacker/frames.ts";
import { FrameTemplate } from "../attacker/frameTemplate.ts";

export const unregisters: Attack = {
  letter: "g",
  name: "unregisters",
  sends: "unregisters of registIds that nobody has registered",
  expected: "answered, and nothing is kept of them",
  full: 5_000_000,
  short: 300_000,
  secondsMax: 30,
  async strike(attacker) {
    const template = new FrameTemplate((number) =>
      unpublishFrame({ service: "attack-unregisters", registId: registIdOf(number), version: 2n }),
    );
    const connection = await attacker.open();
    await attacker.sendAll(connection, template);
    await attacker.answered(connection, attacker.size);
    attacker.tally.note(`${connection.answers} answered`);
  },
};
