// Which publications the operators' rules keep out of the lists. The leader of a slot decides it when it takes a
// publication, and when the rules change; its followers decide it too, so that the next leader has nothing to do.

import { hostOf, nodeNameOf } from "../model/ids.ts";
import { isBlocked } from "../model/publication.ts";
import type { RuleSet, RuleSubject } from "../model/ruleSet.ts";
import type { Hides } from "./datum.ts";

/** Whether the publication is hidden: by a rule, or because its publisher does not want to be called. */
export function hides(rules: RuleSet, publication: Parameters<Hides>[0]): boolean {
  if (isBlocked(publication.attributes)) return true;
  return rules.has("hidePublications") && rules.matches("hidePublications", subjectOf(publication));
}

/** The ids of the rules that hide the publication; none for one that its publisher hides. */
export function hidingRules(rules: RuleSet, publication: Parameters<Hides>[0]): string[] {
  return rules.matching("hidePublications", subjectOf(publication));
}

function subjectOf({ owner, serviceKey, zone, registeredMs }: Parameters<Hides>[0]): RuleSubject {
  return { host: hostOf(owner.client), session: nodeNameOf(owner.session), serviceKey, zone, registeredMs };
}
