// Operations of callers on themselves: who they are, how they get a token, and how they give it back. They need no
// permission, since they ask for a proof themselves or tell the caller's own.

import { type AccessSet, principalOf } from "../../access/accessSet.ts";
import { CONFIGURED_OPERATOR, LOCAL_OPERATOR } from "../../access/identity.ts";
import { ACTIONS, isClientAction, PERMISSIONS } from "../../access/policy.ts";
import { ACCESS_ROLES, ANONYMOUS, anonymous, PRINCIPAL_KINDS, type Principal } from "../../access/principal.ts";
import { newToken } from "../../access/proofs.ts";
import { fail } from "../../base/errors.ts";
import { isoTime } from "../isoTime.ts";
import { operation } from "../operation.ts";
import { flag, list, object, oneOf, text, time } from "../schema.ts";
import { done, NAME } from "./identities.ts";
import { DONE } from "./nodes.ts";

export const whoAmI = operation({
  name: "access.whoami",
  method: "GET",
  path: "/access/whoami",
  about: "Shows who the caller is for the registry, and what the caller may do.",
  parameters: {},
  command: { words: ["whoami"], columns: ["name", "kind", "roles", "may", "from"] },
  isChange: false,
  permission: "open",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({
    name: text("The name of the principal; anonymous for a caller without credentials."),
    kind: oneOf(PRINCIPAL_KINDS, "Its kind."),
    roles: list(oneOf(ACCESS_ROLES, "An access role."), "Its access roles."),
    may: list(oneOf(PERMISSIONS, "A permission."), "The permissions of operations that it has."),
    from: text("The address that the caller comes from."),
    isClaimed: flag("The cluster has an admin. Until then, the claim code makes one."),
  }),
  run({ caller, access, nowMs }) {
    const { name, kind, roles, from } = caller;
    const may = PERMISSIONS.filter((permission) => access.set().mayDo(caller, permission).isAllowed);
    return { name, kind, roles, may, from, isClaimed: access.set().isClaimed(nowMs()) };
  },
});

export const claimAccess = operation({
  name: "access.claim",
  method: "POST",
  path: "/access/claim",
  about: "Makes the first admin: a token, for the claim code that the leading meta node logs.",
  parameters: {
    code: { type: "text", charsMax: 100, isRequired: true, isSecret: true, about: "The claim code." },
    name: { type: "text", charsMax: 128, default: "admin", about: "The name of the token." },
  },
  command: { words: ["access claim"] },
  isChange: true,
  permission: "open",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({ name: text("Its name."), token: text("The token. It is shown once, and can't be read again.") }),
  delegates: true,
  async run(node, { code, name }) {
    const { shown, secret } = newToken(node.access.secrets);
    done(await node.ask("access.redeem", { code, name, secret }));
    await node.access.refresh();
    return { name, token: shown };
  },
});

// A month: a login that is stolen is worth nothing for ever.
const LOGIN_MS = 30 * 24 * 3_600_000;
const SUFFIX_BYTES = 9;

export const logIn = operation({
  name: "access.login",
  method: "POST",
  path: "/access/login",
  about: "Gives a user, who proves to be one by name and password, a token for a month or for the given time.",
  parameters: {
    for: { type: "duration", about: "The time after which it ends; without it a month, which is the most." },
  },
  command: { words: ["access login"] },
  isChange: true,
  permission: "open",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({
    name: text("The name of the login."),
    token: text("The token. It is shown once, and can't be read again."),
    until: time("When it ends."),
  }),
  delegates: true,
  async run(node, { for: forMs = LOGIN_MS }) {
    const { access, caller, nowMs } = node;
    if (caller.kind !== "user") throw fail("CREDENTIALS_NEEDED", { expected: "the name and the password of a user" });
    const { shown, secret } = newToken(access.secrets);
    const name = `${caller.name.slice(0, 100)}-login-${access.secrets.random(SUFFIX_BYTES)}`;
    const until = isoTime(Math.ceil(nowMs() + Math.min(forMs, LOGIN_MS)));
    done(await node.ask("access.store", { name, secret, until }));
    await access.refresh();
    return { name, token: shown, until };
  },
});

export const logOut = operation({
  name: "access.logout",
  method: "POST",
  path: "/access/logout",
  about: "Ends the token that the caller comes with.",
  parameters: {},
  command: { words: ["access logout"] },
  isChange: true,
  permission: "open",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: DONE,
  async run({ caller, access }) {
    const { kind, name } = caller;
    if (kind !== "token" || name === LOCAL_OPERATOR || name === CONFIGURED_OPERATOR) {
      throw fail("FIELD_INVALID", { field: "authorization", value: name, expected: "a token that the store has" });
    }
    await access.change({ kind: "removeIdentity", name }, name);
    return { isDone: true, message: `${name} is ended` };
  },
});

export const checkAccess = operation({
  name: "access.check",
  method: "GET",
  path: "/access/check",
  about: "Shows whether an identity may do something, and the access role or the policy that decides it.",
  parameters: {
    name: { ...NAME, about: "The identity; anonymous for callers without credentials." },
    action: { type: "choice", oneOf: ACTIONS, isRequired: true, about: "The action." },
    service: {
      type: "service",
      about: "The service to publish, subscribe or list, or a value by its parts; needed for these.",
    },
    from: { type: "address", about: "The address that it comes from; without it one on the node's machine." },
  },
  command: { words: ["policy check"] },
  isChange: false,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "meta" },
  answer: object({
    isAllowed: flag("It may."),
    by: text("The access role or the policy that decides; empty if nothing allows it."),
  }),
  run({ access, nowMs }, { name, action, service, from = "127.0.0.1" }) {
    const known = ACTIONS.find((one) => one === action);
    if (known === undefined || isClientAction(known) !== (service !== undefined)) {
      const expected = "a service or a value for what clients do, and none for a permission";
      throw fail("FIELD_INVALID", { field: "service", value: service ?? "", expected });
    }
    const principal = principalNamed(access.set(), { name, from, nowMs: nowMs() });
    const { isAllowed, by = "" } = access.set().mayDo(principal, known, service);
    return { isAllowed, by };
  },
});

interface Named {
  readonly name: string;
  readonly from: string;
  readonly nowMs: number;
}

function principalNamed(set: AccessSet, { name, from, nowMs }: Named): Principal {
  if (name === ANONYMOUS) return anonymous(from);
  const identity = set.identity(name);
  if (identity === undefined) throw fail("IDENTITY_UNKNOWN", { identity: name });
  return principalOf(set.worthOf(identity, nowMs) ?? { ...identity, roles: [] }, from);
}
