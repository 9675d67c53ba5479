// The forms of answers by HTTP: v1 answers with the value alone, v2 and v3 with an envelope around it.

import type { Permission, ServiceAction } from "../../../access/policy.ts";
import { RegistryError } from "../../../base/errors.ts";
import {
  type HttpExchange,
  type HttpResponse,
  type HttpRoute,
  jsonResponse,
  textResponse,
} from "../../../base/http.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { ClientAccess } from "../../kit/clientAccess.ts";
import { type Caller, type JudgedRoute, judgedRoutes } from "../../kit/judgedRoutes.ts";
import { exchangeCredentials } from "../callers.ts";
import { Params } from "../params.ts";

/** The version of Nacos' HTTP interface. */
export type HttpVersion = "v1" | "v2" | "v3";

/** Nacos' numbers in the envelope of v2 and v3 (`ErrorCode`). */
export const HTTP_CODE = {
  PARAMETER_MISSING: 10_000,
  ACCESS_DENIED: 10_001,
  PARAMETER_INVALID: 20_002,
  NOT_FOUND: 20_004,
  CONFLICT: 20_005,
  INSTANCE_NOT_FOUND: 21_003,
  SERVICE_EXISTS: 21_007,
  SERVICE_UNKNOWN: 21_008,
  SERVICE_NOT_EMPTY: 21_009,
  NAMESPACE_INVALID: 22_000,
  NAMESPACE_UNKNOWN: 22_001,
  NAMESPACE_EXISTS: 22_002,
  QUOTA_REACHED: 5_031,
  CONTENT_TOO_LARGE: 5_034,
  SERVER_ERROR: 30_000,
} as const;

/** A refusal that is not one of the registry's errors. */
export interface Refusal {
  /** Of HTTP. */
  readonly status: number;
  /** Of the envelope. */
  readonly code: number;
  readonly message: string;
}

const DENIED = new Set(["CREDENTIALS_NEEDED", "CREDENTIALS_REFUSED", "PERMISSION_NEEDED", "CREDENTIALS_LOCKED"]);

/** An error of the registry as a refusal. */
export function refusalOf({ code, message, retry, details }: RegistryError): Refusal {
  if (DENIED.has(code)) return { status: 403, code: HTTP_CODE.ACCESS_DENIED, message };
  if (retry) return { status: 503, code: HTTP_CODE.SERVER_ERROR, message };
  if (code === "NACOS_SERVICE_EXISTS") return { status: 400, code: HTTP_CODE.SERVICE_EXISTS, message };
  if (code === "REGISTRATION_HELD") return { status: 409, code: HTTP_CODE.CONFLICT, message };
  const isMissing = code === "FIELD_INVALID" && details["value"] === undefined;
  return { status: 400, code: isMissing ? HTTP_CODE.PARAMETER_MISSING : HTTP_CODE.PARAMETER_INVALID, message };
}

/** The answer with a value: a text of v1 is plain. */
export function successResponse(version: HttpVersion, data: unknown): HttpResponse {
  if (version !== "v1") return jsonResponse({ code: 0, message: "success", data });
  return typeof data === "string" ? textResponse(data) : jsonResponse(data);
}

/** As `successResponse`, with a value that is JSON in UTF-8. */
export function jsonBytesResponse(version: HttpVersion, json: Uint8Array): HttpResponse {
  const headers = { "content-type": "application/json; charset=utf-8" };
  if (version === "v1") return { status: 200, headers, body: json };
  const body = new Uint8Array(HEAD.length + json.length + 1);
  body.set(HEAD);
  body.set(json, HEAD.length);
  body[body.length - 1] = END;
  return { status: 200, headers, body };
}

const HEAD = new TextEncoder().encode('{"code":0,"message":"success","data":');
const END = 0x7d;

export function refusalResponse(version: HttpVersion, { status, code, message }: Refusal): HttpResponse {
  if (version === "v1") return textResponse(message, status);
  return jsonResponse({ code, message: WORDS[code] ?? "server error", data: message }, status);
}

