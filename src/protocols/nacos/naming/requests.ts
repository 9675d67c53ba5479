// The requests of naming by gRPC.

import type { RegistryError } from "../../../base/errors.ts";
import { fail } from "../../../base/errors.ts";
import { fieldsOf, flagField, listField, textField, wholeField } from "../../../encoding/json/fields.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { checkedKeyPart } from "../../../model/serviceKey.ts";
import { checkCaller, seenBy } from "../callers.ts";
import type { NacosEnvironment } from "../environment.ts";
import type { NacosClient, NacosRequest, RequestHandlers, Responder } from "../part.ts";
import type { FuzzyWatches } from "./fuzzyWatches.ts";
import { askList } from "./lists.ts";
import { scopeOfGroup, serviceKeyOf } from "./names.ts";
import type { PersistentInstances } from "./persistent.ts";
import type { PushBodies } from "./pushBodies.ts";
import { readInstance, readService } from "./readInstance.ts";
import { BATCH_MAX, type Registrations } from "./registrations.ts";
import type { ServiceNames } from "./serviceNames.ts";
import { checkedClusters, type Subscribed, type Subscriptions } from "./subscriptions.ts";

export interface NamingParts extends Pick<NacosEnvironment, "config" | "registry" | "later"> {
  readonly registrations: Registrations;
  readonly subscriptions: Subscriptions;
  readonly bodies: PushBodies;
  readonly serviceNames: ServiceNames;
  readonly persistent: PersistentInstances;
  readonly fuzzy: FuzzyWatches;
}

/** The handlers, by the type of the request. */
export function namingRequests(parts: NamingParts): RequestHandlers {
  const naming = new NamingRequests(parts);
  return {
    InstanceRequest: { answer: "InstanceResponse", asks: "publish", handle: (...asked) => naming.instance(...asked) },
    PersistentInstanceRequest: {
      ...{ answer: "InstanceResponse", asks: "publish" },
      handle: (...asked) => naming.persistentInstance(...asked),
    },
    BatchInstanceRequest: {
      ...{ answer: "BatchInstanceResponse", asks: "publish" },
      handle: (...asked) => naming.batch(...asked),
    },
    ServiceQueryRequest: {
      ...{ answer: "QueryServiceResponse", asks: "list" },
      handle: (...asked) => naming.query(...asked),
    },
    SubscribeServiceRequest: {
      ...{ answer: "SubscribeServiceResponse", asks: "subscribe" },
      handle: (...asked) => naming.subscribe(...asked),
    },
    NamingFuzzyWatchRequest: {
      ...{ answer: "NamingFuzzyWatchResponse", asks: "list" },
      handle: (...asked) => naming.watch(...asked),
    },
    ServiceListRequest: { answer: "ServiceListResponse", asks: "list", handle: (...asked) => naming.list(...asked) },
  };
}

// `FUZZY_WATCH_PATTERN_MATCH_COUNT_OVER_LIMIT`
const FUZZY_OVER_LIMIT = 50_311;
// Far above what is ever told.
const RECEIVED_MAX = 20_000;
const REGISTER = "registerInstance";
const DEREGISTER = "deregisterInstance";
const BATCH_REGISTER = "batchRegisterInstance";
// The real server's page of everything.
const PAGE = { min: 1, max: 1_000_000 } as const;

class NamingRequests {
  readonly #parts: NamingParts;

  constructor(parts: NamingParts) {
    this.#parts = parts;
  }

  instance({ fields, client, caller, headers }: NacosRequest, responder: Responder): void {
    const { registrations, config } = this.#parts;
    const serviceKey = readService(fields);
    const type = textField(fields, "type") ?? "";
    if (type !== REGISTER && type !== DEREGISTER) throw wrongType(type, `${REGISTER} or ${DEREGISTER}`);
    checkCaller(caller, { action: "publish", about: serviceKey });
    if (type === DEREGISTER) return registrations.deregister(client, serviceKey, answered(responder, { type }));
    const instance = readInstance(fieldsOf(fields.get("instance"), "instance"), true, config.registrationBytesMax);
    this.#checkEphemeral(serviceKey);
    const registered = { serviceKey, instances: [instance], appName: appNameOf(client, headers) };
    registrations.register(client, registered, answered(responder, { type }));
  }

  persistentInstance({ fields, client, caller }: NacosRequest, responder: Responder): void {
    const { persistent, config } = this.#parts;
    const serviceKey = readService(fields);
    const type = textField(fields, "type") ?? "";
    if (type !== REGISTER && type !== DEREGISTER) throw wrongType(type, `${REGISTER} or ${DEREGISTER}`);
    checkCaller(caller, { action: "publish", about: serviceKey });
    const instance = readInstance(fieldsOf(fields.get("instance"), "instance"), false, config.registrationBytesMax);
    const done = (outcome: "done" | "unknown" | RegistryError) => {
      if (typeof outcome === "string") responder.answer({ type });
      else responder.refuse(outcome);
    };
    if (type === REGISTER) persistent.put({ serviceKey, instance, from: client.address }, done);
    else persistent.remove({ serviceKey, ...instance }, client.address, done);
  }

  batch({ fields, client, caller, headers }: NacosRequest, responder: Responder): void {
    const { registrations, config } = this.#parts;
    const serviceKey = readService(fields);
    const type = textField(fields, "type") ?? "";
    if (type !== BATCH_REGISTER) throw wrongType(type, BATCH_REGISTER);
    checkCaller(caller, { action: "publish", about: serviceKey });
    const instances = listField(fields, "instances", BATCH_MAX).map((each) =>
      readInstance(fieldsOf(each, "instances"), true, config.registrationBytesMax),
    );
    if (instances.length > 0) this.#checkEphemeral(serviceKey);
    const registered = { serviceKey, instances, appName: appNameOf(client, headers) };
    registrations.register(client, registered, answered(responder, { type }));
  }

