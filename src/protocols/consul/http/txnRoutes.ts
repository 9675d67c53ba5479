// PUT /v1/txn: changes of keys and sessions, made together or not at all.

import type { HttpExchange } from "../../../base/http.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { fromBase64 } from "../base64.ts";
import { consulRefusal } from "../errors.ts";
import { Fields, parseBody } from "../fields.ts";
import type { Draft } from "../kv/draft.ts";
import type { Entry } from "../kv/entries.ts";
import type { KvStore } from "../kv/store.ts";
import { compareAndDelete, compareAndSet, endSession, lock, type NotMade, set, unlock } from "../kv/verbs.ts";
import { answering, checkMayStore, entryRow, type KvParts, mayFetch, VALUE_BYTES_MAX, valueKeyOf } from "./kvRoutes.ts";
import { rowsResponse } from "./parts.ts";

const OPERATIONS_MAX = 128;
const BODY_BYTES_MAX = 2 * VALUE_BYTES_MAX;

interface Operation {
  readonly verb: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly flags: string;
  readonly index: bigint;
  readonly session: string;
  /** Ends this session instead. */
  readonly endsSession?: string;
}

/** The entries that an operation shows, with their values or without. */
interface Shown {
  readonly keys: readonly string[];
  readonly hasValues: boolean;
}

type Outcome = Shown | { readonly what: string };

export function txnRoutes(parts: KvParts): JudgedRoute[] {
  return [
    {
      ...{ method: "PUT", path: "/v1/txn", asks: "fetch", of: "each", bodyBytesMax: BODY_BYTES_MAX },
      handle: (exchange, caller) => answering(parts, exchange, () => run(parts, exchange, caller)),
    },
  ];
}

async function run({ store }: KvParts, exchange: HttpExchange, caller: Caller): Promise<void> {
  const operations = operationsIn(exchange);
  for (const operation of operations) checkMay(operation, caller, store);
  const errors: { OpIndex: number; What: string }[] = [];
  const shown: { readonly entries: readonly Entry[]; readonly hasValues: boolean; readonly isWritten: boolean }[] = [];
  const { isMade, revision } = await store.change((draft) => {
    errors.length = 0;
    shown.length = 0;
    for (const [at, operation] of operations.entries()) {
      const outcome = outcomeOf(draft, operation, { store, caller });
      if ("what" in outcome) errors.push({ OpIndex: at, What: outcome.what });
      else {
        const entries = outcome.keys.flatMap((key) => draft.entry(key) ?? []);
        shown.push({ entries, hasValues: outcome.hasValues, isWritten: !outcome.hasValues });
      }
    }
    return errors.length === 0 ? "yes" : "no";
  });
  if (!isMade) return exchange.respond({ ...rowsResponse(exchange, { Results: null, Errors: errors }), status: 409 });
  const rows = shown.flatMap(({ entries, hasValues }) =>
    entries.map((entry) => {
      const written = entry.modifyIndex === 0n || store.entry(entry.key)?.modifyIndex === revision;
      const indexes = {
        createIndex: entry.createIndex === 0n ? revision : entry.createIndex,
        modifyIndex: written ? revision : entry.modifyIndex,
      };
      const row = entryRow({ ...entry, ...indexes });
      return { KV: hasValues ? row : { ...row, Value: null } };
    }),
  );
  exchange.respond(rowsResponse(exchange, { Results: rows.length === 0 ? null : rows, Errors: null }));
}

/** Throws a ConsulError. */
function operationsIn({ body }: HttpExchange): Operation[] {
  const list = parseBody(body);
  if (!Array.isArray(list)) throw consulRefusal(400, "Failed to parse body: a transaction is a list of operations");
  if (list.length > OPERATIONS_MAX)
    throw consulRefusal(413, `Transaction contains too many operations (${list.length} > ${OPERATIONS_MAX})`);
  return list.map((item, at) => {
    const fields = new Fields(item, `[${at}]`);
    const session = fields.inner("Session");
    const kv = fields.inner("KV");
    if (session !== undefined) return sessionOperation(session, at);
    if (kv === undefined) throw consulRefusal(400, `Operation ${at}: transactions take KV and Session operations here`);
    return kvOperation(kv, at);
  });
}

