// Identities and policies on their way from the meta nodes to all others: the changes since the epoch that a node has,
// or everything.

import { fieldsOf, readIdentity, readPolicy } from "./accessJson.ts";
import { type AccessChange, type AccessSet, NO_ACCESS_RECORDS } from "./accessSet.ts";

/** A change, or without `base` everything, up to an epoch. */
export interface AccessTold {
  readonly epoch: bigint;
  /** The epoch of the set that this changes. */
  readonly base?: bigint;
  readonly change: AccessChange;
}

/** As JSON in one line. */
export function writeTold({ epoch, base, change }: AccessTold): string {
  return JSON.stringify({ epoch: String(epoch), ...(base !== undefined && { base: String(base) }), ...change });
}

/**
 * Undefined for a text that is none. An identity that this release does not understand proves nothing here, and is
 * left out; its earlier state, if this is a change, is gone.
 */
export function readTold(text: string): AccessTold | undefined {
  const { epoch, base, identities, policies, identitiesGone, policiesGone } = fieldsOf(parsed(text));
  const isWhole = isEpoch(epoch) && (base === undefined || isEpoch(base));
  if (!isWhole || !Array.isArray(identities) || !Array.isArray(policies)) return undefined;
  const read = { identities: identities.map(readIdentity), policies: policies.map(readPolicy) };
  const change = {
    identities: read.identities.filter((one) => one !== undefined),
    policies: read.policies.filter((one) => one !== undefined),
    identitiesGone: [...textsIn(identitiesGone), ...unread(identities, read.identities)],
    policiesGone: [...textsIn(policiesGone), ...unread(policies, read.policies)],
  };
  return { epoch: BigInt(epoch), ...(base !== undefined && { base: BigInt(base) }), change };
}

function isEpoch(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,19}$/.test(value);
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** The names of those that were not understood. */
function unread(all: readonly unknown[], read: readonly unknown[]): string[] {
  return all.flatMap((one, at) => (read[at] === undefined ? textsIn([fieldsOf(one)["name"]]) : []));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A node's copy of all identities and policies. */
export class AccessView {
  #set = NO_ACCESS_RECORDS;

  get set(): AccessSet {
    return this.#set;
  }

  /** Takes what was told. `behind`: it changes a set that is not here, and everything must be asked for. */
  received({ epoch, base, change }: AccessTold): "taken" | "known" | "behind" {
    if (epoch <= this.#set.epoch) return "known";
    if (base !== undefined && base !== this.#set.epoch) return "behind";
    const before = base === undefined ? NO_ACCESS_RECORDS : this.#set;
    this.#set = before.changed(change, epoch);
    return "taken";
  }
}

// A node asks twice a second; this covers one that was away for minutes of the busiest cluster.
const CHANGES_MAX = 200;

/** The last changes, so that a node that lacks a few is not told everything. */
export class AccessHistory {
  #set = NO_ACCESS_RECORDS;
  readonly #changes: { readonly base: bigint; readonly change: AccessChange }[] = [];

  get set(): AccessSet {
    return this.#set;
  }

  /** The next set. */
  add(next: AccessSet): void {
    this.#changes.push({ base: this.#set.epoch, change: changeTo(this.#set, next) });
    if (this.#changes.length > CHANGES_MAX) this.#changes.shift();
    this.#set = next;
  }

  /** The changes that a node lacks that has this epoch; undefined: none. */
  since(epoch: bigint): AccessTold | undefined {
    const { epoch: newest } = this.#set;
    if (epoch >= newest) return undefined;
    const from = this.#changes.findIndex(({ base }) => base === epoch);
    if (from < 0) return { epoch: newest, change: this.#set.asChange() };
    return { epoch: newest, base: epoch, change: this.#namedBy(this.#changes.slice(from).map(({ change }) => change)) };
  }

  /** The present state of everything that these changes name. */
  #namedBy(changes: readonly AccessChange[]): AccessChange {
    const named = (of: (change: AccessChange) => readonly string[]) => [...new Set(changes.flatMap(of))];
    const identities = named((change) => [...change.identities.map(({ name }) => name), ...change.identitiesGone]);
    const policies = named((change) => [...change.policies.map(({ name }) => name), ...change.policiesGone]);
    const stored = new Map([...this.#set.storedPolicies()].map((policy) => [policy.name, policy]));
    return {
      identities: identities.flatMap((name) => this.#set.identity(name) ?? []),
      policies: policies.flatMap((name) => stored.get(name) ?? []),
      identitiesGone: identities.filter((name) => this.#set.identity(name) === undefined),
      policiesGone: policies.filter((name) => !stored.has(name)),
    };
  }
}

/** The change from one set to another one. */
function changeTo(before: AccessSet, after: AccessSet): AccessChange {
  const [identities, identitiesGone] = difference([...before.identities()], [...after.identities()]);
  const [policies, policiesGone] = difference([...before.storedPolicies()], [...after.storedPolicies()]);
  return { identities, policies, identitiesGone, policiesGone };
}

function difference<Named extends { readonly name: string }>(
  before: readonly Named[],
  after: readonly Named[],
): [changed: Named[], gone: string[]] {
  const known = new Map(before.map((one) => [one.name, one]));
  const kept = new Set(after.map(({ name }) => name));
  const isSame = (one: Named) => known.get(one.name) === one || sameText(known.get(one.name), one);
  return [after.filter((one) => !isSame(one)), [...known.keys()].filter((name) => !kept.has(name))];
}

function sameText(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
