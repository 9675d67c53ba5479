// Publications that are in no list, as the data node that leads their slot has them.

import { fail } from "../../base/errors.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS } from "../paging.ts";
import { PUBLISHER, pageOfPublishers } from "../publisherRows.ts";
import { list, object } from "../schema.ts";

export const listHidden = operation({
  name: "hidden.list",
  method: "GET",
  path: "/hidden",
  about: "Lists the publishers of a service that are in no list, and the rules that hide them.",
  parameters: {
    service: { type: "service", isRequired: true, about: "The service." },
    ...PAGE_PARAMETERS,
  },
  command: { columns: ["registId", "address", "application", "boxes", "hiddenBy"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "slotLeader", parameter: "service" },
  answer: object({ items: list(PUBLISHER, "A page of hidden publishers, by registId."), ...PAGE_FIELDS }),
  run({ id, data }, { service, limit, after }) {
    const hidden = data?.hidden(service);
    // The slot has moved since the asked node heard of it.
    if (hidden === undefined)
      throw fail("ROLE_NEEDED", { role: "data", reason: `${id} does not lead the slot any more` });
    const rules = new Map([...hidden].map(({ publication, rules: its }) => [publication, its]));
    const page = pageOfPublishers(rules.keys(), { limit, after }, (publication) => rules.get(publication) ?? []);
    return { ...page };
  },
});
