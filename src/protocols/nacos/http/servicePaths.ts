// The paths of services: lists of their names.

import { fail } from "../../../base/errors.ts";
import { seenBy } from "../callers.ts";
import { scopeOfGroup, serviceKeyOf } from "../naming/names.ts";
import type { ServiceNames } from "../naming/serviceNames.ts";
import type { NacosCall, NacosPath } from "./forms.ts";

const PAGE_MAX = 1_000_000;
const PAGE_SIZE = 10;

/** The paths. */
export function servicePaths(serviceNames: ServiceNames): NacosPath[] {
  return ["/v1/ns/service/list", "/v2/ns/service/list"].map((path) => ({
    ...{ method: "GET", path, asks: "list", of: "each" },
    handle: (call) => listNames(call, serviceNames),
  }));
}

function listNames(call: NacosCall, serviceNames: ServiceNames): void {
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
