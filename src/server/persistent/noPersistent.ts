// Stands in for the persistent registrations until a node has them.

import { fail } from "../../base/errors.ts";
import type { PersistentAnswer, PersistentRegistrations } from "../../registry/persistent.ts";

const REFUSED: PersistentAnswer = { kind: "failed", error: fail("STORE_UNAVAILABLE", { reason: "not served yet" }) };

/** Refuses each change. */
export const noPersistent: PersistentRegistrations = {
  isKnown: false,
  find: () => undefined,
  list: () => [],
  put: ({ done }) => setImmediate(() => done(REFUSED)),
  remove: ({ done }) => setImmediate(() => done(REFUSED)),
  report: ({ done }) => setImmediate(() => done(REFUSED)),
  onChange: () => () => undefined,
  checkRefusal: () => undefined,
};
