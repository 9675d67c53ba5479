// The paths of the key-value store: /v1/kv/KEY.

import type { ValueKey } from "../../../access/policy.ts";
import type { HttpExchange, HttpResponse } from "../../../base/http.ts";
import { rawNumber } from "../../../base/rawNumber.ts";
import { DEFAULT_NAMESPACE } from "../../../model/serviceKey.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { toBase64 } from "../base64.ts";
import { consulRefusal, refuseWith } from "../errors.ts";
import type { Draft } from "../kv/draft.ts";
import type { Entry } from "../kv/entries.ts";
import { KV_TOPIC, type KvStore } from "../kv/store.ts";
import { compareAndDelete, compareAndSet, type Given, lock, type NotMade, set, unlock } from "../kv/verbs.ts";
import type { RouteParts } from "./parts.ts";
import { checkOptions, flagResponse, rowsResponse, valuesOf, valuesShareKey } from "./parts.ts";

export interface KvParts extends Pick<RouteParts, "blocking" | "datacenter" | "nowMs"> {
  readonly store: KvStore;
}

/** As in Consul. */
export const VALUE_BYTES_MAX = 512 * 1024;
// The port reads this much before it refuses a value.
const BODY_BYTES_MAX = 2 * VALUE_BYTES_MAX;

/** The value of a key, for policies. */
export function valueKeyOf(key: string): ValueKey {
  return { namespace: DEFAULT_NAMESPACE, group: "consul", name: key === "" ? "/" : key };
}

/** Whether the caller may see the value of a key. */
export function mayFetch(caller: Caller, key: string): boolean {
  return caller.mayDo({ action: "fetch", about: valueKeyOf(key) });
}

/** Throws PERMISSION_NEEDED or CREDENTIALS_NEEDED. */
export function checkMayStore(caller: Caller, key: string): void {
  const refusal = caller.refusal({ action: "store", about: valueKeyOf(key) });
  if (refusal !== undefined) throw refusal;
}

export function kvRoutes(parts: KvParts): JudgedRoute[] {
  const at = { path: "/v1/kv/*", bodyBytesMax: BODY_BYTES_MAX } as const;
  return [
    {
      ...at,
      method: "GET",
      asks: "fetch",
      of: "each",
      handle: (exchange, caller) => answering(parts, exchange, () => read(parts, exchange, caller)),
    },
    {
      ...at,
      method: "PUT",
      asks: "store",
      of: (exchange) => valueKeyOf(keyOf(exchange)),
      handle: (exchange) => answering(parts, exchange, () => write(parts, exchange)),
    },
    {
      ...at,
      method: "DELETE",
      asks: "store",
      of: (exchange) => valueKeyOf(keyOf(exchange)),
      handle: (exchange, caller) => answering(parts, exchange, () => remove(parts, exchange, caller)),
    },
  ];
}

/** Runs a request when the copy of the keys is there, and answers with what it throws. */
export function answering(
  { store, datacenter }: Pick<KvParts, "store" | "datacenter">,
  exchange: HttpExchange,
  run: () => void | Promise<void>,
): void {
  const whole = async () => {
    checkOptions(exchange, datacenter);
    await store.ready();
    if (exchange.query["consistent"] !== undefined) await store.catchUp();
    await run();
  };
  whole().catch((error: unknown) => refuseWith(exchange, error));
}

function keyOf({ params }: HttpExchange): string {
  return params["*"] ?? "";
}

function read({ store, blocking, nowMs }: KvParts, exchange: HttpExchange, caller: Caller): void {
  const key = keyOf(exchange);
  const { query } = exchange;
  const isTree = query["recurse"] !== undefined || query["keys"] !== undefined;
  if (key === "" && !isTree) throw consulRefusal(400, "Missing key name");
  // A key that the caller may not see has the index of one that never was.
  const ofKey = mayFetch(caller, key) ? [KV_TOPIC.key(key)] : [];
  const topics = isTree ? [KV_TOPIC.below(key)] : ofKey;
  const answer = (index: bigint) => {
    const entries = isTree ? [...store.entries(key)] : [store.entry(key)].filter((entry) => entry !== undefined);
    const seen = entries.filter((entry) => mayFetch(caller, entry.key));
    if (seen.length === 0) return unknownKey(exchange, index);
    const [only] = seen;
    if (query["keys"] !== undefined)
      return rowsResponse(exchange, namesOf(seen, key, valuesOf(exchange, "separator")[0] ?? ""), index);
    if (query["raw"] !== undefined && only !== undefined) return rawResponse(only, index);
    return rowsResponse(exchange, seen.map(entryRow), index);
  };
  blocking.ask(exchange, { topics, shareKey: valuesShareKey(exchange, caller), answer }, nowMs());
}

