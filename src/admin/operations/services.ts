// Operations on services: which there are, and who publishes one.

import { fail } from "../../base/errors.ts";
import { stringOf } from "../../base/text.ts";
import { ALL_SERVICES, type CatalogueEntry, groupScope } from "../../model/catalogue.ts";
import { boxesOf, instancesOf } from "../../model/content.ts";
import { hostOf, type ServiceKey } from "../../model/ids.ts";
import type { Instance } from "../../model/instance.ts";
import { readNamePattern } from "../../model/namePattern.ts";
import { formOf } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import { KEY_PART_CHARS_MAX, parseServiceKey } from "../../model/serviceKey.ts";
import { NO_VERSION } from "../../model/version.ts";
import type { ServiceView } from "../../registry/registry.ts";
import { askCatalogue, askList } from "../askRegistry.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import { flag, integer, type Json, list, long, object, orNull, text, texts, time } from "../schema.ts";

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
  about: "Lists the services that have publishers, by name.",
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
  command: { positional: ["pattern"], columns: ["service", "publishers", "version"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: object({
    items: list(
      object({
        ...SERVICE_FIELDS,
        publishers: integer("The number of its publishers."),
        version: long("The version of its list."),
      }),
      "A page of services.",
    ),
    ...PAGE_FIELDS,
    isWhole: flag("False: some slots were not answered for in time, and services may be missing."),
  }),
  async run(node, { pattern, namespace, group, limit, after }) {
    const scope = namespace !== "" && group !== "" ? groupScope({ namespace, group }) : ALL_SERVICES;
    const { entries, isWhole } = await askCatalogue(node, { scope, pattern: readNamePattern(pattern) });
    const wanted = entries.filter(({ serviceKey }) => isOf(serviceKey, { namespace, group }));
    const page = pageOf(wanted, { limit, after, keyOf: ({ serviceKey }) => serviceKey });
    return { items: page.entries.map(catalogueRow), total: page.total, next: page.next, isWhole };
  },
});

function isOf(serviceKey: ServiceKey, { namespace, group }: { namespace: string; group: string }): boolean {
  if (namespace === "" && group === "") return true;
  const parts = parseServiceKey(serviceKey);
  return (namespace === "" || parts.namespace === namespace) && (group === "" || parts.group === group);
}

function catalogueRow({ serviceKey, size, version }: CatalogueEntry): Json {
  return { ...serviceFields(serviceKey), publishers: size, version: String(version) };
}

const INSTANCE = object({
  host: text("A name or an address."),
  port: integer("The port."),
  securePort: orNull(integer("The port for TLS.")),
  weight: { type: "number", description: "The share of calls that it should get." },
  isEnabled: flag("Calls to it are wanted."),
  isHealthy: flag("Its client says that it is well."),
  isPersistent: flag("It stays until it is taken back."),
  zone: text("The part of the service that it belongs to."),
  metadata: texts("Its metadata."),
  source: text("The protocol that registered it."),
});

const PUBLISHER = object({
  registId: text("The id that the client gave the registration."),
  application: text("The client's application."),
  zone: text("The client's zone."),
  address: text("The address that the client came from."),
  client: text("The client's connection: `its address_the session's address`."),
  session: text("The session node that answers for it."),
  version: long("The client's own count of changes of the registration."),
  registeredAt: time("When a session accepted it."),
  attributes: texts("The client's own attributes."),
  boxes: list(text("One box."), "What it publishes, as SOFARegistry's clients see it."),
  instance: orNull(INSTANCE),
});

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
  command: { columns: ["registId", "address", "application", "session", "registeredAt", "boxes"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: object({
    ...SERVICE_FIELDS,
    version: long("The version of the list; it only grows."),
    isNewer: flag("The version is above `since`."),
    items: list(PUBLISHER, "A page of publishers, by registId."),
    ...PAGE_FIELDS,
  }),
  waitMs: ({ waitMs }) => waitMs,
  run(node, { service: serviceKey, since, waitMs, limit, after }) {
    const question = { serviceKey, since: since ?? NO_VERSION, waitMs: since === undefined ? 0 : waitMs };
    return askList(node, question, (view, isNewer) => {
      // One who waits has seen that there is such a service.
      if (view.publications.size === 0 && since === undefined) throw fail("SERVICE_UNKNOWN", { service: serviceKey });
      return { ...describedService(view, { limit, after }), isNewer };
    });
  },
});

function describedService({ serviceKey, version, publications }: ServiceView, page: { limit: number; after: string }) {
  const { entries, total, next } = pageOf(publications.values(), { ...page, keyOf: ({ registId }) => registId });
  const items = entries.map(publisherRow);
  return { ...serviceFields(serviceKey), version: String(version), items, total, next };
}

function publisherRow(publication: Publication): Json {
  const { registId, appName, zone, owner, version, registeredMs, attributes, payload } = publication;
  const [instance] = formOf(payload) === "instance" ? instancesOf(publication) : [];
  return {
    registId,
    application: appName,
    zone,
    address: hostOf(owner.client),
    client: owner.client,
    session: owner.session,
    version: String(version),
    registeredAt: isoTime(registeredMs),
    attributes: Object.fromEntries(attributes),
    boxes: boxesOf(publication).map((box) => (box === null ? "" : stringOf(box))),
    instance: instance === undefined ? null : instanceRow(instance),
  };
}

function instanceRow({ bags, metadata, securePort, ...rest }: Instance): Json {
  return { ...rest, securePort: securePort ?? null, metadata: Object.fromEntries(metadata) };
}

/** Clients' own clocks give some of these times: one that no calendar has is shown as the first of all. */
export function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
