// Operations that only other operations ask for: no path and no command leads to them. They carry hashes of secrets to
// the leading meta node, where the operation that was asked for had the secrets themselves.

import { CLAIMANT } from "../../access/identity.ts";
import { ACCESS_ROLES, IDENTITY_KINDS } from "../../access/principal.ts";
import { fail } from "../../base/errors.ts";
import { operation } from "../operation.ts";
import type { ListParameter, TextParameter } from "../parameter.ts";
import { NAME, stateOfIdentity } from "./identities.ts";
import { DONE } from "./nodes.ts";

const SECRET: TextParameter & { readonly isRequired: true } = {
  type: "text",
  charsMax: 200,
  isRequired: true,
  isSecret: true,
  about: "The hash of the secret.",
};

const ROLES = {
  type: "list",
  of: { type: "choice", oneOf: ACCESS_ROLES, about: "" },
  countMax: ACCESS_ROLES.length,
  about: "Its access roles.",
} as const satisfies ListParameter;

const common = {
  isChange: true,
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfIdentity,
} as const;

const putIdentity = operation({
  ...common,
  name: "identities.put",
  method: "POST",
  path: "",
  about: "Stores a new identity.",
  parameters: {
    name: NAME,
    kind: { type: "choice", oneOf: IDENTITY_KINDS, isRequired: true, about: "Its kind." },
    roles: ROLES,
    secret: SECRET,
    about: { type: "text", charsMax: 500, default: "", about: "What it is for." },
    until: { type: "time", about: "When it ends." },
  },
  permission: "admin",
  async run(node, { until, roles = [], ...draft }) {
    const end = until === undefined ? {} : { untilMs: until };
    const identity = { ...draft, roles, ...end };
    await node.access.change({ kind: "putIdentity", identity, isNew: true }, node.caller.name);
    return { isDone: true, message: `${draft.name} is added` };
  },
});

const putSecret = operation({
  ...common,
  name: "identities.secret",
  method: "PUT",
  path: "",
  about: "Stores another secret of an identity.",
  parameters: { name: NAME, secret: SECRET },
  permission: "admin",
  async run(node, { name, secret }) {
    await node.access.change({ kind: "changeIdentity", name, change: { secret } }, node.caller.name);
    return { isDone: true, message: `${name} has another secret` };
  },
});

const redeemClaim = operation({
  ...common,
  name: "access.redeem",
  method: "POST",
  path: "",
  about: "Stores the first admin, for the claim code.",
  parameters: { name: NAME, code: { ...SECRET, about: "The claim code." }, secret: SECRET },
  permission: "open",
  async run(node, { name, code, secret }) {
    node.access.checkClaim(code, node.caller.from);
    const identity = { name, kind: "token", roles: ["admin"], secret, about: "made with the claim code" } as const;
    await node.access.change({ kind: "putIdentity", identity, isNew: true }, CLAIMANT);
    return { isDone: true, message: `${name} administers the cluster` };
  },
});

const storeLogin = operation({
  ...common,
  name: "access.store",
  method: "POST",
  path: "",
  about: "Stores a login of the user who asks.",
  parameters: { name: NAME, secret: SECRET, until: { type: "time", isRequired: true, about: "When it ends." } },
  permission: "open",
  async run(node, { name, secret, until }) {
    const { caller } = node;
    if (caller.kind !== "user") throw fail("CREDENTIALS_NEEDED", { expected: "the name and the password of a user" });
    const login = { roles: caller.roles, loginOf: caller.name, untilMs: until, about: `from ${caller.from}` };
    const identity = { name, kind: "token", secret, ...login } as const;
    await node.access.change({ kind: "putIdentity", identity, isNew: true }, caller.name);
    return { isDone: true, message: `${name} is a login of ${caller.name}` };
  },
});

/** All of them. */
export const INNER_OPERATIONS = [putIdentity, putSecret, redeemClaim, storeLogin];