  query({ fields, caller, nowMs }: NacosRequest, responder: Responder): void {
    const { registry, bodies } = this.#parts;
    const serviceKey = readService(fields);
    checkCaller(caller, { action: "list", about: serviceKey });
    const clusters = checkedClusters(textField(fields, "cluster") ?? "");
    const isHealthyOnly = flagField(fields, "healthyOnly") ?? false;
    askList(registry, { serviceKey, nowMs }, (view, error) => {
      if (view === undefined) return responder.refuse(error ?? unavailable());
      const { json } = bodies.list(view, { clusters, isHealthyOnly, nameForm: "plain" });
      responder.answer({}, { name: "serviceInfo", json });
    });
  }

  subscribe({ fields, client, caller, nowMs }: NacosRequest, responder: Responder): void {
    const { registry, subscriptions, bodies, later } = this.#parts;
    const serviceKey = readService(fields);
    const clusters = checkedClusters(textField(fields, "clusters") ?? "");
    if (flagField(fields, "subscribe") !== true) {
      return this.#unsubscribe({ client, caller, subscribed: { serviceKey, clusters }, nowMs }, responder);
    }
    checkCaller(caller, { action: "subscribe", about: serviceKey });
    askList(registry, { serviceKey, nowMs }, (view, error) => {
      const json = view && bodies.serviceInfo(view, clusters).json;
      later(() => {
        if (client.isEnded) return;
        // Also one that could not be answered is told when there is a list.
        subscriptions.subscribe(client, { serviceKey, clusters }, (refusal) => {
          if (refusal !== undefined) responder.refuse(refusal);
          else if (json === undefined) responder.refuse(error ?? unavailable());
          else responder.answer({ message: "success" }, { name: "serviceInfo", json });
        });
      });
    });
  }

  /** As at the real server the answer has the list, but for callers who may not know it. */
  #unsubscribe({ client, caller, subscribed, nowMs }: Unsubscribing, responder: Responder): void {
    const { registry, subscriptions, bodies } = this.#parts;
    const { serviceKey, clusters } = subscribed;
    subscriptions.unsubscribe(client, subscribed);
    const fields = { message: "success" };
    if (!caller.mayDo({ action: "subscribe", about: serviceKey })) return responder.answer(fields);
    askList(registry, { serviceKey, nowMs }, (view, error) => {
      if (view === undefined) return responder.refuse(error ?? unavailable());
      responder.answer(fields, { name: "serviceInfo", json: bodies.serviceInfo(view, clusters).json });
    });
  }

  list({ fields, caller, nowMs }: NacosRequest, responder: Responder): void {
    const namespace = textField(fields, "namespace") ?? "";
    const group = textField(fields, "groupName") ?? "";
    const scope = scopeOfGroup({ namespace, group });
    const page = wholeField(fields, "pageNo", PAGE) ?? 1;
    const size = wholeField(fields, "pageSize", { min: 0, max: PAGE.max }) ?? 10;
    const sees = seenBy(caller, serviceKeyOf({ namespace, group, name: "any" }));
    this.#parts.serviceNames.ask({ scope, sees, nowMs }, (names, error) => {
      if (names === undefined) return responder.refuse(error ?? unavailable());
      responder.answer({ count: names.length, serviceNames: names.slice((page - 1) * size, page * size) });
    });
  }

  watch({ fields, client, caller }: NacosRequest, responder: Responder): void {
    const { fuzzy } = this.#parts;
    const pattern = textField(fields, "groupKeyPattern") ?? "";
    const type = textField(fields, "watchType") ?? "";
    if (type === "CANCEL_WATCH") {
      fuzzy.cancel(client, pattern);
      return responder.answer();
    }
    if (type !== "WATCH") throw wrongType(type, "WATCH or CANCEL_WATCH");
    const received = new Set(listField(fields, "receivedGroupKeys", RECEIVED_MAX).map(String));
    const isInitializing = flagField(fields, "initializing") ?? false;
    const sees = seenBy(caller, serviceKeyOf({ namespace: "", group: "", name: "any" }));
    fuzzy.watch(client, { pattern, received, isInitializing, sees }, (outcome) => {
      if (outcome === "all") responder.answer();
      else if (outcome === "over")
        responder.refuseWith(FUZZY_OVER_LIMIT, "fuzzy watch pattern matched count over limit");
      else responder.refuse(outcome);
    });
  }

  #checkEphemeral(serviceKey: ServiceKey): void {
    const refusal = this.#parts.persistent.ephemeralRefusal(serviceKey);
    if (refusal !== undefined) throw refusal;
  }
}

interface Unsubscribing extends Pick<NacosRequest, "client" | "caller" | "nowMs"> {
  readonly subscribed: Subscribed;
}

function unavailable(): RegistryError {
  return fail("LIST_UNAVAILABLE");
}

function wrongType(type: string, expected: string): RegistryError {
  return fail("FIELD_INVALID", { field: "type", value: type.slice(0, 100), expected });
}

function answered(responder: Responder, fields: { readonly type: string }) {
  return (error: RegistryError | undefined) => {
    if (error === undefined) responder.answer(fields);
    else responder.refuse(error);
  };
}

/** The application of a client, for people; one that can't be shown is left out. */
function appNameOf({ setup }: NacosClient, headers: ReadonlyMap<string, string>): string {
  const name = headers.get("app") ?? headers.get("Client-AppName") ?? setup.labels.get("AppName") ?? "";
  try {
    return name === "" || name === "unknown" ? "" : checkedKeyPart("appName", name);
  } catch {
    return "";
  }
}
