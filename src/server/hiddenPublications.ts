// The publications that a data node keeps out of the lists, and why.

import type { HiddenPublication, HiddenService } from "../admin/operatedNode.ts";
import type { Data } from "../data/data.ts";
import { hidingRules } from "../data/hiding.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { isBlocked } from "../model/publication.ts";
import { leaderOf } from "../model/slot.ts";
import { hostTimers } from "../transport/clock.ts";

/** The services of led slots with hidden publications, found slot by slot. */
export async function hiddenServices(data: Data): Promise<readonly HiddenService[]> {
  const found: HiddenService[] = [];
  for (const kept of [...data.keptSlots()]) {
    if (kept.duty !== "lead") continue;
    for (const { serviceKey, version, size, shown } of kept.contents.datums.values()) {
      if (size > shown) found.push({ serviceKey, version: version.version, hidden: size - shown, shown });
    }
    // A node may have a hundred thousand services.
    await new Promise<void>((resolve) => void hostTimers.after(0, () => resolve()));
  }
  return found;
}

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
