// A service that a policy hides from an asker is unknown to it, and so is a machine that has no other. DNS carries no
// proof, so each asker is an address.

import { anonymous } from "../../access/principal.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { ClientAccess } from "../kit/clientAccess.ts";
import type { Known } from "./answer.ts";
import type { DnsServices } from "./services.ts";

/** The services that an asker at this address may subscribe to. */
export function visibleServices(
  services: DnsServices,
  access: Pick<ClientAccess, "refusal">,
  from: string,
): Known["services"] {
  const principal = anonymous(from);
  const isVisible = (about: ServiceKey) => access.refusal(principal, { action: "subscribe", about }) === undefined;
  return {
    find: (name) => services.find(name, isVisible),
    node: (name, nowMs) => services.node(name, nowMs, isVisible),
    at: (host, nowMs) => services.at(host, nowMs, isVisible),
  };
}
