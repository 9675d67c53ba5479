// Operations on services: which there are, and who publishes one.

import { fail } from "../../base/errors.ts";
import { ALL_SERVICES, type CatalogueEntry, groupScope } from "../../model/catalogue.ts";
import { brandServiceKey, type ServiceKey } from "../../model/ids.ts";
import { readNamePattern } from "../../model/namePattern.ts";
import { KEY_PART_CHARS_MAX, parseServiceKey } from "../../model/serviceKey.ts";
import { NO_VERSION } from "../../model/version.ts";
import { askCatalogue, askList } from "../askRegistry.ts";
import type { OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import { askHidden, joinPages, PUBLISHER, pageOfPublishers } from "../publisherRows.ts";
import { flag, integer, type Json, list, long, object, orNull, text } from "../schema.ts";
import type { HiddenServiceRow } from "./hidden.ts";

/** The fields that name a service. */
const SERVICE_FIELDS = {
  service: text("The key: `name#@#namespace#@#group`."),
  name: text("Its name."),
  namespace: text("Its namespace; SOFARegistry's instanceId."),
  group: text("Its group."),
};

function serviceFields(serviceKey: ServiceKey): Record<string, Json> {
  return { service: serviceKey, ...parseServiceKey(serviceKey) };
}

export const listServices = operation({
  name: "services.list",
  method: "GET",
  path: "/services",
  about: "Lists the services that have publishers, by name; those whose publishers are all hidden too.",
  parameters: {
    pattern: {
      type: "text",
      charsMax: KEY_PART_CHARS_MAX,
      default: "*",
      about: "The names of interest: `*` stands for any characters.",
    },
    namespace: {
      type: "text",
      charsMax: KEY_PART_CHARS_MAX,
      default: "",
      about: "Only services of this namespace; empty for all.",
    },
    group: {
      type: "text",
      charsMax: KEY_PART_CHARS_MAX,
      default: "",
      about: "Only services of this group; empty for all.",
    },
    ...PAGE_PARAMETERS,
  },
  command: { positional: ["pattern"], columns: ["service", "publishers", "hidden", "version"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: object({
    items: list(
      object({
        ...SERVICE_FIELDS,
        publishers: integer("The number of its publishers, as its list has them."),
        hidden: integer("The number of its publishers that are in no list."),
        version: long("The version of its list."),
      }),
      "A page of services.",
    ),
    ...PAGE_FIELDS,
    isWhole: flag("False: some slots were not answered for in time, and services may be missing."),
  }),
  async run(node, { pattern, namespace, group, limit, after }) {
    const scope = namespace !== "" && group !== "" ? groupScope({ namespace, group }) : ALL_SERVICES;
    const [listed, hidden] = await Promise.all([
      askCatalogue(node, { scope, pattern: readNamePattern(pattern) }),
      askHiddenServices(node, pattern),
    ]);
    const entries = withHidden(listed.entries, hidden.services);
    const wanted = entries.filter(({ serviceKey }) => isOf(serviceKey, { namespace, group }));
    const page = pageOf(wanted, { limit, after, keyOf: ({ serviceKey }) => serviceKey });
    const items = page.entries.map((entry) => catalogueRow(entry, hidden.services));
    return { items, total: page.total, next: page.next, isWhole: listed.isWhole && hidden.isWhole };
  },
});

type HiddenServices = ReadonlyMap<string, HiddenServiceRow>;

async function askHiddenServices(
  node: OperatedNode,
  pattern: string,
): Promise<{ readonly services: HiddenServices; readonly isWhole: boolean }> {
  const { status, body } = await node.ask("hidden.list", { pattern, limit: 5_000 });
  if (status !== 200) return { services: new Map(), isWhole: false };
  const { items, isCut, unreachable } = body as unknown as {
    items: readonly HiddenServiceRow[];
    isCut: boolean;
    unreachable: readonly Json[];
  };
  const services = new Map(items.map((row) => [row.service, row]));
  return { services, isWhole: !isCut && unreachable.length === 0 };
}

type ListedService = Pick<CatalogueEntry, "serviceKey" | "size" | "version">;

/** The catalogue has only services with a list that is not empty. */
function withHidden(entries: readonly CatalogueEntry[], hidden: HiddenServices): readonly ListedService[] {
  if (hidden.size === 0) return entries;
  const listed = new Set<string>(entries.map(({ serviceKey }) => serviceKey));
  const others = [...hidden.values()].filter(({ service }) => !listed.has(service));
  return [
    ...entries,
    ...others.map(({ service, publishers, version }) => {
      return { serviceKey: brandServiceKey(service), size: publishers, version: BigInt(version) };
    }),
  ];
}

function isOf(serviceKey: ServiceKey, { namespace, group }: { namespace: string; group: string }): boolean {
  if (namespace === "" && group === "") return true;
  const parts = parseServiceKey(serviceKey);
  return (namespace === "" || parts.namespace === namespace) && (group === "" || parts.group === group);
}

function catalogueRow({ serviceKey, size, version }: ListedService, hidden: HiddenServices): Json {
  const counts = { publishers: size, hidden: hidden.get(serviceKey)?.hidden ?? 0 };
  return { ...serviceFields(serviceKey), ...counts, version: String(version) };
}

export const describeService = operation({
  name: "services.describe",
  method: "GET",
  path: "/service",
  about: "Shows a service with its publishers: from where, since when, at which version, and what they publish.",
  parameters: {
    service: { type: "service", isRequired: true, about: "The service." },
    since: {
      type: "version",
      about: "Answers as soon as the list has a version above this one, or when `waitMs` is over.",
    },
    waitMs: {
      type: "integer",
      min: 0,
      max: 60_000,
      default: 0,
      about: "The time to wait for a version above `since`, in ms.",
    },
    ...PAGE_PARAMETERS,
  },
  command: { columns: ["registId", "address", "application", "session", "registeredAt", "boxes", "hiddenBy"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: object({
    ...SERVICE_FIELDS,
    version: long("The version of the list; it only grows."),
    isNewer: flag("The version is above `since`."),
    hidden: orNull(
      integer("The number of publishers that are in no list; null: the data node that knows did not answer."),
    ),
    items: list(PUBLISHER, "A page of publishers, hidden ones too, by registId."),
    ...PAGE_FIELDS,
  }),
  waitMs: ({ waitMs }) => waitMs,
  async run(node, { service: serviceKey, since, waitMs, limit, after }) {
    const question = { serviceKey, since: since ?? NO_VERSION, waitMs: since === undefined ? 0 : waitMs };
    const listed = await askList(node, question, (view, isNewer) => ({
      page: pageOfPublishers(view.publications.values(), { limit, after }),
      version: String(view.version),
      isNewer,
    }));
    const hidden = await askHidden(node, { service: serviceKey, limit, after });
    // One who waits has seen that there is such a service.
    const isKnown = listed.page.total + (hidden?.total ?? 0) > 0 || since !== undefined;
    if (!isKnown) throw fail("SERVICE_UNKNOWN", { service: serviceKey });
    const { version, isNewer } = listed;
    const page = joinPages(listed.page, hidden, limit);
    return { ...serviceFields(serviceKey), version, isNewer, hidden: hidden?.total ?? null, ...page };
  },
});
