// Publishers of a service, as answers show them.

import { stringOf } from "../base/text.ts";
import { boxesOf, instancesOf } from "../model/content.ts";
import { hostOf, type ServiceKey } from "../model/ids.ts";
import type { Instance } from "../model/instance.ts";
import { formOf } from "../model/payload.ts";
import type { Publication } from "../model/publication.ts";
import { isoTime } from "./isoTime.ts";
import type { OperatedNode } from "./operatedNode.ts";
import { pageOf } from "./paging.ts";
import { flag, integer, type Json, list, long, object, orNull, text, texts, time } from "./schema.ts";

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

/** A publisher of a service. */
export const PUBLISHER = object({
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
  hiddenBy: list(
    text("The id of a rule, or `!Blocked`: its publisher hides it."),
    "Not empty: it is in no list, and why.",
  ),
});

/** A row of `PUBLISHER`. */
interface PublisherRow {
  readonly registId: string;
  readonly hiddenBy: readonly string[];
  readonly [field: string]: Json;
}

/** A page of publishers by registId. */
export interface PublisherPage {
  readonly items: readonly PublisherRow[];
  readonly total: number;
  readonly next: string | null;
}

interface PageAsked {
  readonly limit: number;
  readonly after: string;
}

/** A page of those in the list, or of those that are hidden. */
export function pageOfPublishers(
  publications: Iterable<Publication>,
  asked: PageAsked,
  hiddenBy: (publication: Publication) => readonly string[] = () => [],
): PublisherPage {
  const { entries, total, next } = pageOf(publications, { ...asked, keyOf: ({ registId }) => registId });
  return { items: entries.map((publication) => publisherRow(publication, hiddenBy(publication))), total, next };
}

/** The same page of the hidden publishers, from the data node that leads; undefined if it does not answer. */
export async function askHidden(
  node: OperatedNode,
  { service, ...page }: PageAsked & { readonly service: ServiceKey },
): Promise<PublisherPage | undefined> {
  const { status, body } = await node.ask("hidden.describe", { service, ...page });
  return status === 200 ? (body as unknown as PublisherPage) : undefined;
}

/** Two pages as one. A publication that was hidden between the two answers counts as hidden. */
export function joinPages(listed: PublisherPage, hidden: PublisherPage | undefined, limit: number): PublisherPage {
  if (hidden === undefined || hidden.total === 0) return listed;
  const byId = new Map([...listed.items, ...hidden.items].map((row) => [row.registId, row]));
  const rows = [...byId.values()].sort(({ registId: one }, { registId: other }) => (one < other ? -1 : 1));
  const isMore = rows.length > limit || listed.next !== null || hidden.next !== null;
  const items = rows.slice(0, limit);
  const next = isMore ? (items.at(-1)?.registId ?? null) : null;
  return { items, total: listed.total + hidden.total, next };
}

function publisherRow(publication: Publication, hiddenBy: readonly string[]): PublisherRow {
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
    hiddenBy,
  };
}

function instanceRow({ bags, metadata, securePort, ...rest }: Instance): Json {
  return { ...rest, securePort: securePort ?? null, metadata: Object.fromEntries(metadata) };
}
