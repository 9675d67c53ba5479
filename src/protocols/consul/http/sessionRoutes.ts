// The paths of sessions, which hold locks on keys.

import type { HttpExchange } from "../../../base/http.ts";
import type { Secrets } from "../../../base/ports.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { type Catalogue, SERF_HEALTH } from "../catalogue.ts";
import { durationOf, durationText } from "../duration.ts";
import { consulRefusal } from "../errors.ts";
import { Fields, parseBody } from "../fields.ts";
import type { Session } from "../kv/entries.ts";
import { KV_TOPIC } from "../kv/store.ts";
import { newId } from "../newId.ts";
import { nodeKeyOf, serviceKeyOf } from "../own.ts";
import { answering, checkMayStore, type KvParts, mayFetch, valueKeyOf } from "./kvRoutes.ts";
import { flagResponse, type RouteParts, rowsResponse } from "./parts.ts";

export interface SessionParts extends KvParts, Pick<RouteParts, "agentNode"> {
  readonly secrets: Pick<Secrets, "random">;
  readonly catalogue: Catalogue;
}

const TTL_MS = { min: 10_000, max: 86_400_000 };
const LOCK_DELAY_MS = { default: 15_000, max: 60_000 };
const SESSIONS_MAX = 50_000;

export function sessionRoutes(parts: SessionParts): JudgedRoute[] {
  const { store, blocking, nowMs } = parts;
  const changing = (path: string, run: (exchange: HttpExchange, caller: Caller) => Promise<void>): JudgedRoute => ({
    ...{ method: "PUT", path: `/v1/session/${path}`, asks: "store", of: "each" },
    handle: (exchange, caller) => answering(parts, exchange, () => run(exchange, caller)),
  });
  const reading = (
    path: string,
    found: (exchange: HttpExchange) => { topic: string; sessions: () => Iterable<Session> },
  ): JudgedRoute => ({
    ...{ method: "GET", path: `/v1/session/${path}`, asks: "fetch", of: "each" },
    handle: (exchange, caller) =>
      answering(parts, exchange, () => {
        const { topic, sessions } = found(exchange);
        const rows = () => [...sessions()].filter(seenBy(caller, parts)).map(sessionRow);
        const answer = (index: bigint) => rowsResponse(exchange, rows(), index);
        const rights = seesAll(caller) ? "" : JSON.stringify(caller.principal);
        const shareKey = JSON.stringify([exchange.path, exchange.query["pretty"] ?? "-", rights]);
        blocking.ask(exchange, { topics: [topic], shareKey, answer }, nowMs());
      }),
  });
  const idOf = ({ params }: HttpExchange) => params["id"] ?? "";
  return [
    changing("create", async (exchange, caller) => {
      const session = newSession(parts, exchange, caller);
      await store.change((draft) => {
        draft.putSession(session);
        return "yes";
      });
      exchange.respond(rowsResponse(exchange, { ID: session.id }));
    }),
    changing("destroy/:id", async (exchange, caller) => {
      // Their locks are released, and perhaps their values deleted.
      for (const key of store.lockedBy(idOf(exchange))) checkMayStore(caller, key);
      await store.end(idOf(exchange));
      exchange.respond(flagResponse(exchange, true));
    }),
    changing("renew/:id", async (exchange, caller) => {
      const known = store.session(idOf(exchange));
      const session = known && seenBy(caller, parts)(known) ? await store.renew(known.id) : undefined;
      if (session === undefined) throw consulRefusal(404, `Session id '${idOf(exchange)}' not found`);
      exchange.respond(rowsResponse(exchange, [sessionRow(session)]));
    }),
    reading("info/:id", (exchange) => ({
      topic: KV_TOPIC.session(idOf(exchange)),
      sessions: () => [store.session(idOf(exchange))].filter((session) => session !== undefined),
    })),
    reading("node/:id", (exchange) => ({
      topic: KV_TOPIC.sessions,
      sessions: () => [...store.sessions()].filter(({ node }) => node === idOf(exchange)),
    })),
    reading("list", () => ({ topic: KV_TOPIC.sessions, sessions: () => store.sessions() })),
  ];
}

