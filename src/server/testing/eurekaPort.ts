// Requests to a node's Eureka port, as a client would make them.

import type { RunningServer } from "../start.ts";

/** An answer. The body is parsed if it is JSON. */
export interface EurekaAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers
  readonly json: any;
}

/** Asks `GET /apps` and the like, below /eureka; for JSON, unless the headers say otherwise. */
export async function askEureka(
  server: Pick<RunningServer, "ports">,
  what: string,
  init: RequestInit = {},
): Promise<EurekaAnswer> {
  const [method = "", path = ""] = what.split(" ");
  const headers = { accept: "application/json", ...init.headers };
  const url = `http://127.0.0.1:${server.ports.eureka}${path.startsWith("/eureka") ? path : `/eureka${path}`}`;
  const response = await fetch(url, { ...init, method, headers });
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return {
    status: response.status,
    type,
    text,
    json: type.startsWith("application/json") ? JSON.parse(text) : undefined,
  };
}

/** The instance that a client registers. */
export function eurekaBody(app: string, changes: Record<string, unknown> = {}): RequestInit {
  const instance = {
    instanceId: `10.0.0.1:${app}:8080`,
    hostName: "host-1.local",
    app: app.toUpperCase(),
    ipAddr: "10.0.0.1",
    status: "UP",
    port: { $: 8080, "@enabled": "true" },
    securePort: { $: 443, "@enabled": "false" },
    vipAddress: app,
    dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
    leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 90 },
    metadata: { color: "blue" },
    lastDirtyTimestamp: "1000",
    ...changes,
  };
  return { body: JSON.stringify({ instance }), headers: { "content-type": "application/json" } };
}

/** The path of that instance. */
export function eurekaPath(app: string): string {
  return `/apps/${app.toUpperCase()}/10.0.0.1:${app}:8080`;
}
