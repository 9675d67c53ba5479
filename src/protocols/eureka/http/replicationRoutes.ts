// The path at which servers of Eureka tell each other what their clients have said, many words at once. A server that
// has Roster among its peers tells it everything, so clients can move from one to the other one by one.

import { RegistryError } from "../../../base/errors.ts";
import type { HttpExchange } from "../../../base/http.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { refusing } from "../../kit/judgedRoutes.ts";
import { type Fields, type FieldValue, fieldsOf, textField, wholeField } from "../codec/fields.ts";
import { isStatus, type Named, type Status } from "../codec/instance.ts";
import { readInstance } from "../codec/readInstance.ts";
import { instanceJson } from "../codec/writeJson.ts";
import { decodeJsonBody } from "../decode.ts";
import { eurekaRefusal, statusOf } from "../errors.ts";
import { eurekaError } from "../errorTable.ts";
import { serviceKeyOf } from "../map.ts";
import type { By, Registrations, Result } from "../registrations.ts";
import { routesAt } from "./paths.ts";
import type { Reading } from "./readRoutes.ts";

export interface ReplicationParts {
  readonly registrations: Registrations;
  readonly lists: Reading;
  readonly nowMs: () => number;
}

// Eureka's servers send 250 at once.
const ITEMS_MAX = 1_000;
const BODY_BYTES_MAX = 8 * 1024 * 1024;

/** One word of a client, as another server passes it on. */
interface Item extends Named {
  readonly action: string;
  readonly dirtyMs: number | undefined;
  readonly status: Status;
  readonly instance: FieldValue | undefined;
}

/** Peers send JSON only. Each word asks to publish its application. */
export function replicationRoutes({ registrations, lists, nowMs }: ReplicationParts): JudgedRoute[] {
  const handle = (exchange: HttpExchange, caller: Caller): void => {
    const items = itemsIn(exchange.body);
    const then = (_: unknown, atMs: number) => {
      const by = { address: exchange.remoteAddress, isReplication: true, nowMs: atMs };
      refusing(exchange, () => carryOut(items, { registrations, caller, by, exchange }));
    };
    const notReady = eurekaRefusal("the lists of all services have not come yet", 503);
    lists.when("known", nowMs(), then, () => exchange.respond(notReady));
  };
  const path = "/peerreplication/batch";
  return routesAt({ method: "POST", path, bodyBytesMax: BODY_BYTES_MAX, asks: "publish", of: "each", handle });
}

interface Work {
  readonly registrations: Registrations;
  readonly caller: Caller;
  readonly by: By;
  readonly exchange: HttpExchange;
}

/** The words about one instance one after another, those about different ones side by side. */
function carryOut(items: readonly Item[], work: Work): void {
  const results: Result[] = [];
  let left = items.length;
  const respond = () => {
    const responseList = `[${results.map(resultJson).join(",")}]`;
    const headers = { "content-type": "application/json" };
    work.exchange.respond({ status: 200, headers, body: `{"responseList":${responseList}}` });
  };
  if (left === 0) return respond();
  const byInstance = Map.groupBy(items.entries(), ([, { app, instanceId }]) => `${app}\n${instanceId}`);
  for (const [...ofInstance] of byInstance.values()) {
    const next = () => {
      const entry = ofInstance.shift();
      if (entry === undefined) return;
      const [at, item] = entry;
      judged(item, work, (result) => {
        results[at] = result;
        if (--left === 0) respond();
        else next();
      });
    };
    next();
  }
}

/** Carries out a word, if its sender may do that. One that is refused is no reason to refuse the others. */
function judged(item: Item, work: Work, done: (result: Result) => void): void {
  const { caller } = work;
  try {
    const refusal = caller.refusal({ action: "publish", about: serviceKeyOf(item.app) });
    if (refusal === undefined) carryOutOne(item, work, done);
    else done({ status: caller.principal.kind === "anonymous" ? 401 : 403 });
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    done({ status: statusOf(error) });
  }
}

function carryOutOne(item: Item, { registrations, by }: Work, done: (result: Result) => void): void {
  const { action, dirtyMs, status } = item;
  switch (action) {
    case "Register": {
      const incoming = readInstance(item.instance ?? null, by.nowMs);
      if ("missing" in incoming) return done({ status: 400 });
      // Alone it is answered with 204.
      return registrations.register(item.app, incoming, by, (result) => {
        done(result.status === 204 ? { status: 200 } : result);
      });
    }
    case "Heartbeat":
      return registrations.renew(item, dirtyMs, by, done);
    case "Cancel":
      return registrations.cancel(item, by, done);
    case "StatusUpdate":
      return registrations.setStatus(item, { status, dirtyMs }, by, done);
    case "DeleteStatusOverride":
      return registrations.removeStatus(item, { status, dirtyMs }, by, done);
    default:
      return done({ status: 400 });
  }
}

function resultJson({ status, instance }: Result): string {
  if (instance === undefined) return `{"statusCode":${status}}`;
  return `{"statusCode":${status},"responseEntity":${instanceJson(instance)}}`;
}

/** Throws EUREKA_BODY_INVALID. */
function itemsIn(body: unknown): Item[] {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array(0);
  const list = decodeJsonBody(bytes, "replicationList");
  if (!Array.isArray(list) || list.length > ITEMS_MAX) {
    throw eurekaError("EUREKA_BODY_INVALID", { field: "replicationList", expected: `a list of ${ITEMS_MAX} at most` });
  }
  return list.map((item: FieldValue) => itemOf(fieldsOf(item, "replicationList")));
}

function itemOf(fields: Fields): Item {
  const status = textField(fields, "status") ?? "";
  return {
    app: textField(fields, "appName") ?? "",
    instanceId: textField(fields, "id") ?? "",
    action: textField(fields, "action") ?? "",
    dirtyMs: wholeField(fields, "lastDirtyTimestamp", Number.MAX_SAFE_INTEGER),
    status: isStatus(status) ? status : "UNKNOWN",
    instance: fields.get("instanceInfo"),
  };
}
