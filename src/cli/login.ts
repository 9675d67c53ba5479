// `roster login` and `roster logout`: a token for the commands of this user, in a context that only this user can read.

import { claimAccess, logIn, logOut } from "../admin/operations/login.ts";
import { fail } from "../base/errors.ts";
import { type Chosen, chosenTarget, type Environment, readContexts, type Target, writeContexts } from "./contexts.ts";
import { type Answer, NodeClient } from "./nodeClient.ts";
import { readPassword } from "./readPassword.ts";

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
  const { urls, context } = loginTarget(wanted, environment);
  const { name, token } = await newToken(wanted, urls, environment);
  keep(environment, { context, urls, token: String(token) });
  return `logged in as ${name}; the token is in the context ${context}`;
}

/** Ends the token of a context, and forgets it. Returns what was done, in words. */
export async function logout(chosen: Chosen, environment: Environment): Promise<string> {
  const { context, urls, token } = chosenTarget(chosen, environment);
  if (context === undefined || token === undefined) {
    const expected = "a context with a token; `roster login` makes one";
    throw fail("FIELD_INVALID", { field: "--context", value: context ?? "", expected });
  }
  const { message } = await new NodeClient(urls, () => ({ value: `Bearer ${token}` })).ask(logOut);
  keep(environment, { context, urls });
  return String(message);
}

/** With `--url` and `--context` the context gets these URLs. */
function loginTarget({ url, context }: Login, environment: Environment): Target & { readonly context: string } {
  if (url !== undefined) return { urls: url.split(","), context: context ?? DEFAULT_CONTEXT };
  const target = chosenTarget({ context }, environment);
  return { ...target, context: target.context ?? DEFAULT_CONTEXT };
}

async function newToken({ claim, name }: Login, urls: readonly string[], environment: Environment): Promise<Answer> {
  if (claim !== undefined) {
    return new NodeClient(urls).ask(claimAccess, { code: claim, ...(name !== undefined && { name }) });
  }
  if (name === undefined) {
    const expected = "the name of a user, or --claim with the code that the leading meta node logs";
    throw fail("FIELD_INVALID", { field: "--name", value: "", expected });
  }
  const password = environment["ROSTER_PASSWORD"] ?? (await readPassword(`password of ${name}: `));
  const value = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  return new NodeClient(urls, () => ({ value })).ask(logIn);
}

function keep(environment: Environment, { context, ...kept }: Target & { readonly context: string }): void {
  const { current, contexts } = readContexts(environment);
  writeContexts(environment, { current: current ?? context, contexts: { ...contexts, [context]: kept } });
}