function sessionRow(session: Session) {
  return {
    ID: session.id,
    Name: session.name,
    Node: session.node,
    LockDelay: Math.round(session.lockDelayMs * 1e6),
    Behavior: session.behavior,
    TTL: session.ttl,
    NodeChecks: session.nodeChecks,
    ServiceChecks: session.serviceChecks,
    CreateIndex: Number(session.createIndex),
    ModifyIndex: Number(session.modifyIndex),
  };
}

function seesAll(caller: Caller): boolean {
  return caller.reach("fetch") === "all" && caller.reach("list") === "all";
}

/** A session is hidden by a policy that hides all keys that it has locked, or one of its checks. */
function seenBy(caller: Caller, { store, catalogue }: SessionParts): (session: Session) => boolean {
  if (seesAll(caller)) return () => true;
  const isKnown = (key: string) => mayFetch(caller, key) || caller.mayDo({ action: "store", about: valueKeyOf(key) });
  const [all, known] = [statusesIn(catalogue), statusesIn(catalogue, knowledgeOf(caller))];
  return (session) => {
    const keys = [...store.lockedBy(session.id)];
    if (keys.length > 0 && !keys.some(isKnown)) return false;
    const places = checkIdsOf(session).map((id) => ({ node: session.node, id }));
    return places.every((at) => all(at) === undefined || known(at) !== undefined);
  };
}

type Knows = (about: ServiceKey) => boolean;

/** The services and nodes that a caller may know: those that it may list, and its own. */
function knowledgeOf(caller: Caller): Knows {
  return (about) => caller.mayDo({ action: "list", about }) || caller.mayDo({ action: "publish", about });
}

/** Throws a ConsulError. */
function newSession(
  { store, agentNode, secrets, catalogue }: SessionParts,
  { body }: HttpExchange,
  caller: Caller,
): Session {
  const isEmpty = !(body instanceof Uint8Array) || body.length === 0;
  const fields = new Fields(isEmpty ? {} : parseBody(body));
  const ttlMs = fields.text("TTL") === "" ? 0 : durationOf(fields.text("TTL"));
  if (ttlMs === undefined)
    throw consulRefusal(500, `Session TTL '${fields.text("TTL")}' invalid: time: invalid duration`);
  if (ttlMs !== 0 && (ttlMs < TTL_MS.min || ttlMs > TTL_MS.max))
    throw consulRefusal(500, `Invalid Session TTL '${fields.text("TTL")}', must be between [10s=24h0m0s]`);
  const behavior = fields.text("Behavior") === "" ? "release" : fields.text("Behavior");
  if (behavior !== "release" && behavior !== "delete")
    throw consulRefusal(500, `Invalid Behavior setting '${behavior.slice(0, 100)}'`);
  const delay = fields.has("LockDelay") ? lockDelayOf(fields.value("LockDelay")) : LOCK_DELAY_MS.default;
  if (delay === undefined) throw consulRefusal(400, "Request decode failed: LockDelay must be a duration");
  let sessions = 0;
  for (const _session of store.sessions())
    if (++sessions >= SESSIONS_MAX)
      throw consulRefusal(500, `There are ${SESSIONS_MAX} sessions already: destroy some`);
  const nodeChecks = nodeChecksOf(fields);
  const node = fields.text("Node") === "" ? agentNode().name : fields.text("Node");
  const serviceChecks = serviceChecksOf(fields);
  const knows = knowledgeOf(caller);
  if (node !== agentNode().name && !isNodeKnown(catalogue, node, knows))
    throw consulRefusal(500, "Missing node registration");
  const statuses = statusesIn(catalogue, knows);
  for (const id of [...nodeChecks, ...serviceChecks.map(({ ID }) => ID)]) checkStatus({ node, id }, statuses);
  return {
    id: newId(secrets),
    name: fields.text("Name"),
    ...{ node, behavior, ttlMs, nodeChecks },
    lockDelayMs: Math.min(delay, LOCK_DELAY_MS.max),
    ttl: ttlMs === 0 ? "" : durationText(ttlMs),
    serviceChecks: serviceChecks.length === 0 ? null : serviceChecks,
    ...{ createIndex: 0n, modifyIndex: 0n },
  };
}

