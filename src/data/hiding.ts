// Which publications the operators' rules keep out of the lists. The leader of a slot decides it when it takes a
// publication, and when the rules change; its followers decide it too, so that the next leader has nothing to do.

import { hostOf, nodeNameOf } from "../model/ids.ts";
import { isBlocked } from "../model/publication.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import type { Hides } from "./datum.ts";

/** Whether the publication is hidden: by a rule, or because its publisher does not want to be called. */
export function hides(
  rules: RuleSet,
  { attributes, owner, serviceKey, zone, registeredMs }: Parameters<Hides>[0],
): boolean {
  if (isBlocked(attributes)) return true;
  if (!rules.has("hidePublications")) return false;
  const [host, session] = [hostOf(owner.client), nodeNameOf(owner.session)];
  return rules.matches("hidePublications", { host, session, serviceKey, zone, registeredMs });
}
