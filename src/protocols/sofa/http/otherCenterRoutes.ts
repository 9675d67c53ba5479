// SOFARegistry's paths about other data centers, whose data its operators have it copy, and about keys whose values are
// read from another cluster's in the same database. A Roster cluster is one data center with a store of its own, so
// neither is ever set. The paths answer as SOFARegistry does in that state: there is nothing to list, nothing of that
// name to change, and nothing to clear. A request that would set the first one is refused with the reason.

import { type HttpExchange, type HttpRoute, jsonResponse, queryValue } from "../../../base/http.ts";
import type { MetaNodeView } from "../../kit/gateway.ts";
import { common, generic } from "./answers.ts";

const ONE_CENTER = "not done: this cluster is one data center, and copies nothing from others";
const ONE_CLUSTER =
  "not done: a store belongs to one cluster, which has all of its values; there is none to recover from";

const VERSIONED = ["remoteDataCenter", "expectVersion"] as const;

/** The changes of what is copied from a data center, by the ends of their paths, with the fields that each needs. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  "sync/enable": VERSIONED,
  "sync/disable": VERSIONED,
  "push/enable": VERSIONED,
  "push/disable": VERSIONED,
  updateMetaAddress: ["remoteDataCenter", "remoteMetaAddress", "expectVersion"],
  "sync/dataInfoIds/add": ["remoteDataCenter", "dataInfoIds", "expectVersion"],
  "sync/dataInfoIds/remove": ["remoteDataCenter", "dataInfoIds", "expectVersion"],
  "sync/group/add": ["remoteDataCenter", "group", "expectVersion"],
  "sync/group/remove": ["remoteDataCenter", "group", "expectVersion"],
  remove: VERSIONED,
  "sync/ignoreDataInfoIds/add": ["remoteDataCenter", "ignoreDataInfoIds", "expectVersion"],
  "sync/ignoreDataInfoIds/remove": ["remoteDataCenter", "ignoreDataInfoIds", "expectVersion"],
};

type Fields = Readonly<Record<string, string | undefined>>;

// SOFARegistry's token is taken and not looked at: the access to the port decides.
const FORM = {
  type: ["object", "null"],
  additionalProperties: { type: "string" },
} as const;

/** The paths that show which other data centers are copied. */
export const OTHER_CENTER_QUERIES: readonly HttpRoute[] = [
  {
    method: "GET",
    path: "/api/multi/cluster/query",
    handle: (exchange) => {
      if (isBlank(queryValue(exchange, "remoteDataCenter"))) {
        const message = "remoteDataCenter is not allow empty.";
        return exchange.respond(jsonResponse({ success: false, message, data: null }));
      }
      exchange.respond(jsonResponse(generic(null)));
    },
  },
  {
    method: "GET",
    path: "/api/multi/cluster/queryAll",
    handle: ({ respond }) => respond(jsonResponse(generic([]))),
  },
];

/** The paths that change something about data centers and clusters that this one does not know. */
export function otherCenterRoutes({ cluster }: Pick<MetaNodeView, "cluster">): readonly HttpRoute[] {
  const changes = Object.entries(CHANGES).map(([path, needed]) =>
    post(`/api/multi/cluster/${path}`, needed, ({ remoteDataCenter, expectVersion }, { respond }) =>
      respond(common(`remoteDataCenter:${remoteDataCenter}, expectVersion:${expectVersion} not exist.`, false)),
    ),
  );
  const clearing = (["dataInfoId", "group"] as const).map((kind) =>
    post(`/api/multi/datum/${kind}/removePubs`, ["remoteDataCenter", kind], ({ remoteDataCenter }, { respond }) => {
      if (remoteDataCenter !== cluster.dataCenter) return respond(common(""));
      respond(common(`not done: ${remoteDataCenter} is the data center of this cluster, and no other one`, false));
    }),
  );
  return [
    ...changes,
    ...clearing,
    // None can be set, so there is none left either.
    post("/api/recover/config/remove", ["table", "key"], (_, { respond }) => respond(common("")), "and"),
  ];
}

/** The paths that refuse everything. */
export const ABSENT_ROUTES: readonly HttpRoute[] = [
  refusing("/api/multi/cluster/save", ONE_CENTER),
  refusing("/api/recover/config/save", ONE_CLUSTER),
];

function refusing(path: string, reason: string): HttpRoute {
  return { method: "POST", path, handle: ({ respond }) => respond(common(reason, false)) };
}

/** A path whose form has these fields. As in SOFARegistry, one without them is told all of them. */
function post(
  path: string,
  needed: readonly string[],
  handle: (fields: Fields, exchange: HttpExchange) => void,
  word: "and" | "," = ",",
): HttpRoute {
  const names = word === "and" ? needed.join(" and ") : needed.join(", ");
  return {
    method: "POST",
    path,
    schema: { body: FORM },
    handle: (exchange) => {
      const fields = (exchange.body ?? {}) as Fields;
      const isWhole = needed.every((name) => !isBlank(fields[name] ?? ""));
      if (isWhole) return handle(fields, exchange);
      exchange.respond(common(`${names} is not allow empty.`, false));
    },
  };
}

function isBlank(value: string): boolean {
  return value.trim() === "";
}
