// b: boxes without content cost what boxes cost.

import type { Attack } from "../attack.ts";
import { referringFrame, registIdOf, subscribeFrame } from "../attacker/frames.ts";
import { FrameTemplate } from "../attacker/frameTemplate.ts";

const SERVICE = "attack-boxes";
const HUGE = 249_000;
// The bound of one registration.
const ALLOWED = 1_000;
const HUGE_FRAMES = 130;

function template(count: number): FrameTemplate {
  return new FrameTemplate((number) =>
    referringFrame({ service: SERVICE, registId: registIdOf(number) }, { box: "", count }),
  );
}

export const boxes: Attack = {
  letter: "b",
  name: "boxes",
  sends: "130 registrations of 249,000 references to one empty box, many of 1,000, then a subscriber",
  expected: "refused: the first for their count, the others when the service's list is full",
  signs: [/HESSIAN_LIMIT/, /SERVICE_FULL/],
  full: 30_000,
  short: 6_000,
  async strike(attacker) {
    const connection = await attacker.open();
    await attacker.sendAll(connection, template(HUGE), { count: HUGE_FRAMES });
    await attacker.sendAll(connection, template(ALLOWED), { from: HUGE_FRAMES });
    await attacker.answered(connection, HUGE_FRAMES + attacker.size);
    const reader = await attacker.open();
    await reader.send(subscribeFrame({ service: SERVICE, registId: registIdOf("9000000001") }));
    await attacker.until(() => reader.pushes > 0 || reader.isClosed);
    attacker.tally.note(`the subscriber was sent ${(reader.bytesRead / 1e6).toFixed(1)} MB`);
  },
};
