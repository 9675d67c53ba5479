// Policies allow or deny actions to some principals, beside the actions that their access roles allow. Operators keep
// them as records. A policy also says which actions need no proof at all, so that this can be read and changed.

import { fail, RegistryError } from "../base/errors.ts";
import { readAddressOrBlock } from "../model/addressBlock.ts";
import { KEY_PART_CHARS_MAX } from "../model/serviceKey.ts";
import { checkedAbout, checkedName } from "./names.ts";
import { ACCESS_ROLES, type AccessRole, PRINCIPAL_KINDS, type PrincipalKind } from "./principal.ts";

/** The actions of clients with services. `list`: to read a list once, or the names of services. */
export const SERVICE_ACTIONS = ["publish", "subscribe", "list"] as const;

export type ServiceAction = (typeof SERVICE_ACTIONS)[number];

/**
 * The actions of clients with values: configuration, keys of Consul, nodes of ZooKeeper. `fetch`: to read one, watch
 * it, or list the names of some; `store`: to write or remove one, and to lock it.
 */
export const VALUE_ACTIONS = ["fetch", "store"] as const;

export type ValueAction = (typeof VALUE_ACTIONS)[number];

/** All actions of clients. */
export const CLIENT_ACTIONS = [...SERVICE_ACTIONS, ...VALUE_ACTIONS] as const;

export type ClientAction = (typeof CLIENT_ACTIONS)[number];

/**
 * A value of clients. Configuration of Nacos: its namespace, group and dataId. Others are in the default namespace: a
 * key of Consul in the group `consul`, its configuration entries and prepared queries in `consul-config` and
 * `consul-query`, and a node of ZooKeeper in `zookeeper`.
 */
export interface ValueKey {
  readonly namespace: string;
  readonly group: string;
  readonly name: string;
}

/**
 * The right that an operation needs: to see everything; to move work between nodes and to show held lists; to set what
 * clients see; to change identities and policies.
 */
export const PERMISSIONS = ["read", "operate", "configure", "admin"] as const;

export type Permission = (typeof PERMISSIONS)[number];

export const ACTIONS = [...CLIENT_ACTIONS, ...PERMISSIONS] as const;

export type Action = ClientAction | Permission;

export const POLICY_EFFECTS = ["allow", "deny"] as const;

export type PolicyEffect = (typeof POLICY_EFFECTS)[number];

/** The principals that a policy is for: those for which every given condition holds. */
export interface PolicySubjects {
  readonly names?: readonly string[];
  readonly kinds?: readonly PrincipalKind[];
  readonly roles?: readonly AccessRole[];
  /** The addresses, and blocks of them, that they come from, in the form of `readAddressOrBlock`. */
  readonly addresses?: readonly string[];
}

/**
 * The services and values that a policy is for: those for which every given condition holds. Operations are for none.
 */
export interface PolicyServices {
  readonly namespaces?: readonly string[];
  readonly groups?: readonly string[];
  /** The beginnings of the names of services and values. */
  readonly namePrefixes?: readonly string[];
}

/** A policy as an operator writes it. */
export interface PolicyDraft {
  readonly name: string;
  readonly effect: PolicyEffect;
  /** None: the policy does nothing, which is how the policies that are there from the start are switched off. */
  readonly actions: readonly Action[];
  readonly subjects: PolicySubjects;
  readonly services: PolicyServices;
  readonly reason: string;
}

export interface Policy extends PolicyDraft {
  /** The operator; empty for a policy that is there from the start. */
  readonly setBy: string;
  readonly setMs: number;
}

/** The policy by which clients need no proof. */
export const ANONYMOUS_CLIENTS = "anonymous-clients";

/** Without any record: clients need no proof, and neither does reading at the machine of a node. */
export const DEFAULT_POLICIES: readonly Policy[] = [
  {
    name: ANONYMOUS_CLIENTS,
    effect: "allow",
    actions: CLIENT_ACTIONS,
    subjects: { kinds: ["anonymous"] },
    services: {},
    reason: "there from the start: clients publish, subscribe, list, fetch and store without a proof",
    setBy: "",
    setMs: 0,
  },
  {
    name: "certified-clients",
    effect: "allow",
    actions: CLIENT_ACTIONS,
    subjects: { kinds: ["certificate"] },
    services: {},
    reason: "there from the start: a certificate of an authority of tls-client-ca-file is proof enough for clients",
    setBy: "",
    setMs: 0,
  },
  {
    name: "anonymous-local-readers",
    effect: "allow",
    actions: ["read"],
    subjects: { kinds: ["anonymous"], addresses: ["127.0.0.0/8", "[::1]"] },
    services: {},
    reason: "there from the start: operations that only read need no proof on the node's own machine",
    setBy: "",
    setMs: 0,
  },
];

