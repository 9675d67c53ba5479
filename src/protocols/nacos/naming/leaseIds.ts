// The ids of instances that are kept by heartbeats, and their holders.

import { type ClientId, clientId } from "../../../model/ids.ts";

/** The end of the id of an instance whose address a connected client has. */
export const BESIDE = "#http";

const HOLDER_END = ":0_nacos";

/** The sender as the holder of a registration: rules and lists of operators know it by its address. */
export function holderAt(from: string): ClientId {
  return clientId(from + HOLDER_END);
}

/** The host of such a holder. */
export function hostOf(holder: ClientId): string {
  return holder.endsWith(HOLDER_END) ? holder.slice(0, -HOLDER_END.length) : holder;
}
