// Operations on identities: users, tokens and client keys. Secrets are made or hashed at the node that is asked; only
// hashes travel to other nodes (inner.ts), and a secret that a node makes is in the answer once and nowhere else.

import type { Identity } from "../../access/identity.ts";
import { ACCESS_ROLES, IDENTITY_KINDS, type IdentityKind } from "../../access/principal.ts";
import { hashPassword, newClientKey, newToken } from "../../access/proofs.ts";
import { SECRET_BYTES } from "../../access/secretForm.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { isoTime } from "../isoTime.ts";
import type { OperatedNode, Reply } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import type { DurationParameter, ListParameter, ParameterTable, TextParameter } from "../parameter.ts";
import { flag, type Json, list, object, oneOf, orNull, text, time } from "../schema.ts";
import { DONE } from "./nodes.ts";

export const NAME: TextParameter & { readonly isRequired: true } = {
  type: "text",
  charsMax: 128,
  isRequired: true,
  about: "Its name, unique among users, tokens and client keys.",
};

const ROLES = {
  type: "list",
  of: { type: "choice", oneOf: ACCESS_ROLES, about: "" },
  countMax: ACCESS_ROLES.length,
  about:
    "Its access roles: admin may do everything, operator reads, operates and sets values, reader reads, client " +
    "publishes, subscribes and lists. Without one it may do what policies allow it.",
} as const satisfies ListParameter;

const ABOUT: TextParameter & { readonly default: string } = {
  type: "text",
  charsMax: 500,
  default: "",
  about: "What it is for, for other operators.",
};

const FOR: DurationParameter = {
  type: "duration",
  about: "The time after which it ends by itself; without it it stays.",
};

// Some words, or what a password manager makes; no more work than one block of the hash.
const PASSWORD_CHARS_MAX = 1_000;
const PASSWORD_CHARS_MIN = 12;

const PASSWORD: TextParameter = {
  type: "text",
  charsMax: PASSWORD_CHARS_MAX,
  isSecret: true,
  about: `The password, at least ${PASSWORD_CHARS_MIN} characters; without it the node makes one, and shows it once.`,
};

const IDENTITY_ROW = object({
  name: text("Its name."),
  kind: oneOf(IDENTITY_KINDS, "A user has a password, a token is one, a client key signs."),
  roles: list(oneOf(ACCESS_ROLES, "An access role."), "Its access roles."),
  about: text("What it is for."),
  loginOf: orNull(text("The user whose login it is; null for any other identity.")),
  until: orNull(time("When it ends; null for one that stays.")),
  isEnded: flag("It proves nothing any more: its time is over, or the user of the login has changed."),
  setBy: text("The principal that has set it."),
  setAt: time("When it was set."),
});

/** The state of an identity, for the audit trail. */
export function stateOfIdentity(node: OperatedNode, { name }: { readonly name: string }): Json | undefined {
  const identity = node.access.set().identity(name);
  return identity && identityRow(node, identity);
}

function identityRow(node: OperatedNode, identity: Identity): Json {
  const { name, kind, roles, about, loginOf, untilMs, setBy, setMs } = identity;
  return {
    name,
    kind,
    roles,
    about,
    loginOf: loginOf?.name ?? null,
    until: untilMs === undefined ? null : isoTime(untilMs),
    isEnded: node.access.set().worthOf(identity, node.nowMs()) === undefined,
    setBy,
    setAt: isoTime(setMs),
  };
}

export const listIdentities = operation({
  name: "identities.list",
  method: "GET",
  path: "/identities",
  about: "Lists the identities: users, tokens and client keys, without their secrets.",
  parameters: {
    kind: { type: "choice", oneOf: IDENTITY_KINDS, about: "Only identities of this kind." },
    ...PAGE_PARAMETERS,
  },
  command: {
    words: ["get identities", "user list", "token list"],
    columns: ["name", "kind", "roles", "until", "isEnded", "setBy", "about"],
  },
  isChange: false,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "meta" },
  answer: object({ items: list(IDENTITY_ROW, "A page of identities, by name."), ...PAGE_FIELDS }),
  run(node, { kind, limit, after }) {
    const wanted = [...node.access.set().identities()].filter((one) => kind === undefined || one.kind === kind);
    const { entries, total, next } = pageOf(wanted, { limit, after, keyOf: ({ name }) => name });
    return { items: entries.map((one) => identityRow(node, one)), total, next };
  },
});

interface Wanted {
  readonly name: string;
  readonly roles?: readonly string[] | undefined;
  readonly about: string;
  readonly for?: number | undefined;
  readonly secret: string;
  readonly kind: IdentityKind;
}

/** Has a new identity stored. Throws the refusal. */
async function add(node: OperatedNode, { name, kind, roles = [], about, for: forMs, secret }: Wanted): Promise<void> {
  const until = forMs === undefined ? {} : { until: isoTime(Math.ceil(node.nowMs() + forMs)) };
  const list = roles.length === 0 ? {} : { roles };
  done(await node.ask("identities.put", { name, kind, ...list, about, secret, ...until }));
  await node.access.refresh();
}

