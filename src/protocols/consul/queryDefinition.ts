// The definition of a prepared query: as a body has it, as it is kept and shown, with the name in its places if it is a
// template, and as a choice of instances.

import { consulRefusal } from "./errors.ts";
import { Fields, parseBody } from "./fields.ts";
import type { PreparedQuery } from "./kv/queries.ts";
import type { ShownNode, ShownService } from "./words.ts";

/** A name has room in a record's key, however it is encoded. */
const NAME_CHARS_MAX = 200;
const TEMPLATE_TYPE = "name_prefix_match";

/** The fields of a query's row, in the order in which Consul writes them. Throws a ConsulError. */
export function queryFields(body: unknown, id: string) {
  const fields = new Fields(parseBody(body));
  const name = fields.text("Name");
  if (name.length > NAME_CHARS_MAX || !name.isWellFormed())
    throw consulRefusal(400, `A name is a text of ${NAME_CHARS_MAX} characters at most`);
  const template = templateOf(fields.inner("Template"));
  const service = serviceOf(fields.inner("Service") ?? new Fields({}));
  if (service.Service === "") throw consulRefusal(500, "Must provide a Service name to query");
  if (template.Type !== "") checkPlaces(service);
  const ttl = fields.inner("DNS")?.text("TTL") ?? "";
  return {
    ...{ ID: id, Name: name, Session: fields.text("Session"), Token: "", Template: template },
    ...{ Service: service, DNS: { TTL: ttl } },
  };
}

function templateOf(template: Fields | undefined) {
  const type = template?.text("Type") ?? "";
  if (type !== "" && type !== TEMPLATE_TYPE)
    throw consulRefusal(500, `Bad template: unknown template type ${JSON.stringify(type.slice(0, 100))}`);
  if ((template?.text("Regexp") ?? "") !== "")
    throw consulRefusal(400, "Template.Regexp is not served: name.prefix and name.suffix are");
  return { Type: type, Regexp: "", RemoveEmptyTags: template?.flag("RemoveEmptyTags") ?? false };
}

function serviceOf(service: Fields) {
  const failover = service.inner("Failover");
  return {
    Service: service.text("Service"),
    Failover: {
      NearestN: failover?.number("NearestN") ?? 0,
      Datacenters: textsOf(failover, "Datacenters"),
      Targets: failover?.has("Targets") === true ? failover.list("Targets") : null,
    },
    OnlyPassing: service.flag("OnlyPassing"),
    IgnoreCheckIDs: textsOf(service, "IgnoreCheckIDs"),
    Near: service.text("Near"),
    Tags: textsOf(service, "Tags"),
    NodeMeta: entriesOf(service, "NodeMeta"),
    ServiceMeta: entriesOf(service, "ServiceMeta"),
    Connect: service.flag("Connect"),
  };
}

function textsOf(fields: Fields | undefined, name: string): readonly string[] | null {
  return fields?.has(name) === true ? fields.texts(name) : null;
}

function entriesOf(fields: Fields, name: string): Record<string, string> | null {
  return fields.has(name) ? Object.fromEntries(fields.entries(name)) : null;
}

const PLACE = /\$\$\{|\$\{([^}]*)\}?/g;
const PARTS: Readonly<Record<string, (name: string, prefix: string) => string>> = {
  "name.full": (name) => name,
  "name.prefix": (_name, prefix) => prefix,
  "name.suffix": (name, prefix) => name.slice(prefix.length),
  "agent.segment": () => "",
};

/** Throws a ConsulError for a place that nothing can be put into. */
function checkPlaces(value: unknown): void {
  if (typeof value === "string") filledIn(value, "", "");
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) checkPlaces(inner);
}

function filledIn(text: string, name: string, prefix: string): string {
  return text.replace(PLACE, (place: string, inner: string | undefined) => {
    if (inner === undefined) return "${";
    const part = Object.hasOwn(PARTS, inner.trim()) ? PARTS[inner.trim()] : undefined;
    if (part === undefined)
      throw consulRefusal(500, `Bad template: ${JSON.stringify(place.slice(0, 100))} names nothing`);
    return part(name, prefix);
  });
}

/** The fields of a query for the name that was asked; a template has it in its places. */
export function rendered({ isTemplate, name: prefix, document: { fields } }: PreparedQuery, name: string) {
  if (!isTemplate) return fields;
  const filled = (value: unknown): unknown => {
    if (typeof value === "string") return filledIn(value, name, prefix);
    if (Array.isArray(value)) return value.map(filled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner)]));
  };
  const service = new Fields(filled(fields["Service"]));
  const isWithoutEmpty = new Fields(fields["Template"]).flag("RemoveEmptyTags");
  const tags = isWithoutEmpty && service.has("Tags") ? service.texts("Tags").filter((tag) => tag !== "") : undefined;
  return { ...fields, Service: { ...serviceOf(service), ...(tags && { Tags: tags }) } };
}

/** A query as a choice of instances. */
export interface QueryDefinition {
  readonly service: string;
  readonly isConnect: boolean;
  readonly isPassingOnly: boolean;
  readonly ignoredChecks: ReadonlySet<string>;
  /** In lower case. */
  readonly tags: readonly string[];
  readonly nodeMeta: ReadonlyMap<string, string>;
  readonly serviceMeta: ReadonlyMap<string, string>;
  readonly near: string;
  readonly dns: { readonly TTL: string };
}

/** The choice that a query's fields describe. */
export function definitionOf(fields: Readonly<Record<string, unknown>>): QueryDefinition {
  const query = new Fields(fields);
  const service = query.inner("Service") ?? new Fields({});
  return {
    service: service.text("Service"),
    isConnect: service.flag("Connect"),
    isPassingOnly: service.flag("OnlyPassing"),
    ignoredChecks: new Set(service.texts("IgnoreCheckIDs")),
    tags: service.texts("Tags").map((tag) => tag.toLowerCase()),
    nodeMeta: service.entries("NodeMeta"),
    serviceMeta: service.entries("ServiceMeta"),
    near: service.text("Near"),
    dns: { TTL: query.inner("DNS")?.text("TTL") ?? "" },
  };
}

/** The instances that a query shows: well enough, with its tags and metadata. */
export function chosenBy<Placed extends { readonly service: ShownService; readonly node: ShownNode }>(
  { isPassingOnly, ignoredChecks, tags, nodeMeta, serviceMeta }: QueryDefinition,
  placed: readonly Placed[],
): Placed[] {
  return placed.filter(({ service: { definition, checks }, node }) => {
    const isWell = [...node.checks, ...checks].every(
      ({ id, status }) => ignoredChecks.has(id) || status === "passing" || (status === "warning" && !isPassingOnly),
    );
    const own = new Set(definition.tags.map((tag) => tag.toLowerCase()));
    const hasTags = tags.every((tag) => (tag.startsWith("!") ? !own.has(tag.slice(1)) : own.has(tag)));
    const ofNode = new Map(typeof node.meta === "object" && node.meta !== null ? Object.entries(node.meta) : []);
    return isWell && hasTags && hasAll(ofNode, nodeMeta) && hasAll(definition.meta, serviceMeta);
  });
}

function hasAll(own: ReadonlyMap<string, unknown>, wanted: ReadonlyMap<string, string>): boolean {
  return [...wanted].every(([key, value]) => own.get(key) === value);
}
