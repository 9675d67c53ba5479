// The paths of sessions, which hold locks on keys.

import type { HttpExchange } from "../../../base/http.ts";
import type { Secrets } from "../../../base/ports.ts";
import type { JudgedRoute } from "../../kit/judgedRoutes.ts";
import type { Catalogue } from "../catalogue.ts";
import { durationOf, durationText } from "../duration.ts";
import { consulRefusal } from "../errors.ts";
import { Fields, parseBody } from "../fields.ts";
import type { Session } from "../kv/entries.ts";
import { KV_TOPIC } from "../kv/store.ts";
import { newId } from "../newId.ts";
import { answering, type KvParts } from "./kvRoutes.ts";
import { flagResponse, type RouteParts, rowsResponse } from "./parts.ts";

export interface SessionParts extends KvParts, Pick<RouteParts, "agentNode"> {
  readonly secrets: Pick<Secrets, "random">;
  readonly catalogue: Catalogue;
}

const TTL_MS = { min: 10_000, max: 86_400_000 };
const LOCK_DELAY_MS = { default: 15_000, max: 60_000 };
const SERF_HEALTH = "serfHealth";
const SESSIONS_MAX = 50_000;

export function sessionRoutes(parts: SessionParts): JudgedRoute[] {
  const { store, blocking, nowMs } = parts;
  const changing = (path: string, run: (exchange: HttpExchange) => Promise<void>): JudgedRoute => ({
    ...{ method: "PUT", path: `/v1/session/${path}`, asks: "store", of: "each" },
    handle: (exchange) => answering(parts, exchange, () => run(exchange)),
  });
  const reading = (
    path: string,
    found: (exchange: HttpExchange) => { topic: string; rows: () => unknown },
  ): JudgedRoute => ({
    ...{ method: "GET", path: `/v1/session/${path}`, asks: "fetch", of: "each" },
    handle: (exchange) =>
      answering(parts, exchange, () => {
        const { topic, rows } = found(exchange);
        const answer = (index: bigint) => rowsResponse(exchange, rows(), index);
        blocking.ask(
          exchange,
          { topics: [topic], shareKey: `${exchange.path}?${exchange.query["pretty"] ?? "-"}`, answer },
          nowMs(),
        );
      }),
  });
  const idOf = ({ params }: HttpExchange) => params["id"] ?? "";
  return [
    changing("create", async (exchange) => {
      const session = newSession(parts, exchange);
      await store.change((draft) => {
        draft.putSession(session);
        return "yes";
      });
      exchange.respond(rowsResponse(exchange, { ID: session.id }));
    }),
    changing("destroy/:id", async (exchange) => {
      await store.end(idOf(exchange));
      exchange.respond(flagResponse(exchange, true));
    }),
    changing("renew/:id", async (exchange) => {
      const session = await store.renew(idOf(exchange));
      if (session === undefined) throw consulRefusal(404, `Session id '${idOf(exchange)}' not found`);
      exchange.respond(rowsResponse(exchange, [sessionRow(session)]));
    }),
    reading("info/:id", (exchange) => ({
      topic: KV_TOPIC.session(idOf(exchange)),
      rows: () =>
        [store.session(idOf(exchange))].flatMap((session) => (session === undefined ? [] : [sessionRow(session)])),
    })),
    reading("node/:id", (exchange) => ({
      topic: KV_TOPIC.sessions,
      rows: () => [...store.sessions()].filter(({ node }) => node === idOf(exchange)).map(sessionRow),
    })),
    reading("list", () => ({ topic: KV_TOPIC.sessions, rows: () => [...store.sessions()].map(sessionRow) })),
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

/** Throws a ConsulError. */
function newSession({ store, agentNode, secrets, catalogue }: SessionParts, { body }: HttpExchange): Session {
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
  for (const id of [...nodeChecks, ...serviceChecks.map(({ ID }) => ID)]) checkState(id, node, catalogue);
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

/** The ids of the checks of services, as a record has them. */
function serviceCheckIds({ serviceChecks }: Session): string[] {
  if (!Array.isArray(serviceChecks)) return [];
  return serviceChecks.flatMap((check: Partial<ServiceCheck> | null) => check?.ID ?? []);
}

/** A session begins with checks that are not critical. Throws a ConsulError. */
function checkState(id: string, node: string, catalogue: Catalogue): void {
  if (id === SERF_HEALTH) return;
  const state = stateOf(catalogue, node, id);
  if (state === undefined) throw consulRefusal(500, `Missing check '${id}' registration`);
  if (state === "critical") throw consulRefusal(500, `Check '${id}' is in ${state} state`);
}

/** Whether none of the checks that a session names is critical, or gone. */
export function isSessionAlive(session: Session, catalogue: Catalogue): boolean {
  if (!catalogue.own.isKnown) return true;
  const { node, nodeChecks } = session;
  const ids = [...nodeChecks, ...serviceCheckIds(session)];
  return ids.every((id) => id === SERF_HEALTH || (stateOf(catalogue, node, id) ?? "critical") !== "critical");
}

function stateOf({ own }: Catalogue, node: string, id: string): string | undefined {
  const states = [
    ...(own.node(node)?.kept.checks ?? []),
    ...[...own.servicesOf(node).values()].flatMap(({ kept }) => kept.checks),
  ];
  return states.find(({ check }) => check.id === id)?.status;
}
