import { type SteppedRole, Stepper } from "../stepper.ts";

/** A stepper whose role is woken only by the test; an error thrown by the role fails the test. */
export function testStepper<Event>(role: SteppedRole<Event | { kind: "woken" }>): Stepper<Event> {
  return new Stepper<Event>(role, {
    clock: { nowMs: () => Number.NaN },
    timers: { after: () => () => undefined },
    failed: (error) => {
      throw error;
    },
  });
}