function kvOperation(kv: Fields, at: number): Operation {
  const value = fromBase64(kv.text("Value"));
  if (value === undefined) throw consulRefusal(400, `Operation ${at}: the value is no base64`);
  if (value.length > VALUE_BYTES_MAX)
    throw consulRefusal(
      413,
      `Value for key ${JSON.stringify(kv.text("Key"))} is too large (${value.length} > ${VALUE_BYTES_MAX} bytes)`,
    );
  const whole = (name: string) => Math.max(0, Math.trunc(kv.number(name) ?? 0));
  const common = { verb: kv.text("Verb"), key: kv.text("Key"), value, session: kv.text("Session") };
  return { ...common, flags: String(whole("Flags")), index: BigInt(whole("Index")) };
}

function sessionOperation(fields: Fields, at: number): Operation {
  const id = fields.inner("Session")?.text("ID") ?? "";
  if (fields.text("Verb") !== "delete" || id === "")
    throw consulRefusal(400, `Operation ${at}: of sessions only delete is served`);
  return { verb: "delete", key: "", value: new Uint8Array(0), flags: "0", index: 0n, session: "", endsSession: id };
}

const READS: ReadonlySet<string> = new Set([
  "get",
  "get-tree",
  "get-or-empty",
  "check-index",
  "check-session",
  "check-not-exists",
]);

function checkMay({ verb, key, endsSession }: Operation, caller: Caller, store: KvStore): void {
  const action = READS.has(verb) && endsSession === undefined ? "fetch" : "store";
  const refusal = caller.refusal({ action, about: valueKeyOf(key) });
  if (refusal !== undefined) throw refusal;
  if (endsSession !== undefined) for (const locked of store.lockedBy(endsSession)) checkMayStore(caller, locked);
}

/** May throw a refusal: below a key that the caller may change there may be others. */
function outcomeOf(
  draft: Draft,
  operation: Operation,
  { store, caller }: { readonly store: KvStore; readonly caller: Caller },
): Outcome {
  const { verb, key, endsSession } = operation;
  if (endsSession !== undefined) {
    endSession(draft, endsSession, { keys: [], keysMax: 0 });
    return NOTHING;
  }
  const entry = draft.entry(key);
  switch (verb) {
    case "get":
      return entry === undefined ? { what: `key "${key}" doesn't exist` } : { keys: [key], hasValues: true };
    case "get-or-empty":
      return { keys: [key], hasValues: true };
    case "get-tree":
      return { keys: keysBelow(draft, key).filter((own) => mayFetch(caller, own)), hasValues: true };
    case "check-index":
      return entry?.modifyIndex === operation.index
        ? shows(key)
        : { what: `current modify index ${entry?.modifyIndex ?? 0n} does not match ${operation.index}` };
    case "check-session":
      return entry !== undefined && entry.session === operation.session
        ? shows(key)
        : {
            what: `failed session check for key "${key}", current session "${entry?.session ?? ""}" != "${operation.session}"`,
          };
    case "check-not-exists":
      return entry === undefined ? NOTHING : { what: `key "${key}" exists` };
    case "delete":
      draft.delete(key);
      return NOTHING;
    case "delete-tree":
      for (const own of keysBelow(draft, key)) {
        checkMayStore(caller, own);
        draft.delete(own);
      }
      return NOTHING;
    case "delete-cas":
      return made(compareAndDelete(draft, key, operation.index), NOTHING);
    case "set":
      return made(set(draft, operation), shows(key));
    case "cas":
      return made(compareAndSet(draft, operation, operation.index), shows(key));
    case "lock":
      return made(lock(draft, operation, { session: operation.session, isDelayed: store.isDelayed(key) }), shows(key));
    case "unlock":
      return made(unlock(draft, operation, operation.session), shows(key));
    default:
      return { what: `unknown KV verb "${verb.slice(0, 100)}"` };
  }
}

function keysBelow(draft: Draft, prefix: string): string[] {
  return draft.entries(prefix).map(({ key }) => key);
}

const NOTHING: Shown = { keys: [], hasValues: false };

function shows(key: string): Shown {
  return { keys: [key], hasValues: false };
}

function made(reason: NotMade, shown: Shown): Outcome {
  return reason === undefined ? shown : { what: reason };
}
