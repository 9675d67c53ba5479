// The paths of services: what operators say about them, and lists of their names.

import { fail } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { Registry } from "../../../registry/registry.ts";
import { seenBy } from "../callers.ts";
import { askList } from "../naming/lists.ts";
import { groupedName, scopeOfGroup, serviceKeyOf, serviceNameOf } from "../naming/names.ts";
import type { NamingRecords, ServiceChange, ServiceRecord } from "../naming/namingRecords.ts";
import type { ServiceNames } from "../naming/serviceNames.ts";
import { HTTP_CODE, type NacosCall, type NacosPath } from "./forms.ts";
import { readMetadata, readService } from "./readInstance.ts";

interface Parts {
  readonly serviceNames: ServiceNames;
  readonly records: NamingRecords;
  readonly registry: Pick<Registry, "step">;
}

const PAGE_MAX = 1_000_000;
const PAGE_SIZE = 10;
const THRESHOLD = { min: 0, max: 1 } as const;
const NO_SELECTOR = { type: "none", contextType: "NONE" } as const;

/** The paths. */
export function servicePaths(parts: Parts): NacosPath[] {
  const publish = { asks: "publish", of: readService } as const;
  return [
    ...["/v1/ns/service/list", "/v2/ns/service/list"].map(
      (path): NacosPath => ({
        ...{ method: "GET", path, asks: "list", of: "each" },
        handle: (call) => listNames(call, parts),
      }),
    ),
    ...["/v1/ns/service", "/v2/ns/service", "/v3/admin/ns/service"].flatMap((path): NacosPath[] => [
      { ...publish, method: "POST", path, handle: (call) => make(call, parts) },
      { ...publish, method: "PUT", path, handle: (call) => change(call, parts) },
      { ...publish, method: "DELETE", path, handle: (call) => remove(call, parts) },
      { method: "GET", path, asks: "list", of: readService, handle: (call) => show(call, parts) },
    ]),
  ];
}

function make(call: NacosCall, { records }: Parts): void {
  const serviceKey = readService(call.params);
  records.makeService(serviceKey, changeIn(call)).then(
    () => call.answer("ok"),
    (error) => call.refuse(error),
  );
}

/** Unlike the real server, a change leaves the fields that it does not name as they are. */
function change(call: NacosCall, { records }: Parts): void {
  const serviceKey = readService(call.params);
  records.changeService(serviceKey, changeIn(call)).then(
    (isChanged) => (isChanged ? call.answer("ok") : call.refuseWith(unknown(serviceKey))),
    (error) => call.refuse(error),
  );
}

function changeIn({ params }: NacosCall): ServiceChange {
  const protectThreshold = params.number("protectThreshold", THRESHOLD);
  return {
    ...(protectThreshold !== undefined && { protectThreshold }),
    ...(params.has("metadata") && { metadata: readMetadata(params.text("metadata")) }),
  };
}

function remove(call: NacosCall, { records, registry }: Parts): void {
  const serviceKey = readService(call.params);
  if (records.service(serviceKey) === undefined) return call.refuseWith(unknown(serviceKey));
  askList(registry, { serviceKey, nowMs: call.nowMs }, (view, error) => {
    if (view === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
    if (view.publications.size > 0) {
      const message = `${groupedName(serviceNameOf(serviceKey))} has ${view.publications.size} instances`;
      return call.refuseWith({ status: 400, code: HTTP_CODE.SERVICE_NOT_EMPTY, message });
    }
    records.removeService(serviceKey).then(
      () => call.answer("ok"),
      (fault) => call.refuse(fault),
    );
  });
}

/** A service is there if an operator has made it, or it has instances. */
function show(call: NacosCall, { records, registry }: Parts): void {
  const serviceKey = readService(call.params);
  const made = records.service(serviceKey);
  if (made !== undefined) return call.answer(serviceJson(call, made));
  askList(registry, { serviceKey, nowMs: call.nowMs }, (view, error) => {
    if (view === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
    if (view.publications.size === 0) return call.refuseWith(unknown(serviceKey));
    call.answer(serviceJson(call, { serviceKey, protectThreshold: 0, metadata: new Map() }));
  });
}

function serviceJson({ version }: NacosCall, { serviceKey, protectThreshold, metadata }: ServiceRecord): object {
  const { namespace, group, name } = serviceNameOf(serviceKey);
  const common = { protectThreshold, metadata: Object.fromEntries(metadata), selector: NO_SELECTOR };
  if (version === "v1") return { namespaceId: namespace, groupName: group, name, ...common, clusters: [] };
  const names = { [version === "v2" ? "namespace" : "namespaceId"]: namespace, serviceName: name, groupName: group };
  return { ...names, clusterMap: {}, ...common, ephemeral: true };
}

function unknown(serviceKey: ServiceKey) {
  const message = `there is no service ${groupedName(serviceNameOf(serviceKey))}`;
  return { status: 404, code: HTTP_CODE.SERVICE_UNKNOWN, message };
}

function listNames(call: NacosCall, { serviceNames }: Parts): void {
  const { params, caller, version, nowMs } = call;
  const group = { namespace: params.text("namespaceId"), group: params.text("groupName") };
  const scope = scopeOfGroup(group);
  const sees = seenBy(caller, serviceKeyOf({ ...group, name: "any" }));
  const page = params.whole("pageNo", { min: 1, max: PAGE_MAX }) ?? 1;
  const size = params.whole("pageSize", { min: 0, max: PAGE_MAX }) ?? PAGE_SIZE;
  serviceNames.ask({ scope, sees, nowMs }, (names, error) => {
    if (names === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
    const shown = names.slice((page - 1) * size, page * size);
    call.answer({ count: names.length, [version === "v1" ? "doms" : "services"]: shown });
  });
}
