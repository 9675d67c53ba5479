// The paths of instances, in all three versions.

import { fail, type RegistryError } from "../../../base/errors.ts";
import { instancesOf } from "../../../model/content.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { unpackInstance } from "../../../model/instance.ts";
import type { Publication } from "../../../model/publication.ts";
import type { NacosEnvironment } from "../environment.ts";
import {
  fromInstance,
  instanceJson,
  LIMITS,
  NACOS,
  type NacosInstance,
  preservedMs,
  registIdOf,
} from "../naming/instance.ts";
import { hostOf } from "../naming/leaseIds.ts";
import type { InstanceAddress, Leases } from "../naming/leases.ts";
import { askList } from "../naming/lists.ts";
import { groupedName, serviceNameOf } from "../naming/names.ts";
import type { InstanceChange, NamingRecords } from "../naming/namingRecords.ts";
import type { PersistentInstances } from "../naming/persistent.ts";
import type { PushBodies } from "../naming/pushBodies.ts";
import { instancesIn } from "../naming/serviceInfo.ts";
import { checkedClusters } from "../naming/subscriptions.ts";
import type { UdpSubscribers } from "../naming/udpSubscribers.ts";
import { HTTP_CODE, type NacosCall, type NacosPath } from "./forms.ts";
import { readAddress, readBeat, readInstance, readMetadata, readService } from "./readInstance.ts";

export interface HttpParts extends Pick<NacosEnvironment, "config" | "registry"> {
  readonly leases: Leases;
  readonly persistent: PersistentInstances;
  readonly bodies: PushBodies;
  readonly records: NamingRecords;
  /** Undefined where lists are not pushed by UDP. */
  readonly udp: Pick<UdpSubscribers, "asked"> | undefined;
  readonly nowMs: () => number;
}

const BEAT_OK = 10_200;
/** The client has to register again. */
const BEAT_UNKNOWN = 20_404;

/** The paths. */
export function instancePaths(parts: HttpParts): NacosPath[] {
  const paths = new InstancePaths(parts);
  const publish = { asks: "publish", of: readService } as const;
  const list = { asks: "list", of: readService } as const;
  const changing = (method: NacosPath["method"], path: string, handle: NacosPath["handle"]) => ({
    ...publish,
    method,
    path,
    handle,
  });
  const showing = (path: string, handle: NacosPath["handle"]) => ({ ...list, method: "GET", path, handle }) as const;
  return [
    ...["/v1/ns/instance", "/v2/ns/instance", "/v3/admin/ns/instance"].flatMap((path) => [
      changing("POST", path, (call) => paths.register(call)),
      changing("DELETE", path, (call) => paths.deregister(call)),
      changing("PUT", path, (call) => paths.update(call)),
      showing(path, (call) => paths.show(call)),
    ]),
    changing("POST", "/v3/client/ns/instance", (call) => paths.registerOrBeat(call)),
    changing("DELETE", "/v3/client/ns/instance", (call) => paths.deregister(call)),
    ...["/v1/ns/instance/list", "/v2/ns/instance/list"].map((path) => showing(path, (call) => paths.list(call))),
    ...["/v3/client/ns/instance/list", "/v3/admin/ns/instance/list"].map((path) =>
      showing(path, (call) => paths.hosts(call)),
    ),
    ...["/v1/ns/instance/beat", "/v2/ns/instance/beat"].map((path) =>
      changing("PUT", path, (call) => paths.beat(call)),
    ),
    ...HEALTH_PATHS.map((path) => changing("PUT", path, (call) => paths.setHealth(call))),
  ];
}

const HEALTH_PATHS = [
  ...["/v1/ns/health/instance", "/v2/ns/health/instance", "/v1/ns/health", "/v2/ns/health"],
  "/v3/admin/ns/health/instance",
];

class InstancePaths {
  readonly #parts: HttpParts;

  constructor(parts: HttpParts) {
    this.#parts = parts;
  }

  register(call: NacosCall): void {
    const serviceKey = readService(call.params);
    this.#put(call, serviceKey, readInstance(call.params, this.#parts.config.registrationBytesMax));
  }