/** A small number counts seconds, as Consul reads it. */
function lockDelayOf(value: unknown): number | undefined {
  if (typeof value === "number" && value >= 0 && value < 1_000) return value * 1_000;
  return durationOf(value);
}

function nodeChecksOf(fields: Fields): readonly string[] {
  if (fields.has("NodeChecks")) return fields.texts("NodeChecks");
  return fields.has("Checks") ? fields.texts("Checks") : [SERF_HEALTH];
}

interface ServiceCheck {
  readonly ID: string;
  readonly Namespace: string;
}

function serviceChecksOf(fields: Fields): ServiceCheck[] {
  return fields.list("ServiceChecks").map((value) => {
    const check = new Fields(value, "ServiceChecks");
    return { ID: check.text("ID"), Namespace: check.text("Namespace") };
  });
}

/** The ids of the checks that a session names, apart from that of the agent itself. */
function checkIdsOf({ nodeChecks, serviceChecks }: Session): string[] {
  const ofServices = Array.isArray(serviceChecks)
    ? serviceChecks.flatMap((check: Partial<ServiceCheck> | null) => check?.ID ?? [])
    : [];
  return [...nodeChecks, ...ofServices].filter((id) => id !== SERF_HEALTH);
}

interface CheckPlace {
  readonly node: string;
  readonly id: string;
}

/** The status of a check; undefined if there is none, or none that may be known. */
type Statuses = (place: CheckPlace) => string | undefined;

/** Whether a node is in the catalogue, as far as the caller may know it: with its own registration or by a service. */
function isNodeKnown(catalogue: Catalogue, name: string, knows: Knows): boolean {
  if (catalogue.own.node(name) !== undefined && knows(nodeKeyOf(name).serviceKey)) return true;
  const registered = [...catalogue.own.servicesOf(name).values()].map(({ kept }) => kept.registration.serviceKey);
  const listed = catalogue.node(name)?.services.map(({ definition }) => serviceKeyOf(definition.name)) ?? [];
  return [...registered, ...listed].some(knows);
}

/** A session begins with checks that are not critical. Throws a ConsulError. */
function checkStatus(place: CheckPlace, statuses: Statuses): void {
  const { id } = place;
  if (id === SERF_HEALTH) return;
  const status = statuses(place);
  if (status === undefined) throw consulRefusal(500, `Missing check '${id}' registration`);
  if (status === "critical") throw consulRefusal(500, `Check '${id}' is in ${status} state`);
}

/** Whether none of the checks that a session names is critical, or gone: for all sessions of this moment. */
export function sessionsAliveIn(catalogue: Catalogue): (session: Session) => boolean {
  const statuses = statusesIn(catalogue);
  const isAlive = (place: CheckPlace) => (statuses(place) ?? "critical") !== "critical";
  return (session) => !catalogue.own.isKnown || checkIdsOf(session).every((id) => isAlive({ node: session.node, id }));
}

/** The statuses of this moment. Those of a node are gathered once, however many sessions name them. */
function statusesIn({ own }: Catalogue, knows: Knows = () => true): Statuses {
  const byNode = new Map<string, ReadonlyMap<string, string>>();
  return ({ node, id }) => {
    const known = byNode.get(node) ?? gathered(node);
    byNode.set(node, known);
    return known.get(id);
  };

  function gathered(node: string): ReadonlyMap<string, string> {
    const statuses = new Map<string, string>();
    const ofNode = own.node(node);
    for (const { kept } of [...(ofNode === undefined ? [] : [ofNode]), ...own.servicesOf(node).values()]) {
      if (!knows(kept.registration.serviceKey)) continue;
      for (const { check, status } of kept.checks) if (!statuses.has(check.id)) statuses.set(check.id, status);
    }
    return statuses;
  }
}
