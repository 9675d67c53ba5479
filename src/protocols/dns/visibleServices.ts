// A service that a policy hides from an asker is unknown to it. DNS carries no proof, so each asker is an address.

import { anonymous } from "../../access/principal.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
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
  const may = (about: ServiceKey) => access.refusal(principal, { action: "subscribe", about }) === undefined;
  return {
    find: (name) => ([...services.keysOf(name)].every(may) ? services.find(name) : undefined),
    node: (name, nowMs) => services.node(name, nowMs),
    at: (host, nowMs) => {
      const instance = services.at(host, nowMs);
      if (instance === undefined) return undefined;
      return may(makeServiceKey({ name: instance.service, namespace: "", group: "" })) ? instance : undefined;
    },
  };
}
