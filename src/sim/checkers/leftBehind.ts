// The leader of a slot, and sessions of its own, may be unable to hear from meta that another node leads. They go on,
// and others may reach them: a subscriber that comes to such a session, or leaves it, meets another leader's lists.

import type { ServiceKey } from "../../model/ids.ts";
import type { Evidence } from "./checker.ts";
import type { Commit } from "./commits.ts";

/** Whether the list can only come from a leader that had been replaced and could not hear that from meta. */
export function isOfLeftBehind(
  { commits, nodes }: Pick<Evidence, "commits" | "nodes">,
  service: ServiceKey,
  version: bigint,
): boolean {
  const given = commits.at(service, version);
  const isLeftBehind = ({ by, origin, firstMs }: Commit): boolean =>
    firstMs > nodes.replacedMs(service, origin) && nodes.isOutside("data", by, firstMs);
  return given.length > 0 && given.every(isLeftBehind);
}
