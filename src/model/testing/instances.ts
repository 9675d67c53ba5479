// An instance for tests.

import type { Instance } from "../instance.ts";

/** An instance that takes calls, with nothing special about it but what is given. */
export function anInstance(changes: Partial<Instance> = {}): Instance {
  return {
    ...{ host: "10.0.0.1", port: 8_080, securePort: undefined, weight: 1, zone: "", source: "test" },
    ...{ isEnabled: true, isHealthy: true, isPersistent: false, metadata: new Map(), bags: new Map() },
    ...changes,
  };
}