/** The answer about a key that is not there: it has an index, which can be waited for. */
function unknownKey(exchange: HttpExchange, index: bigint): HttpResponse {
  const { "content-type": _type, ...headers } = rowsResponse(exchange, null, index).headers ?? {};
  return { status: 404, headers, body: "" };
}

function rawResponse({ value }: Entry, index: bigint) {
  // A value is no page of this server's, whatever it says.
  const safe = { "content-security-policy": "sandbox", "x-content-type-options": "nosniff" };
  return {
    status: 200,
    headers: { "content-type": "text/plain", "x-consul-index": String(index), ...safe },
    body: value,
  };
}

/** The keys; with a separator, up to the first one behind the prefix. */
function namesOf(entries: readonly Entry[], prefix: string, separator: string): string[] {
  const names = entries.map(({ key }) => {
    const at = separator === "" ? -1 : key.indexOf(separator, prefix.length);
    return at < 0 ? key : key.slice(0, at + separator.length);
  });
  return [...new Set(names)];
}

/** An entry as its row. */
export function entryRow(entry: Entry) {
  return {
    LockIndex: entry.lockIndex,
    Key: entry.key,
    // Locks of the clients for Go have a number beyond the whole ones of JavaScript.
    Flags: rawNumber(entry.flags),
    Value: entry.value.length === 0 ? null : toBase64(entry.value),
    ...(entry.session !== "" && { Session: entry.session }),
    CreateIndex: Number(entry.createIndex),
    ModifyIndex: Number(entry.modifyIndex),
  };
}

async function write({ store }: KvParts, exchange: HttpExchange): Promise<void> {
  const key = keyOf(exchange);
  if (key === "") throw consulRefusal(400, "Missing key name");
  const value = exchange.body instanceof Uint8Array ? exchange.body : new Uint8Array(0);
  if (value.length > VALUE_BYTES_MAX)
    throw consulRefusal(
      413,
      `Request body(${value.length} bytes) too large, max size: ${VALUE_BYTES_MAX} bytes. See https://developer.hashicorp.com/docs/agent/config/config-files#kv_max_value_size.`,
    );
  const given: Given = { key, value, flags: wholeOf(exchange, "flags") ?? "0" };
  const [acquire = "", release = ""] = [valuesOf(exchange, "acquire")[0], valuesOf(exchange, "release")[0]];
  const cas = wholeOf(exchange, "cas");
  if ([acquire !== "", release !== "", cas !== undefined].filter(Boolean).length > 1)
    throw consulRefusal(400, "Conflicting flags: cas, acquire and release");
  const made = (draft: Draft): NotMade => {
    if (acquire !== "") return lock(draft, given, { session: acquire, isDelayed: store.isDelayed(key) });
    if (release !== "") return unlock(draft, given, release);
    return cas === undefined ? set(draft, given) : compareAndSet(draft, given, BigInt(cas));
  };
  await changed(store, exchange, made);
}

async function remove({ store }: KvParts, exchange: HttpExchange, caller: Caller): Promise<void> {
  const key = keyOf(exchange);
  const cas = wholeOf(exchange, "cas");
  if (exchange.query["recurse"] !== undefined) {
    if (cas !== undefined) throw consulRefusal(400, "Conflicting flags: recurse and cas");
    for (const entry of store.entries(key)) checkMayStore(caller, entry.key);
    await store.deleteTree(key);
    return exchange.respond(flagResponse(exchange, true));
  }
  if (key === "") throw consulRefusal(400, "Missing key name");
  await changed(store, exchange, (draft) => {
    if (cas !== undefined) return compareAndDelete(draft, key, BigInt(cas));
    draft.delete(key);
    return undefined;
  });
}

async function changed(store: KvStore, exchange: HttpExchange, made: (draft: Draft) => NotMade): Promise<void> {
  let reason: NotMade;
  const { isMade } = await store.change((draft) => {
    reason = made(draft);
    return reason === undefined ? "yes" : "no";
  });
  if (reason?.startsWith("invalid session")) throw consulRefusal(500, reason);
  exchange.respond(flagResponse(exchange, isMade));
}

/** A whole number of 64 bits in the query. Throws a ConsulError. */
export function wholeOf(exchange: HttpExchange, name: string): string | undefined {
  const [text] = valuesOf(exchange, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,20}$/.test(text))
    throw consulRefusal(400, `Invalid ${name}: ${JSON.stringify(text.slice(0, 100))} is no whole number`);
  return text;
}
