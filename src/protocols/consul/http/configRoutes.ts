// The paths of configuration entries, which tell Consul's mesh about services: /v1/config. They are kept and shown as
// they were written. Those of gateways are in the lists of the services of gateways (gatewayRoutes.ts).

import type { ValueKey } from "../../../access/policy.ts";
import type { HttpExchange } from "../../../base/http.ts";
import { DEFAULT_NAMESPACE } from "../../../model/serviceKey.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { consulRefusal } from "../errors.ts";
import { Fields, parseBody, plain } from "../fields.ts";
import { INGRESS, linkedIn } from "../gatewayLinks.ts";
import { DOCUMENTS, type Document, keyPart } from "../kv/documents.ts";
import type { Draft } from "../kv/draft.ts";
import { KV_TOPIC } from "../kv/store.ts";
import { answering, type KvParts, wholeOf } from "./kvRoutes.ts";
import { filterOf, flagResponse, rowsResponse, valuesShareKey } from "./parts.ts";

/** The kinds of entries, each with the only name that its entries can have; empty: they have any. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ...ofAnyName("service-defaults", "service-router", "service-splitter", "service-resolver", "service-intentions"),
  ...ofAnyName("ingress-gateway", "terminating-gateway", "api-gateway", "http-route", "tcp-route"),
  ...ofAnyName("inline-certificate", "file-system-certificate", "jwt-provider", "control-plane-request-limit"),
  ...([
    ["proxy-defaults", "global"],
    ["mesh", "mesh"],
    ["exported-services", "default"],
  ] as const),
]);
/** Its entries show no name. */
const MESH = "mesh";

// A record's key has room for so many characters, however they are encoded.
export const NAME_CHARS_MAX = 200;
const ENTRIES_MAX = 10_000;
const BODY_BYTES_MAX = 256 * 1024;

/** A configuration entry. */
export interface ConfigEntry {
  readonly kind: string;
  readonly name: string;
  readonly fields: Document["fields"];
}

/** The place of an entry, for policies. */
function valueKeyOf({ kind, name }: Pick<ConfigEntry, "kind" | "name">): ValueKey {
  return { namespace: DEFAULT_NAMESPACE, group: "consul-config", name: `${kind}/${name}` };
}

const keyOf = ({ kind, name }: Pick<ConfigEntry, "kind" | "name">) => `${DOCUMENTS.config}${kind}/${keyPart(name)}`;

/** The entries of a kind, in the order of their names. */
export function configEntriesOf(draft: Draft, kind: string): ConfigEntry[] {
  return [...draft.documents(`${DOCUMENTS.config}${kind}/`)].map(({ fields }) => entryIn(kind, fields));
}

export function configRoutes(parts: KvParts): JudgedRoute[] {
  const { store, blocking, nowMs } = parts;
  const placeOf = ({ params }: HttpExchange) => ({ kind: params["kind"] ?? "", name: params["name"] ?? "" });
  const answers = (exchange: HttpExchange, caller: Caller, rows: () => unknown) => {
    const answer = (index: bigint) => rowsResponse(exchange, rows(), index);
    const shareKey = valuesShareKey(exchange, caller);
    blocking.ask(exchange, { topics: [KV_TOPIC.configEntries], shareKey, answer }, nowMs());
  };
  return [
    {
      ...{ method: "PUT", path: "/v1/config", asks: "store", of: "each", bodyBytesMax: BODY_BYTES_MAX },
      handle: (exchange, caller) => answering(parts, exchange, () => write(parts, exchange, caller)),
    },
    {
      ...{ method: "GET", path: "/v1/config/:kind", asks: "fetch", of: "each" },
      handle: (exchange, caller) =>
        answering(parts, exchange, () => {
          const { kind } = placeOf(exchange);
          checkKind(kind);
          const predicate = filterOf(exchange);
          const isSeen = ({ name }: ConfigEntry) =>
            caller.mayDo({ action: "fetch", about: valueKeyOf({ kind, name }) });
          answers(exchange, caller, () =>
            [...store.view().documents(`${DOCUMENTS.config}${kind}/`)]
              .filter(({ fields }) => isSeen(entryIn(kind, fields)))
              .map(rowOf)
              .filter((row) => predicate?.(row) ?? true),
          );
        }),
    },
    {
      ...{ method: "GET", path: "/v1/config/:kind/:name", asks: "fetch" },
      of: (exchange) => valueKeyOf(placeOf(exchange)),
      handle: (exchange, caller) =>
        answering(parts, exchange, () => {
          const place = placeOf(exchange);
          checkKind(place.kind);
          answers(exchange, caller, () => {
            const known = store.view().document(keyOf(place));
            if (known === undefined)
              throw consulRefusal(404, `Config entry not found for "${place.kind}" / "${place.name}"`);
            return rowOf(known);
          });
        }),
    },
    {
      ...{ method: "DELETE", path: "/v1/config/:kind/:name", asks: "store" },
      of: (exchange) => valueKeyOf(placeOf(exchange)),
      handle: (exchange) => answering(parts, exchange, () => remove(parts, exchange, placeOf(exchange))),
    },
  ];
}

