// The publications that a data node keeps out of the lists, and why.

import type { HiddenPublication } from "../admin/operatedNode.ts";
import type { Data } from "../data/data.ts";
import { hidingRules } from "../data/hiding.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { isBlocked } from "../model/publication.ts";
import { leaderOf } from "../model/slot.ts";

/** SOFARegistry's attribute, in the place of a rule's id: no id begins so. */
const BLOCKED = "!Blocked";

/** The hidden publications of a service; undefined if this node does not lead its slot. */
export function hiddenPublications(
  data: Data,
  id: NodeId,
  serviceKey: ServiceKey,
): readonly HiddenPublication[] | undefined {
  const { slotTable } = data;
  if (slotTable === undefined || leaderOf(slotTable, serviceKey) !== id) return undefined;
  const datum = data.datum(serviceKey);
  if (datum === undefined || datum.size === datum.shown) return [];
  const hidden = [...datum.publications()].filter(({ registId }) => datum.isHidden(registId));
  return hidden.flatMap((publication) => {
    const rules = isBlocked(publication.attributes) ? [BLOCKED] : hidingRules(data.rules, publication);
    // The rule is gone, and in a moment the publication is in the list.
    return rules.length === 0 ? [] : [{ publication, rules }];
  });
}