/** The most policies: each change of them is told to every node as a whole. */
export const POLICIES_MAX = 1_000;
/** The most values of one condition. */
export const CONDITION_VALUES_MAX = 200;

const NAMES = { namespaces: "namespace", groups: "group", namePrefixes: "name" } as const;

/** The draft with its addresses in one form. Returns FIELD_INVALID for what no policy may have. */
export function checkedPolicy(draft: PolicyDraft): PolicyDraft | RegistryError {
  const { name, reason, effect, actions, subjects, services } = draft;
  const fault =
    checkedName("name", name) ??
    checkedAbout("reason", reason) ??
    unknownIn("actions", actions, ACTIONS) ??
    unknownIn("kinds", subjects.kinds, PRINCIPAL_KINDS) ??
    unknownIn("roles", subjects.roles, ACCESS_ROLES) ??
    serviceFault(services) ??
    meaningFault(draft);
  if (fault !== undefined) return fault;
  if (!POLICY_EFFECTS.includes(effect)) return unknown("effect", effect, POLICY_EFFECTS);
  const tooManyNames = sizeFault("names", subjects.names ?? []);
  if (tooManyNames !== undefined) return tooManyNames;
  for (const one of subjects.names ?? []) {
    const wrong = checkedName("names", one);
    if (wrong !== undefined) return wrong;
  }
  const { addresses } = subjects;
  if (addresses === undefined) return draft;
  const tooMany = sizeFault("addresses", addresses);
  if (tooMany !== undefined) return tooMany;
  const read: string[] = [];
  for (const text of addresses) {
    const address = readAddressOrBlock(text);
    if (address instanceof RegistryError) return address;
    read.push(address);
  }
  return { ...draft, subjects: { ...subjects, addresses: read } };
}

/** A policy that would do something else than its words say. */
function meaningFault({ effect, actions, services }: PolicyDraft): RegistryError | undefined {
  const [permission] = actions.filter((action) => !isClientAction(action));
  const isForServices = Object.values(services).some((condition) => condition !== undefined);
  if (isForServices && permission !== undefined) {
    const expected = `no condition on services: ${permission} is about operations, which are for no service`;
    return fail("FIELD_INVALID", { field: "services", value: permission, expected });
  }
  // Otherwise a policy could lock out every admin who could remove it.
  if (effect === "deny" && actions.includes("admin")) {
    const expected = "no admin: take the access role admin from an identity instead";
    return fail("FIELD_INVALID", { field: "actions", value: "admin", expected });
  }
  return undefined;
}

function serviceFault(services: PolicyServices): RegistryError | undefined {
  for (const field of ["namespaces", "groups", "namePrefixes"] as const) {
    const values = services[field];
    const tooMany = values && sizeFault(field, values);
    if (tooMany !== undefined) return tooMany;
    const wrong = values?.find((value) => value === "" || value.length > KEY_PART_CHARS_MAX);
    if (wrong === undefined) continue;
    const expected = `1 to ${KEY_PART_CHARS_MAX} characters of a ${NAMES[field]}`;
    return fail("FIELD_INVALID", { field, value: wrong, expected });
  }
  return undefined;
}

function unknownIn(
  field: string,
  values: readonly string[] | undefined,
  known: readonly string[],
): RegistryError | undefined {
  const wrong = values?.find((value) => !known.includes(value));
  return wrong === undefined ? values && sizeFault(field, values) : unknown(field, wrong, known);
}

function unknown(field: string, value: string, known: readonly string[]): RegistryError {
  return fail("FIELD_INVALID", { field, value, expected: `one of ${known.join(", ")}` });
}

function sizeFault(field: string, values: readonly string[]): RegistryError | undefined {
  if (values.length <= CONDITION_VALUES_MAX) return undefined;
  return fail("FIELD_INVALID", { field, values: values.length, expected: `at most ${CONDITION_VALUES_MAX} values` });
}

/** Whether it is an action of clients, which is about a service or a value. */
export function isClientAction(action: Action): action is ClientAction {
  return CLIENT_ACTIONS.some((one) => one === action);
}
