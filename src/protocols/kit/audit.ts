import type { Principal } from "../../access/principal.ts";

/** A change that a client or an operator has asked for by a protocol's own paths. */
export interface AskedChange {
  /** The name of the operation, or the method and the path of its route. */
  readonly operation: string;
  /** Undefined: its credentials prove nothing. */
  readonly principal: Principal | undefined;
  /** The host that it was asked from. */
  readonly from: string;
  /** As of HTTP. */
  readonly status: number;
  /** The code of the refusal; undefined for a change that was made. */
  readonly code: string | undefined;
  /** Values of JSON, without secrets; the audit trail cuts them. */
  readonly parameters: object;
}

/** Records a change, or a refused one, in the audit trail. Takes microseconds. */
export type GatewayAudit = (change: AskedChange) => void;
