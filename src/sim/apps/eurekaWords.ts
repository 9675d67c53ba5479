// The words of Eureka's clients: their requests, and what they read in the answers.

import type { HttpAnswer, HttpRequest } from "../cluster/gatewayHost.ts";
import type { HttpWords, Registering } from "./httpWords.ts";

const LEASE_S = 10;
const JSON_HEADERS = { accept: "application/json", "content-type": "application/json" } as const;
const INSTANCE = "/eureka/apps/:app/:id";

/** An instance as clients read it in a list. */
export interface ReadInstance {
  readonly instanceId: string;
  readonly app: string;
  readonly status: string;
  readonly token: string;
  readonly actionType: string;
}

/** All applications, or the changes of the last minutes. */
export interface ReadApplications {
  readonly hash: string;
  readonly instances: readonly ReadInstance[];
}

export const EUREKA_WORDS: HttpWords = {
  lease: { removedAfterMs: LEASE_S * 1_000 },
  registIdOf: (name) => `eureka:${name}`,
  register: (client) => ({
    ...{ route: "POST /eureka/apps/:app", params: { app: appOf(client) }, headers: JSON_HEADERS, from: client.address },
    body: JSON.stringify({ instance: instanceOf(client) }),
  }),
  renew: (client) => {
    const query = { status: "UP", lastDirtyTimestamp: String(client.changedMs) };
    return { route: `PUT ${INSTANCE}`, ...common(client), query };
  },
  end: (client) => ({ route: `DELETE ${INSTANCE}`, ...common(client) }),
  takeOut: (client) => ({ route: `PUT ${INSTANCE}/status`, ...common(client), query: { value: "OUT_OF_SERVICE" } }),
  takeBack: (client) => ({ route: `DELETE ${INSTANCE}/status`, ...common(client), query: { value: "UP" } }),
  outcomeOf: ({ status }) => {
    if (status === 404) return "unknown";
    return status < 300 ? "done" : "failed";
  },
  list: (service, from) => ({ ...readRequest("/:app", from), params: { app: service.toUpperCase() } }),
  listIn: (answer) => {
    if (answer.status === 404) return [];
    if (answer.status !== 200) return undefined;
    return instancesIn(JSON.parse(answer.text).application).map(({ token, status }) => entryOf(token, status));
  },
};

/** A question for all applications, or for their changes. */
export function readRequest(path: "" | "/delta" | "/:app", from: string): HttpRequest {
  return { route: `GET /eureka/apps${path}`, headers: { accept: "application/json" }, from };
}

/** Undefined: the session refuses the question. */
export function applicationsIn({ status, text }: HttpAnswer): ReadApplications | undefined {
  if (status !== 200) return undefined;
  const { apps__hashcode: hash, application } = JSON.parse(text).applications;
  return { hash, instances: application.flatMap(instancesIn) };
}

function instancesIn(application: { readonly instance: readonly Record<string, unknown>[] }): ReadInstance[] {
  return application.instance.map(({ instanceId, app, status, actionType, metadata }) => ({
    ...{ instanceId: String(instanceId), app: String(app), status: String(status), actionType: String(actionType) },
    token: String((metadata as Record<string, unknown> | undefined)?.["token"] ?? ""),
  }));
}

function entryOf(token: string, status: string): string {
  const marks: Readonly<Record<string, string>> = { UP: "", OUT_OF_SERVICE: "!", DOWN: "?" };
  return token + (marks[status] ?? ` ${status}`);
}

function common(client: Registering): Pick<HttpRequest, "params" | "from"> {
  return { params: { app: appOf(client), id: client.name }, from: client.address };
}

function appOf({ service }: Registering): string {
  return service.toUpperCase();
}

/** As Netflix' client writes it. */
function instanceOf(client: Registering): object {
  const { name, address, token, changedMs } = client;
  return {
    ...{ instanceId: name, hostName: name, app: appOf(client), ipAddr: address, status: "UP" },
    overriddenstatus: "UNKNOWN",
    ...{ port: { $: client.port, "@enabled": "true" }, securePort: { $: 443, "@enabled": "false" } },
    dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
    leaseInfo: { renewalIntervalInSecs: 2, durationInSecs: LEASE_S },
    ...{ metadata: { token }, vipAddress: client.service, lastDirtyTimestamp: String(changedMs) },
  };
}
