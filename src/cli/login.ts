// `roster login` and `roster logout`: a token for the commands of this user, in a context that only this user can read.

import { resolve } from "node:path";
import { claimAccess, logIn, logOut } from "../admin/operations/login.ts";
import { fail } from "../base/errors.ts";
import {
  type Chosen,
  chosenTarget,
  chosenTls,
  type Environment,
  readContexts,
  type Target,
  writeContexts,
} from "./contexts.ts";
import { type Answer, NodeClient } from "./nodeClient.ts";
import { readPassword } from "./readPassword.ts";
import { readTlsFiles } from "./send.ts";

export interface Login extends Chosen {
  /** The claim code, in place of a name and a password. */
  readonly claim?: string | undefined;
  /** The user; with a claim code the name of the first admin. */
  readonly name?: string | undefined;
}

// Without any context, the nodes of the flags or this machine get one.
const DEFAULT_CONTEXT = "default";

/** Gets a token, and keeps it in the context. Returns what was done, in words. */
export async function login(wanted: Login, environment: Environment): Promise<string> {
  const target = loginTarget(wanted, environment);
  const { name, token } = await newToken(wanted, target, environment);
  const { context } = target;
  keep(environment, { ...target, token: String(token) });
  return `logged in as ${name}; the token is in the context ${context}`;
}

/** Ends the token of a context, and forgets it. Returns what was done, in words. */
export async function logout(chosen: Chosen, environment: Environment): Promise<string> {
  const { context, urls, token, tls } = chosenTarget(chosen, environment);
  if (context === undefined || token === undefined) {
    const expected = "a context with a token; `roster login` makes one";
    throw fail("FIELD_INVALID", { field: "--context", value: context ?? "", expected });
  }
  const credentialsFor = () => ({ value: `Bearer ${token}` });
  const { message } = await new NodeClient(urls, { credentialsFor, tls: readTlsFiles(tls) }).ask(logOut);
  keep(environment, { context, urls, tls });
  return String(message);
}

/** With `--url` and `--context` the context gets these URLs. */
function loginTarget(login: Login, environment: Environment): Target & { readonly context: string } {
  const { url, context } = login;
  const tls = chosenTls(login, environment);
  if (url !== undefined) return { urls: url.split(","), context: context ?? DEFAULT_CONTEXT, tls };
  const target = chosenTarget({ ...tls, context }, environment);
  return { ...target, context: target.context ?? DEFAULT_CONTEXT };
}

async function newToken({ claim, name }: Login, { urls, tls }: Target, environment: Environment): Promise<Answer> {
  const material = readTlsFiles(tls);
  if (claim !== undefined) {
    return new NodeClient(urls, { tls: material }).ask(claimAccess, {
      code: claim,
      ...(name !== undefined && { name }),
    });
  }
  if (name === undefined) {
    const expected = "the name of a user, or --claim with the code that the leading meta node logs";
    throw fail("FIELD_INVALID", { field: "--name", value: "", expected });
  }
  const password = environment["ROSTER_PASSWORD"] ?? (await readPassword(`password of ${name}: `));
  const value = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  return new NodeClient(urls, { credentialsFor: () => ({ value }), tls: material }).ask(logIn);
}

function keep(environment: Environment, { context, tls, ...rest }: Target & { readonly context: string }): void {
  const { current, contexts } = readContexts(environment);
  // Commands may run in any folder.
  const files = Object.entries(tls).map(([name, file]) => [name, resolve(String(file))]);
  const kept = { ...rest, ...(files.length > 0 && { tls: Object.fromEntries(files) }) };
  writeContexts(environment, { current: current ?? context, contexts: { ...contexts, [context]: kept } });
}
