// The paths by which clients and load balancers ask whether the server is there.

import type { NacosPath } from "./forms.ts";

interface Parts {
  readonly isServing: () => boolean;
  /** The ids of the connected clients of this node. */
  readonly connectionIds: () => readonly string[];
  /** The addresses of all sessions, a line each. */
  readonly serverList: () => string;
}

const METRICS = ["/v1/ns/operator/metrics", "/v2/ns/operator/metrics", "/v3/admin/ns/ops/metrics"];
const CLIENTS = ["/v2/ns/client/list", "/v3/admin/ns/client/list"];
const LIVENESS = ["/v2/console/health/liveness", "/v3/console/health/liveness", "/v3/admin/core/state/liveness"];
const READINESS = ["/v2/console/health/readiness", "/v3/console/health/readiness", "/v3/admin/core/state/readiness"];
const NOT_READY = { status: 503, code: 30_000, message: "this node does not serve clients yet, or not any more" };

/** The paths. */
export function operatorPaths({ isServing, connectionIds, serverList }: Parts): NacosPath[] {
  const open = (path: string, handle: NacosPath["handle"]): NacosPath => ({
    method: "GET",
    path,
    asks: "open",
    handle,
  });
  const readiness =
    (word: string): NacosPath["handle"] =>
    ({ answer, refuseWith }) => {
      if (isServing()) answer(word);
      else refuseWith(NOT_READY);
    };
  return [
    ...METRICS.map((path) => open(path, ({ answer }) => answer({ status: isServing() ? "UP" : "DOWN" }))),
    ...CLIENTS.map(
      (path): NacosPath => ({ method: "GET", path, asks: "read", handle: ({ answer }) => answer(connectionIds()) }),
    ),
    ...LIVENESS.map((path) => open(path, ({ answer }) => answer("ok"))),
    ...READINESS.map((path) => open(path, readiness("ok"))),
    open("/v1/console/health/liveness", ({ answer }) => answer("OK")),
    open("/v1/console/health/readiness", readiness("OK")),
    open("/serverlist", ({ answer }) => answer(serverList())),
  ];
}