/** Throws the refusal that a reply is, if it is one. */
export function done({ status, body }: Reply): Json {
  if (status < 400) return body;
  const { error } = body as unknown as { error?: { code: string; message: string; retry: boolean } };
  const { code = "INTERNAL", message = "", retry = false } = error ?? {};
  const meaning = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  throw new RegistryError(code, { retry, meaning }, {});
}

function checkPassword(password: string): void {
  if (password.length >= PASSWORD_CHARS_MIN) return;
  const expected = `at least ${PASSWORD_CHARS_MIN} characters`;
  throw fail("FIELD_INVALID", { field: "password", characters: password.length, expected });
}

/** The password that is given, or a new one. */
function passwordOf(node: OperatedNode, given: string | undefined): string {
  if (given === undefined) return node.access.secrets.random(SECRET_BYTES);
  checkPassword(given);
  return given;
}

const SHOWN = orNull(text("The password, if the node has made it. It is shown once, and can't be read again."));

export const addUser = operation({
  name: "users.add",
  method: "POST",
  path: "/users",
  about: "Adds a user: a person with a password.",
  parameters: { name: NAME, roles: ROLES, password: PASSWORD, about: ABOUT, for: FOR },
  command: { fromFile: "password" },
  isChange: true,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({ name: text("The user."), password: SHOWN }),
  delegates: true,
  async run(node, { password: given, ...user }) {
    const password = passwordOf(node, given);
    const secret = await hashPassword(password, node.access.secrets);
    await add(node, { ...user, kind: "user", secret });
    return { name: user.name, password: given === undefined ? password : null };
  },
});

export const setPassword = operation({
  name: "users.password",
  method: "PUT",
  path: "/user/password",
  about: "Sets a user's password, and ends the user's logins.",
  parameters: { name: NAME, password: PASSWORD },
  command: { words: ["user password"], fromFile: "password" },
  isChange: true,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({ name: text("The user."), password: SHOWN }),
  delegates: true,
  async run(node, { name, password: given }) {
    const password = passwordOf(node, given);
    const secret = await hashPassword(password, node.access.secrets);
    done(await node.ask("identities.secret", { name, secret }));
    await node.access.refresh();
    return { name, password: given === undefined ? password : null };
  },
});

export const createToken = operation({
  name: "tokens.create",
  method: "POST",
  path: "/tokens",
  about: "Creates a token: for a program, or for a person without a password.",
  parameters: { name: NAME, roles: ROLES, about: ABOUT, for: FOR },
  isChange: true,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({ name: text("Its name."), token: text("The token. It is shown once, and can't be read again.") }),
  delegates: true,
  async run(node, wanted) {
    const { shown, secret } = newToken(node.access.secrets);
    await add(node, { ...wanted, kind: "token", secret });
    return { name: wanted.name, token: shown };
  },
});

export const createClientKey = operation({
  name: "keys.create",
  method: "POST",
  path: "/keys",
  about: "Creates a client key: the name and the secret with which clients sign.",
  parameters: { name: NAME, roles: ROLES, about: ABOUT, for: FOR },
  isChange: true,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({
    name: text("Its name: the access key."),
    secret: text("The secret that clients sign with. It is shown once, and can't be read again."),
  }),
  delegates: true,
  async run(node, wanted) {
    const { shown, secret } = newClientKey(node.access.secrets);
    await add(node, { ...wanted, kind: "clientKey", secret });
    return { name: wanted.name, secret: shown };
  },
});

const CHANGED = {
  name: NAME,
  roles: { ...ROLES, about: "Its access roles, in place of those that it has; without them they stay." },
  noRoles: { type: "flag", about: "Whether to take all access roles from it." },
  about: { type: "text", charsMax: 500, about: "What it is for; without it that stays." },
} as const satisfies ParameterTable;

export const changeIdentity = operation({
  name: "identities.change",
  method: "PUT",
  path: "/identity",
  about: "Changes the access roles of an identity, or what it is for; a user's logins end.",
  parameters: CHANGED,
  command: { words: ["identity change", "user change"] },
  isChange: true,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfIdentity,
  async run(node, { name, roles, noRoles, about }) {
    const wanted = noRoles ? [] : roles;
    const change = { ...(wanted && { roles: wanted }), ...(about !== undefined && { about }) };
    await node.access.change({ kind: "changeIdentity", name, change }, node.caller.name);
    return { isDone: true, message: `${name} is changed` };
  },
});

export const removeIdentity = operation({
  name: "identities.remove",
  method: "DELETE",
  path: "/identity",
  about: "Removes a user, a token or a client key: it proves nothing any more, on any node within a second.",
  parameters: { name: NAME },
  command: { words: ["identity remove", "user remove", "token remove", "key remove"] },
  isChange: true,
  permission: "admin",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfIdentity,
  async run(node, { name }, isPreview) {
    if (!isPreview) {
      await node.access.change({ kind: "removeIdentity", name }, node.caller.name);
      return { isDone: true, message: `${name} is removed` };
    }
    if (node.access.set().identity(name) === undefined) throw fail("IDENTITY_UNKNOWN", { identity: name });
    return { isDone: false, message: `${name} would be removed` };
  },
});
