// Application-level discovery in SOFARegistry's paths and shapes: the revisions and services that a session knows of,
// and what operators do about silent ones.

import { type HttpRoute, jsonResponse, queryValue, respondWith } from "../../../base/http.ts";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import type { AppsListed } from "../../../registry/apps.ts";
import type { MetaNodeView, SessionNodeView } from "../../kit/gateway.ts";
import type { SofaConfig } from "../environment.ts";
import { checkedSwitch } from "./valueSwitches.ts";

const DONE = jsonResponse({ success: true, message: null });

/** A session's paths. */
export function sessionAppRoutes(
  { listApps }: Pick<SessionNodeView, "listApps">,
  { dataCenter, zone }: Pick<SofaConfig, "dataCenter" | "zone">,
): readonly HttpRoute[] {
  return [
    {
      method: "GET",
      path: "/digest/metadata/allRevisionIds",
      handle: (exchange) =>
        respondWith(
          exchange,
          listApps().then(({ revisions }) => jsonResponse(revisions)),
        ),
    },
    {
      method: "GET",
      path: "/digest/metadata/allServiceMapping",
      handle: (exchange) =>
        respondWith(
          exchange,
          listApps().then((listed) => ({
            status: 200,
            headers: { "content-type": "application/json; charset=utf-8" },
            body: serviceMapping(listed, dataCenter),
          })),
        ),
    },
    {
      method: "GET",
      path: "/openapi/v1/metadata/cache",
      handle: (exchange) => {
        const isOurs = queryValue(exchange, "dataCenter") === dataCenter;
        const data = isOurs ? { dataCenter, zones: [zone] } : null;
        exchange.respond(jsonResponse({ success: true, message: null, data }));
      },
    },
  ];
}

// A version passes 2^53, and JavaScript's JSON numbers can't, so the text is built by hand.
function serviceMapping({ services }: AppsListed, dataCenter: string): string {
  const entries = services.map(({ service, version, applications }) => {
    const mapping = `{"nanosVersion":${version},"apps":${JSON.stringify(applications)}}`;
    return `${JSON.stringify(service)}:{${JSON.stringify(dataCenter)}:${mapping}}`;
  });
  return `{${entries.join(",")}}`;
}

const ENABLED = {
  type: "object",
  required: ["enabled"],
  additionalProperties: false,
  properties: { enabled: { enum: ["true", "false"] } },
} as const;
const WRITE_SWITCH = {
  type: "object",
  additionalProperties: false,
  properties: { serviceParams: { type: "boolean" }, serviceParamsLarge: { type: "boolean" } },
} as const;

/** The leading meta node's paths. */
export function metaAppRoutes({ compareServices, putConfig }: Pick<MetaNodeView, "compareServices" | "putConfig">) {
  const put = (path: string, rest: Pick<HttpRoute, "handle" | "schema">): HttpRoute => ({
    method: "PUT",
    path: `/metaCenter/${path}`,
    isForLeader: true,
    ...rest,
  });
  // In SOFARegistry the first marks what revisions offer, and the second removes what was not marked for two days. Here
  // both compare the services of each application with its revisions; the switch says whether any are removed.
  const compare: HttpRoute["handle"] = ({ respond }) => {
    compareServices();
    respond(DONE);
  };
  const store = (name: string, value: (body: unknown) => string): HttpRoute["handle"] => {
    const key = makeServiceKey({ name, namespace: "9600", group: "CONFIG" });
    return (exchange) => {
      const data = checkedSwitch(name, value(exchange.body));
      respondWith(
        exchange,
        putConfig(key, data).then(() => DONE),
      );
    };
  };
  const enabled = (body: unknown) => (body as { readonly enabled: string }).enabled;
  return [
    put("interfaceAppsIndex/renew", { handle: compare }),
    put("interfaceAppsIndex/clean", { handle: compare }),
    put("appRevisionCleaner/switch", {
      schema: { body: ENABLED },
      handle: store("app_revision.cleaner.enabled", enabled),
    }),
    put("interfaceAppsCleaner/switch", {
      schema: { body: ENABLED },
      handle: store("interface_app.cleaner.enabled", enabled),
    }),
    put("appRevision/writeSwitch", {
      schema: { body: WRITE_SWITCH },
      handle: store("app_revision.write.switch", (body) => JSON.stringify(body)),
    }),
  ];
}