  /** v3 has one path for both. */
  registerOrBeat(call: NacosCall): void {
    if (call.params.flag("heartBeat") !== true) return this.register(call);
    const serviceKey = readService(call.params);
    // Read before the question: an error that is thrown in its answer refuses no request.
    const instance = readInstance(call.params, this.#parts.config.registrationBytesMax);
    this.#parts.leases.renew({ serviceKey, ...readAddress(call.params) }, call.from, (outcome) => {
      if (outcome === "unknown") return this.#put(call, serviceKey, instance);
      settle(call, outcome);
    });
  }

  deregister(call: NacosCall): void {
    const serviceKey = readService(call.params);
    const address = { serviceKey, ...readAddress(call.params) };
    const { leases, persistent } = this.#parts;
    const from = call.from;
    // One that is not there is gone: clients say so again and again.
    const done = (outcome: "done" | "unknown" | RegistryError) =>
      settle(call, outcome === "unknown" ? "done" : outcome);
    const isEphemeral = call.params.flag("ephemeral") ?? persistent.find(address) === undefined;
    if (isEphemeral) leases.end(address, from, done);
    else persistent.remove(address, from, done);
  }

  /** Changes what the request names, and leaves the rest as it is, now and when the client registers again. */
  update(call: NacosCall): void {
    const { params } = call;
    const weight = params.number("weight", LIMITS.weight);
    const isEnabled = params.flag("enabled", "enable");
    const change: InstanceChange = {
      ...(params.has("metadata") && { metadata: readMetadata(params.text("metadata")) }),
      ...(weight !== undefined && { weight }),
      ...(isEnabled !== undefined && { isEnabled }),
    };
    const address = { serviceKey: readService(params), ...readAddress(params) };
    this.#find(call, address, (found) => {
      if (found === undefined) return call.refuseWith(notFound(address));
      if (!found.isOwn) return call.refuse(notOwn(address));
      this.#parts.leases.later(() => this.#change(call, address, { ...found, change }));
    });
  }

  #change(call: NacosCall, address: InstanceAddress, { instance, leased, change }: Changed): void {
    const { records, persistent } = this.#parts;
    const { serviceKey } = address;
    const changed = { serviceKey, instance: { ...instance, ...change }, from: call.from };
    if (!instance.isEphemeral) return persistent.put(changed, (outcome) => settle(call, outcome));
    records.putChange(serviceKey, registIdOf(address), change).then(
      () => {
        if (leased === undefined) call.answer("ok");
        else this.#registerChanged(call, address, change);
      },
      (error) => call.refuse(error),
    );
  }

  /** The client may have registered anew, or have left, while the change was written: it is as the list has it now. */
  #registerChanged(call: NacosCall, address: InstanceAddress, change: InstanceChange): void {
    const { leases } = this.#parts;
    const { serviceKey } = address;
    this.#find(call, address, (found) => {
      if (found?.leased === undefined) return call.answer("ok");
      const { instance, from } = found.leased;
      const changed = { serviceKey, instance: { ...instance, ...change }, from };
      leases.later(() => leases.register(changed, (outcome) => settle(call, outcome)));
    });
  }

  /** For persistent instances, as at the real server: that of others is what their clients say. */
  setHealth(call: NacosCall): void {
    const { persistent, leases } = this.#parts;
    const isHealthy = call.params.flag("healthy");
    if (isHealthy === undefined) throw fail("FIELD_INVALID", { field: "healthy", expected: "true or false" });
    const address = { serviceKey: readService(call.params), ...readAddress(call.params) };
    this.#find(call, address, (found) => {
      if (found === undefined) return call.refuseWith(notFound(address));
      const { instance, isOwn } = found;
      if (!isOwn) return call.refuse(notOwn(address));
      if (instance.isEphemeral) {
        const expected = "a persistent instance; the health of others is what their heartbeats say";
        return call.refuse(fail("FIELD_INVALID", { field: "ip", value: address.ip, expected }));
      }
      const changed = { ...address, instance: { ...instance, isHealthy }, from: call.from };
      leases.later(() => persistent.put(changed, (outcome) => settle(call, outcome)));
    });
  }

  show(call: NacosCall): void {
    const serviceKey = readService(call.params);
    const address = { serviceKey, ...readAddress(call.params) };
    this.#find(call, address, (found) => {
      if (found === undefined) return call.refuseWith(notFound(address));
      call.answer(detailJson(call, serviceKey, found.instance));
    });
  }

  /** The list with what belongs to it. */
  list(call: NacosCall): void {
    const serviceKey = readService(call.params);
    const selection = selectionIn(call);
    const udpPort = call.params.whole("udpPort", { min: 0, max: 65_535 }) ?? 0;
    askList(this.#parts.registry, { serviceKey, nowMs: call.nowMs }, (view, error) => {
      if (view === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
      call.answerJson(this.#parts.bodies.list(view, { ...selection, nameForm: "grouped" }).json);
    });
    const { udp, leases } = this.#parts;
    // Clients of Nacos 1.x name a port, to which later lists are pushed.
    if (udp === undefined || udpPort === 0 || !call.caller.mayDo({ action: "subscribe", about: serviceKey })) return;
    leases.later(() => udp.asked({ from: call.from, port: udpPort, serviceKey, clusters: selection.clusters }));
  }

  /** The instances alone, as v3 has them. */
  hosts(call: NacosCall): void {
    const serviceKey = readService(call.params);
    const selection = selectionIn(call);
    askList(this.#parts.registry, { serviceKey, nowMs: call.nowMs }, (view, error) => {
      if (view === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
      call.answer(this.#parts.bodies.hosts(view, selection));
    });
  }

  beat(call: NacosCall): void {
    const { params } = call;
    const text = params.text("beat");
    const beat = text === "" ? undefined : readBeat(text, this.#parts.config.registrationBytesMax);
    const serviceKey = readService(params);
    const { ip, port, cluster } = beat ?? readAddress(params);
    const from = call.from;
    const interval = preservedMs("instanceHeartBeatInterval", beat?.metadata ?? new Map());
    const answer = (code: number) => call.answer({ clientBeatInterval: interval, code, lightBeatEnabled: true });
    this.#parts.leases.renew({ serviceKey, ip, port, cluster }, from, (outcome) => {
      if (outcome === "done") return answer(BEAT_OK);
      if (outcome !== "unknown") return call.refuse(outcome);
      if (beat === undefined) return answer(BEAT_UNKNOWN);
      this.#parts.leases.register({ serviceKey, instance: beat, from }, (registered) => {
        if (typeof registered === "string") answer(BEAT_OK);
        else call.refuse(registered);
      });
    });
  }

  #put(call: NacosCall, serviceKey: ServiceKey, instance: NacosInstance): void {
    const { leases, persistent } = this.#parts;
    const registered = { serviceKey, instance, from: call.from };
    if (!instance.isEphemeral) return persistent.put(registered, (outcome) => settle(call, outcome));
    const refusal = persistent.ephemeralRefusal(serviceKey);
    if (refusal !== undefined) return call.refuse(refusal);
    leases.register(registered, (outcome) => settle(call, outcome));
  }

  /** Finds the instance in the list of its service. */
  #find(call: NacosCall, address: InstanceAddress, found: (found: Found | undefined) => void): void {
    const { serviceKey } = address;
    const wanted = registIdOf(address);
    askList(this.#parts.registry, { serviceKey, nowMs: this.#parts.nowMs() }, (view, error) => {
      if (view === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
      const instance = instancesIn(view).find((each) => registIdOf(each) === wanted);
      const leased = leasedBy(view.publications.get(wanted));
      const isOwn = [...view.publications.values()].some((each) => isOwnAt(each, address));
      found(instance && { instance, leased, isOwn });
    });
  }
}