async function write({ store }: KvParts, exchange: HttpExchange, caller: Caller): Promise<void> {
  const entry = entryOf(exchange);
  const refusal = caller.refusal({ action: "store", about: valueKeyOf(entry) });
  if (refusal !== undefined) throw refusal;
  const cas = wholeOf(exchange, "cas");
  const key = keyOf(entry);
  const { isMade } = await store.change((draft) => {
    const known = draft.document(key);
    if (cas !== undefined && (known?.modifyIndex ?? 0n) !== BigInt(cas)) return "no";
    if (known === undefined) checkRoom(draft);
    draft.putDocument(key, entry.fields);
    return "yes";
  });
  exchange.respond(flagResponse(exchange, isMade));
}

async function remove({ store }: KvParts, exchange: HttpExchange, place: { kind: string; name: string }) {
  checkKind(place.kind);
  const cas = wholeOf(exchange, "cas");
  const { isMade } = await store.change((draft) => {
    const known = draft.document(keyOf(place));
    if (cas !== undefined && known?.modifyIndex !== BigInt(cas)) return "no";
    draft.deleteDocument(keyOf(place));
    return "yes";
  });
  exchange.respond(rowsResponse(exchange, cas === undefined ? {} : isMade));
}

/** The entry of a body. Throws a ConsulError. */
function entryOf({ body }: HttpExchange): ConfigEntry {
  const value = parseBody(body);
  const fields = new Fields(value);
  const kind = fields.text("Kind");
  checkKind(kind);
  const only = KINDS.get(kind) ?? "";
  const name = fields.text("Name") === "" ? only : fields.text("Name");
  if (name === "") throw consulRefusal(500, "Name is required");
  if (only !== "" && name !== only)
    throw consulRefusal(500, `invalid name (${JSON.stringify(name.slice(0, 100))}), only "${only}" is supported`);
  if (name.length > NAME_CHARS_MAX || !name.isWellFormed())
    throw consulRefusal(400, `A name is a text of ${NAME_CHARS_MAX} characters at most`);
  const own = Object.entries(value ?? {}).filter(([field]) => !SHOWN.has(plain(field)));
  const head = kind === MESH ? { Kind: kind } : { Kind: kind, Name: name };
  const entry = { kind, name, fields: { ...head, ...Object.fromEntries(filled(kind, own)) } };
  // The services of a gateway are read later: an entry that has none to read is refused now.
  linkedIn(entry);
  return entry;
}

/** The fields that are not the writer's. */
const SHOWN: ReadonlySet<string> = new Set(["kind", "name", "createindex", "modifyindex", "hash"]);

/** An ingress gateway shows 0 for each of its limits that is null. */
function filled(kind: string, fields: readonly (readonly [string, unknown])[]) {
  if (kind !== INGRESS) return fields;
  return fields.map(([field, value]): readonly [string, unknown] => {
    if (plain(field) !== "defaults" || typeof value !== "object" || value === null) return [field, value];
    const limits = Object.entries(value).map(([name, limit]) => [name, name.startsWith("Max") ? (limit ?? 0) : limit]);
    return [field, Object.fromEntries(limits)];
  });
}

function entryIn(kind: string, fields: Document["fields"]): ConfigEntry {
  return { kind, name: String(fields["Name"] ?? KINDS.get(kind) ?? ""), fields };
}

function rowOf({ fields, createIndex, modifyIndex }: Document) {
  return { ...fields, CreateIndex: Number(createIndex), ModifyIndex: Number(modifyIndex) };
}

function checkKind(kind: string): void {
  if (!KINDS.has(kind)) throw consulRefusal(400, `invalid config entry kind: ${kind.slice(0, 100)}`);
}

function checkRoom(draft: Draft): void {
  let count = 0;
  for (const _entry of draft.documents(DOCUMENTS.config)) count++;
  if (count >= ENTRIES_MAX)
    throw consulRefusal(500, `There are ${ENTRIES_MAX} configuration entries already: delete some`);
}

function ofAnyName(...kinds: readonly string[]): [kind: string, name: string][] {
  return kinds.map((kind) => [kind, ""]);
}
