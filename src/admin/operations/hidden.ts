// Publications that are in no list, as the data nodes that lead their slots have them.

import { fail } from "../../base/errors.ts";
import { matchesName, readNamePattern } from "../../model/namePattern.ts";
import { KEY_PART_CHARS_MAX, parseServiceKey } from "../../model/serviceKey.ts";
import type { OperatedData, OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS } from "../paging.ts";
import { PUBLISHER, pageOfPublishers } from "../publisherRows.ts";
import { flag, integer, type Json, list, long, object, text } from "../schema.ts";

/** The role data of a node. Throws ROLE_NEEDED. */
function dataOf({ data }: OperatedNode): OperatedData {
  if (data === undefined) throw fail("ROLE_NEEDED", { role: "data" });
  return data;
}

/** A service with hidden publishers. */
export interface HiddenServiceRow {
  readonly service: string;
  readonly hidden: number;
  readonly publishers: number;
  readonly version: string;
}

interface HiddenServices {
  readonly items: readonly HiddenServiceRow[];
  readonly isCut: boolean;
}

export const listHidden = operation({
  name: "hidden.list",
  method: "GET",
  path: "/hidden",
  about: "Lists the services that have publishers in no list: hidden by rules of operators, or by themselves.",
  parameters: {
    pattern: {
      type: "text",
      charsMax: KEY_PART_CHARS_MAX,
      default: "*",
      about: "The names of interest: `*` stands for any characters.",
    },
    limit: { type: "integer", min: 1, max: 5_000, default: 1_000, about: "The most entries in the answer." },
  },
  command: { positional: ["pattern"], columns: ["service", "hidden", "publishers"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "data" },
  answer: object({
    items: list(
      object({
        service: text("The key of the service."),
        hidden: integer("The number of its publishers that are in no list."),
        publishers: integer("The number of those that are in its list."),
        version: long("The version of its list."),
      }),
      "The services, by their keys.",
    ),
    isCut: flag("There are more than the answer has."),
    unreachable: list(
      object({ node: text("The node."), reason: text("Why it did not answer.") }),
      "Data nodes that did not answer: their services are missing.",
    ),
  }),
  async run(node, { pattern, limit }) {
    const wanted = readNamePattern(pattern);
    const services = await dataOf(node).hiddenServices();
    const matching = services.filter(({ serviceKey }) => matchesName(parseServiceKey(serviceKey).name, wanted));
    const items = matching.map(({ serviceKey, hidden, shown, version }): HiddenServiceRow => {
      return { service: serviceKey, hidden, publishers: shown, version: String(version) };
    });
    return { items: firstOf(items, limit), isCut: items.length > limit };
  },
  gather({ parts, unreachable }, { limit }) {
    const answers = parts.map(({ body }) => body as unknown as HiddenServices);
    const items = answers.flatMap((answer) => answer.items);
    const isCut = items.length > limit || answers.some((answer) => answer.isCut);
    return { items: firstOf(items, limit), isCut, unreachable };
  },
});

function firstOf(rows: readonly HiddenServiceRow[], limit: number): Json[] {
  const sorted = [...rows].sort(({ service: one }, { service: other }) => (one < other ? -1 : 1));
  return sorted.slice(0, limit).map((row) => ({ ...row }));
}

export const describeHidden = operation({
  name: "hidden.describe",
  method: "GET",
  path: "/hidden/publishers",
  about: "Shows the publishers of a service that are in no list, and the rules that hide them.",
  parameters: {
    service: { type: "service", isRequired: true, about: "The service." },
    ...PAGE_PARAMETERS,
  },
  command: { words: ["describe hidden-service"], columns: ["registId", "address", "application", "boxes", "hiddenBy"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "slotLeader", parameter: "service" },
  answer: object({ items: list(PUBLISHER, "A page of hidden publishers, by registId."), ...PAGE_FIELDS }),
  run(node, { service, limit, after }) {
    const hidden = dataOf(node).hidden(service);
    // The slot has moved since the asked node heard of it.
    if (hidden === undefined) throw fail("ROLE_NEEDED", { role: "data", reason: `${node.id} has lost the slot` });
    const rules = new Map(hidden.map(({ publication, rules: its }) => [publication, its]));
    const page = pageOfPublishers(rules.keys(), { limit, after }, (publication) => rules.get(publication) ?? []);
    return { ...page };
  },
});
