// Entries of the audit trail, made from operations.

import type { Principal } from "../access/principal.ts";
import { type AuditEntry, cut } from "./auditEntry.ts";
import type { Operation } from "./operation.ts";
import type { RawParameters } from "./parameter.ts";
import type { Json } from "./schema.ts";

/** An operation, and what is known of it. */
export interface Audited {
  readonly operation: Operation;
  readonly raw: RawParameters;
  /** Undefined: its credentials prove nothing. */
  readonly caller: Principal | undefined;
  readonly from: string;
}

/** An entry for a change that was made. `state` is the state of what was changed, as far as it is known. */
export function madeEntry(
  { operation, raw, caller, from }: Audited,
  {
    status,
    before,
    after,
  }: { readonly status: number; readonly before: Json | undefined; readonly after: Json | undefined },
): Omit<AuditEntry, "atMs" | "node"> {
  const who = { by: caller?.name ?? "", kind: caller?.kind ?? "", from };
  const what = { operation: operation.name, parameters: shownParameters(operation, raw), status, code: "" };
  return { outcome: "made", ...who, ...what, before: shown(before), after: shown(after) };
}

/** An entry for an operation that was refused. */
export function refusedEntry(
  { operation, raw, caller, from }: Audited,
  { status, code }: { readonly status: number; readonly code: string },
): Omit<AuditEntry, "atMs" | "node"> {
  const who = { by: caller?.name ?? "", kind: caller?.kind ?? "", from };
  const what = { operation: operation.name, parameters: shownParameters(operation, raw), status, code };
  return { outcome: "refused", ...who, ...what, before: "", after: "" };
}

/** The parameters without secrets. Values of clients may hold secrets of theirs; their length has to do. */
function shownParameters({ parameters, takesValue }: Operation, raw: RawParameters): string {
  const plain = Object.entries(raw).map(([name, value]) => {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    const isSecret = parameter?.type === "text" && parameter.isSecret === true;
    // A mistyped name may be that of a secret.
    if (isSecret || parameter === undefined) return [name, "***"];
    if (takesValue === true && name === "data") return [name, `${String(value).length} characters`];
    return [name, value];
  });
  return shown(Object.fromEntries(plain) as Json);
}

function shown(value: Json | undefined): string {
  return value === undefined ? "" : cut(JSON.stringify(value));
}
