import { type Audit, cut } from "../../admin/auditEntry.ts";
import type { GatewayAudit } from "../../protocols/kit/audit.ts";

/** Entries of the audit trail for changes by the protocols' own paths. */
export function gatewayAudit(record: Audit): GatewayAudit {
  return ({ operation, principal, from, status, code, parameters }) =>
    record({
      outcome: code === undefined ? "made" : "refused",
      ...{ operation: cut(operation), by: principal?.name ?? "", kind: principal?.kind ?? "", from, status },
      ...{ code: code ?? "", parameters: cut(JSON.stringify(parameters)), before: "", after: "" },
    });
}
