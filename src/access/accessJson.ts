// Identities and policies as JSON: the one form in which they are stored, told to other nodes and kept on a node's
// disk. Fields that are not known are ignored, so that a later release can add some.

import type { Identity } from "./identity.ts";
import {
  ACTIONS,
  type Action,
  POLICY_EFFECTS,
  type Policy,
  type PolicyServices,
  type PolicySubjects,
} from "./policy.ts";
import { ACCESS_ROLES, IDENTITY_KINDS, PRINCIPAL_KINDS, type Principal } from "./principal.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Undefined for what is no identity. */
export function readIdentity(json: unknown): Identity | undefined {
  const { name, kind, roles, secret, about, untilMs, loginOf, setBy, setMs } = fieldsOf(json);
  const known = IDENTITY_KINDS.find((one) => one === kind);
  if (known === undefined || !isText(name) || !isText(secret) || !isText(about) || !isText(setBy)) return undefined;
  if (!isTime(setMs) || (untilMs !== undefined && !isTime(untilMs)) || !isTexts(roles)) return undefined;
  // An access role of a later release allows nothing here.
  const knownRoles = ACCESS_ROLES.filter((role) => roles.includes(role));
  const login = loginIn(loginOf);
  if (login === undefined) return undefined;
  const end = untilMs === undefined ? {} : { untilMs };
  return { name, kind: known, roles: knownRoles, secret, about, ...end, ...login, setBy, setMs };
}

function loginIn(json: unknown): Pick<Identity, "loginOf"> | undefined {
  if (json === undefined) return {};
  const { name, setMs } = fieldsOf(json);
  return isText(name) && isTime(setMs) ? { loginOf: { name, setMs } } : undefined;
}

/**
 * Undefined for what is no policy. A policy of a later release with a condition or an action that is not known here
 * can't be applied as it is meant: one that allows then allows nothing, and one that denies is taken without what is
 * not known, so that it denies more.
 */
export function readPolicy(json: unknown): Policy | undefined {
  const { name, effect, actions, subjects, services, reason, setBy, setMs } = fieldsOf(json);
  const known = POLICY_EFFECTS.find((one) => one === effect);
  if (known === undefined || !isText(name) || !isText(reason) || !isText(setBy) || !isTime(setMs)) return undefined;
  if (!isTexts(actions)) return undefined;
  const readSubjects = subjectsIn(subjects);
  const readServices = servicesIn(services);
  if (readSubjects === undefined || readServices === undefined) return undefined;
  const isWhole = readSubjects.isWhole && readServices.isWhole;
  const knownActions = ACTIONS.filter((action) => actions.includes(action));
  const applied: readonly Action[] = isWhole || known === "deny" ? knownActions : [];
  const conditions = { subjects: readSubjects.conditions, services: readServices.conditions };
  return { name, effect: known, actions: applied, ...conditions, reason, setBy, setMs };
}

/** Undefined for what is no principal. */
export function readPrincipal(json: unknown): Principal | undefined {
  const { kind, name, roles, from, loginOf } = fieldsOf(json);
  const known = PRINCIPAL_KINDS.find((one) => one === kind);
  if (known === undefined || !isText(name) || !isText(from) || !isTexts(roles)) return undefined;
  if (loginOf !== undefined && !isText(loginOf)) return undefined;
  const login = loginOf === undefined ? {} : { loginOf };
  return { kind: known, name, roles: ACCESS_ROLES.filter((role) => roles.includes(role)), from, ...login };
}

interface Conditions<Of> {
  readonly conditions: Of;
  /** Every condition is known here. */
  readonly isWhole: boolean;
}

function subjectsIn(json: unknown): Conditions<PolicySubjects> | undefined {
  const { names, kinds, roles, addresses, ...others } = fieldsOf(json);
  const all = [names, kinds, roles, addresses];
  if (!all.every((list) => list === undefined || isTexts(list))) return undefined;
  const lists = { names, kinds, roles, addresses } as PolicySubjects;
  return { conditions: defined(lists), isWhole: Object.keys(others).length === 0 };
}

function servicesIn(json: unknown): Conditions<PolicyServices> | undefined {
  const { namespaces, groups, namePrefixes, ...others } = fieldsOf(json);
  const all = [namespaces, groups, namePrefixes];
  if (!all.every((list) => list === undefined || isTexts(list))) return undefined;
  const lists = { namespaces, groups, namePrefixes } as PolicyServices;
  return { conditions: defined(lists), isWhole: Object.keys(others).length === 0 };
}

function defined<Of extends object>(fields: Of): Of {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Of;
}

export function fieldsOf(json: unknown): Fields {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Fields) : {};
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