const WORDS: Readonly<Record<number, string>> = {
  [HTTP_CODE.NAMESPACE_INVALID]: "illegal namespace",
  [HTTP_CODE.NAMESPACE_UNKNOWN]: "namespace not exist",
  [HTTP_CODE.NAMESPACE_EXISTS]: "namespace already exist",
  [HTTP_CODE.QUOTA_REACHED]: "cluster capacity reach quota",
  [HTTP_CODE.CONTENT_TOO_LARGE]: "config content size is over limit",
  [HTTP_CODE.PARAMETER_MISSING]: "parameter missing",
  [HTTP_CODE.ACCESS_DENIED]: "access denied",
  [HTTP_CODE.PARAMETER_INVALID]: "parameter validate error",
  [HTTP_CODE.NOT_FOUND]: "resource not found",
  [HTTP_CODE.CONFLICT]: "resource conflict",
  [HTTP_CODE.INSTANCE_NOT_FOUND]: "instance not found",
  [HTTP_CODE.SERVICE_EXISTS]: "service already exists",
  [HTTP_CODE.SERVICE_UNKNOWN]: "service not exist",
  [HTTP_CODE.SERVICE_NOT_EMPTY]: "service delete failure",
};

/** A refusal of the listener itself, outside of any path: the envelope, with a text that people read. */
export function listenerRefusal(message: string, status: number): HttpResponse {
  const ofFault = status < 500 ? HTTP_CODE.PARAMETER_INVALID : HTTP_CODE.SERVER_ERROR;
  const code = status === 404 ? HTTP_CODE.NOT_FOUND : ofFault;
  return refusalResponse("v2", { status, code, message });
}

/** One request, and the way back of its answer. */
export interface NacosCall {
  readonly version: HttpVersion;
  readonly params: Params;
  readonly caller: Caller;
  /** The host of the caller. */
  readonly from: string;
  readonly nowMs: number;
  /** Answers with a value. */
  answer(data: unknown): void;
  /** Answers with a value that has no envelope in any version. */
  answerBare(data: object): void;
  /** Answers with a value that is JSON already. */
  answerJson(json: Uint8Array): void;
  refuse(error: Error): void;
  refuseWith(refusal: Refusal): void;
}

/** A path, what its callers ask for, and its handler. The path begins behind `/nacos`, with its version. */
export type NacosPath = Pick<HttpRoute, "method" | "path"> & PathWish & { handle(call: NacosCall): void };

type PathWish =
  | { readonly asks: "open" | Permission }
  | { readonly asks: ServiceAction; readonly of: "each" | ((params: Params) => ServiceKey) };

/** The paths as routes, whose callers are judged before they are handled. */
export function routesOf(
  paths: readonly NacosPath[],
  { access, nowMs }: { readonly access: ClientAccess; readonly nowMs: () => number },
): HttpRoute[] {
  return paths.flatMap((path) => {
    const version = versionOf(path.path);
    const routes = judgedRoutes([judgedRoute(path, nowMs)], { access, credentialsOf: exchangeCredentials });
    return routes.map((route) => ({ ...route, handle: inItsForm(version, (exchange) => route.handle(exchange)) }));
  });
}

function judgedRoute(path: NacosPath, nowMs: () => number): JudgedRoute {
  const { method } = path;
  const handle = (exchange: HttpExchange, caller: Caller) =>
    path.handle(callOf(exchange, caller, versionOf(path.path), nowMs()));
  const route = { method, path: `/nacos${path.path}`, handle };
  if (!("of" in path)) return { ...route, asks: path.asks };
  const { asks, of } = path;
  return { ...route, asks, of: of === "each" ? of : (exchange) => of(Params.of(exchange)) };
}

/** Refusals of the registry in the form of the path's version. */
function inItsForm(version: HttpVersion, handle: HttpRoute["handle"]): HttpRoute["handle"] {
  return (exchange) => {
    const refuse = (error: Error) => {
      if (error instanceof RegistryError) exchange.respond(refusalResponse(version, refusalOf(error)));
      else exchange.refuse(error);
    };
    try {
      handle({ ...exchange, refuse });
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      refuse(error);
    }
  };
}

function callOf(exchange: HttpExchange, caller: Caller, version: HttpVersion, nowMs: number): NacosCall {
  const { respond, refuse, remoteAddress } = exchange;
  return {
    version,
    params: Params.of(exchange),
    caller,
    from: remoteAddress,
    nowMs,
    answer: (data) => respond(successResponse(version, data)),
    answerBare: (data) => respond(jsonResponse(data)),
    answerJson: (json) => respond(jsonBytesResponse(version, json)),
    refuse,
    refuseWith: (refusal) => respond(refusalResponse(version, refusal)),
  };
}

function versionOf(path: string): HttpVersion {
  if (path.startsWith("/v2")) return "v2";
  return path.startsWith("/v3") ? "v3" : "v1";
}
