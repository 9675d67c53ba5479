// Whether the roles of this process work, and if not, why.

import type { NodeRole } from "../admin/operatedNode.ts";
import type { MetaHost } from "./metaHost.ts";
import type { Roles } from "./roles.ts";

/** The reason why each role of the process does not work; undefined for one that does. */
export function notReadyOf({ meta, data, session, blocked }: Roles): Map<NodeRole, string | undefined> {
  const reasons = new Map<NodeRole, string | undefined>();
  if (meta !== undefined) reasons.set("meta", metaNotReady(meta));
  const withoutTable = (table: unknown) => (table === undefined ? NO_TABLE : undefined);
  if (data !== undefined) reasons.set("data", blocked.reason ?? withoutTable(data.data.slotTable));
  if (session !== undefined) {
    const closed = session.servesClients ? undefined : CLOSED;
    reasons.set("session", blocked.reason ?? closed ?? withoutTable(session.session.slotTable));
  }
  return reasons;
}

const CLOSED = "operators let it take no clients: serve-clients is false";
const NO_TABLE = "no slot table yet";

/** The reason why the cluster can't be changed through this node; the existing state remains in force. */
function metaNotReady({ meta, isStoreReachable }: MetaHost): string | undefined {
  if (!isStoreReachable) return "the store does not answer";
  if (!meta.isReady) return "no meta node leads";
  return meta.isLeading && meta.slotTable === undefined ? NO_TABLE : undefined;
}
