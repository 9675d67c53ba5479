// Logins: a name and a password for a token, which clients send with their requests from then on.

import { RegistryError } from "../../../base/errors.ts";
import type { ClientAccess, ClientToken } from "../../kit/clientAccess.ts";
import type { NacosCall, NacosPath } from "./forms.ts";

const PATHS = ["/v1/auth/login", "/v1/auth/users/login", "/v3/auth/user/login"];
// Clients log in again when nine tenths of it are over. The real server's own time.
const TTL_S = 18_000;

/** The paths; each answers alike, without an envelope. */
export function loginPaths(access: Pick<ClientAccess, "logIn">): NacosPath[] {
  return PATHS.map((path) => ({ method: "POST", path, asks: "open", handle: (call) => logIn(call, access) }));
}

function logIn(call: NacosCall, access: Pick<ClientAccess, "logIn">): void {
  const { params, from } = call;
  const name = params.needed("username");
  access.logIn(from, { name, password: params.text("password") }, (outcome) => {
    if (outcome instanceof RegistryError) return call.refuse(outcome);
    call.answerBare(outcome === "not needed" ? notNeeded(name) : tokenJson(outcome));
  });
}

function tokenJson({ token, ttlMs, principal }: ClientToken): object {
  const tokenTtl = Math.floor(ttlMs / 1_000);
  return { accessToken: token, tokenTtl, globalAdmin: principal.roles.includes("admin"), username: principal.name };
}

/** Clients that have a name and a password insist on a token; no one looks at this one. */
function notNeeded(username: string): object {
  return { accessToken: "not-needed", tokenTtl: TTL_S, globalAdmin: false, username };
}