interface Found {
  readonly instance: NacosInstance;
  /** If heartbeats keep it: as its client has registered it, and the host of that. Its shown health is not its own. */
  readonly leased: { readonly instance: NacosInstance; readonly from: string } | undefined;
  /** A client of Nacos has registered it. */
  readonly isOwn: boolean;
}

function leasedBy(publication: Publication | undefined): Found["leased"] {
  const listed = publication?.lease === undefined ? undefined : unpackInstance(publication.payload);
  if (publication === undefined || listed === undefined) return undefined;
  return { instance: fromInstance(listed), from: hostOf(publication.owner.client) };
}

interface Changed extends Found {
  readonly change: InstanceChange;
}

function settle(call: NacosCall, outcome: "done" | "unknown" | RegistryError): void {
  if (outcome === "done") call.answer("ok");
  else if (outcome === "unknown")
    call.refuseWith({ status: 404, code: HTTP_CODE.INSTANCE_NOT_FOUND, message: "no such instance" });
  else call.refuse(outcome);
}

function selectionIn({ params }: NacosCall) {
  const clusters = checkedClusters(params.text("clusters") || params.text("clusterName"));
  return { clusters, isHealthyOnly: params.flag("healthyOnly") ?? false };
}

function notFound({ ip, port, serviceKey }: InstanceAddress) {
  const message = `no instance ${ip}:${port} in ${groupedName(serviceNameOf(serviceKey))}`;
  return { status: 404, code: HTTP_CODE.INSTANCE_NOT_FOUND, message };
}

/** Whether a client of Nacos has registered an address by a publication. */
function isOwnAt(publication: Publication, { ip, port }: Pick<InstanceAddress, "ip" | "port">): boolean {
  return instancesOf(publication).some((one) => one.source === NACOS && one.host === ip && one.port === port);
}

/** An instance of another protocol: a second registration beside it would outlive it. */
function notOwn({ ip }: InstanceAddress): RegistryError {
  const expected = "an instance of a client of Nacos; change another one where it was registered, or by a rule";
  return fail("FIELD_INVALID", { field: "ip", value: ip, expected });
}

function detailJson({ version }: NacosCall, serviceKey: ServiceKey, instance: NacosInstance): object {
  const service = groupedName(serviceNameOf(serviceKey));
  const { instanceId, ...whole } = instanceJson(instance, service);
  if (version === "v3") return whole;
  const { ip, port, isHealthy: healthy, cluster: clusterName, weight, metadata } = instance;
  const name = version === "v1" ? { service } : { serviceName: service };
  return { ...name, ip, port, clusterName, weight, healthy, instanceId, metadata: Object.fromEntries(metadata) };
}
