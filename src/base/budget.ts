// Counts everything that a client makes a process keep or do: for the client, for its address and for the process, in
// bytes and in registrations a second. Code that keeps something charges the client's account first, passes on a
// refusal, and releases the charge afterwards. docs/internals/limits.md lists what is charged.
//
// The bound for one address is not a setting. An address may hold as much as is still free, as switches share their
// buffers: one address alone can fill half, two a third each, and a newcomer always finds room. So a machine behind a
// NAT needs no exception, and no address can shut out the others. Work is shared in the same way, with four times the
// rest of the second: one address alone gets four fifths of it.
//
// Bytes are estimates of resident memory. Two rules keep honest clients out of trouble: each level checks only what
// grows there, so a charge that does not grow is always accepted, and a release is never refused.

import { hostGroup } from "./addressGroup.ts";
import { assert } from "./assert.ts";
import { type ErrorCode, fail, type RegistryError } from "./errors.ts";

/** The kinds of charges, for the metrics. */
export const CHARGE = {
  connections: 0,
  frames: 1,
  output: 2,
  registrations: 3,
  subscriptions: 4,
  configWatches: 5,
} as const;

export type ChargeKind = (typeof CHARGE)[keyof typeof CHARGE];

/** The levels that can exceed their bound. */
export const LEVELS = ["client", "address", "node"] as const;
export type Level = (typeof LEVELS)[number];

export interface BudgetLimits {
  /** The bound for all accounts together. */
  readonly bytesMax: number;
  readonly clientBytesMax: number;
  /** Registrations, and ends of registrations, accepted in a second. */
  readonly workPerSecondMax: number;
}

/** A charge that another one replaces. */
export interface Charge {
  readonly account: Account;
  readonly bytes: number;
}

const WORK_SHARE = 4;
const WINDOW_MS = 1_000;
// A client that has done nothing else in this second may do one piece of work of any size.
const WORK_AT_ONCE = 1 / 8;
// An address is logged as refused once a minute; the metrics count every refusal.
const LOG_MS = 60_000;

/** The totals of all accounts of one address. */
class Address {
  readonly name: string;
  accounts = 0;
  heldBytes = 0;
  work = 0;
  window = 0;
  loggedMs = Number.NEGATIVE_INFINITY;

  constructor(name: string) {
    this.name = name;
  }
}

/** The account of one client's connection. Its charges may outlive the connection. */
export class Account {
  readonly #budget: Budget;
  readonly #address: Address;
  #heldBytes = 0;
  #work = 0;
  #window = 0;
  #isOpen = true;

  /** Accounts are made by Budget.open. */
  constructor(budget: Budget, address: Address) {
    this.#budget = budget;
    this.#address = address;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get address(): string {
    return this.#address.name;
  }

  /** Charges `bytes`, or charges nothing and returns the refusal. */
  charge(kind: ChargeKind, bytes: number): RegistryError | undefined {
    return this.replace(kind, bytes, undefined);
  }

  /** Charges `bytes` in place of an earlier charge, perhaps another client's, which is released. */
  replace(kind: ChargeKind, bytes: number, before: Charge | undefined): RegistryError | undefined {
    const budget = this.#budget;
    const beforeBytes = before?.bytes ?? 0;
    const grownHere = before?.account === this ? bytes - beforeBytes : bytes;
    const grownAtAddress =
      before !== undefined && before.account.#address === this.#address ? bytes - beforeBytes : bytes;
    const refusal = budget.refusal(this.#heldBytes, this.#address.heldBytes, {
      client: grownHere,
      address: grownAtAddress,
      node: bytes - beforeBytes,
    });
    if (refusal !== undefined) return refusal;
    if (before !== undefined) before.account.release(kind, beforeBytes);
    this.#heldBytes += bytes;
    this.#address.heldBytes += bytes;
    budget.add(kind, bytes);
    return undefined;
  }

  release(kind: ChargeKind, bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#heldBytes, "an account releases what it holds");
    this.#heldBytes -= bytes;
    this.#address.heldBytes -= bytes;
    this.#budget.add(kind, -bytes);
    if (this.#address.heldBytes === 0) this.#budget.forgetIfUnused(this.#address);
  }

  /**
   * Counts one registration or the end of one in the present second, or work that costs as much as `count` of them.
   * Returns the error to answer with if that is too much.
   */
  work(nowMs: number, count = 1): RegistryError | undefined {
    const address = this.#address;
    const window = this.#budget.windowAt(nowMs);
    if (address.window !== window) {
      address.window = window;
      address.work = 0;
    }
    if (this.#window !== window) {
      this.#window = window;
      this.#work = 0;
    }
    const counted = Math.min(count, Math.max(1, this.#budget.limits.workPerSecondMax * WORK_AT_ONCE));
    const refusal = this.#budget.takeWork(counted, { client: this.#work, address: address.work });
    if (refusal !== undefined) return refusal;
    this.#work += counted;
    address.work += counted;
    this.#budget.worked(address);
    return undefined;
  }

  /** Whether a refusal of this address may be logged now: once a minute. */
  mayLog(nowMs: number): boolean {
    if (nowMs - this.#address.loggedMs < LOG_MS) return false;
    this.#address.loggedMs = nowMs;
    return true;
  }

  /** Ends the connection; its remaining charges are released later. May be called twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#address.accounts--;
    this.#budget.forgetIfUnused(this.#address);
  }
}

/** The account of a process. */
export class Budget {
  readonly #addresses = new Map<string, Address>();
  /**
   * Those that have worked in this second: it counts after their last account was closed, too, since a request by HTTP
   * has an account of its own. A second's work bounds them.
   */
  readonly #worked = new Set<Address>();
  readonly #heldByKind: number[] = Object.values(CHARGE).map(() => 0);
  readonly #refusals: Record<Level, number> = { client: 0, address: 0, node: 0 };
  #limits: BudgetLimits;
  #heldBytes = 0;
  #workLeft: number;
  #window = 1;
  #windowMs = Number.NEGATIVE_INFINITY;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
    this.#workLeft = limits.workPerSecondMax;
  }

  get limits(): BudgetLimits {
    return this.#limits;
  }

  /** Sets other bounds. Charges beyond them stay. */
  changeLimits(limits: BudgetLimits): void {
    this.#limits = limits;
    this.#workLeft = Math.min(this.#workLeft, limits.workPerSecondMax);
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The number of addresses that have a connection or hold something. */
  get addresses(): number {
    return [...this.#addresses.values()].filter(isInUse).length;
  }

  /** The same with those that have only worked of late. */
  get remembered(): number {
    return this.#addresses.size;
  }

  heldOf(kind: ChargeKind): number {
    return this.#heldByKind[kind] ?? 0;
  }

  /** The number of byte refusals since the process began. */
  refusals(level: Level): number {
    return this.#refusals[level];
  }

  /** Opens the account of a connection from this address, without its port; one of IPv6 counts as its network. */
  open(address: string): Account {
    const group = hostGroup(address);
    const known = this.#addresses.get(group) ?? new Address(group);
    this.#addresses.set(group, known);
    known.accounts++;
    return new Account(this, known);
  }

  /** For accounts: the refusal of the level that would exceed its bound, if any. */
  refusal(clientBytes: number, addressBytes: number, grown: Record<Level, number>): RegistryError | undefined {
    const { bytesMax, clientBytesMax } = this.limits;
    const free = bytesMax - this.#heldBytes - grown.node;
    if (grown.client > 0 && clientBytes + grown.client > clientBytesMax) {
      return this.#refused("client", { heldBytes: clientBytes, bytes: grown.client, bytesMax: clientBytesMax });
    }
    if (grown.node > 0 && free < 0) {
      return this.#refused("node", { heldBytes: this.#heldBytes, bytes: grown.node, bytesMax });
    }
    if (grown.address > 0 && addressBytes + grown.address > free) {
      return this.#refused("address", { heldBytes: addressBytes, bytes: grown.address, bytesMax: Math.max(0, free) });
    }
    return undefined;
  }

  /** For accounts. */
  add(kind: ChargeKind, bytes: number): void {
    this.#heldBytes += bytes;
    this.#heldByKind[kind] = this.heldOf(kind) + bytes;
  }

  /** For accounts: the number of the second that is now. */
  windowAt(nowMs: number): number {
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#window++;
      this.#workLeft = this.limits.workPerSecondMax;
      const worked = [...this.#worked];
      this.#worked.clear();
      for (const address of worked) this.forgetIfUnused(address);
    }
    return this.#window;
  }

  /** For accounts: the address has done work in the present second. */
  worked(address: Address): void {
    this.#worked.add(address);
  }

  /**
   * For accounts: takes a piece of this second's work, or refuses it to a client or address with too much work already.
   */
  takeWork(count: number, { client, address }: { client: number; address: number }): RegistryError | undefined {
    const left = this.#workLeft;
    const addressMax = WORK_SHARE * left;
    const clientMax = WORK_SHARE * (addressMax - address);
    if (left >= count && address + count <= addressMax && client + count <= clientMax) {
      this.#workLeft -= count;
      return undefined;
    }
    return fail("OVERLOADED", { perSecondMax: this.limits.workPerSecondMax, fromAddress: address });
  }

  /** For accounts. */
  forgetIfUnused(address: Address): void {
    if (isInUse(address) || this.#worked.has(address)) return;
    // A connection that is long over may release nothing at all after its address was made anew for other connections.
    if (this.#addresses.get(address.name) === address) this.#addresses.delete(address.name);
  }

  #refused(level: Level, details: { heldBytes: number; bytes: number; bytesMax: number }): RegistryError {
    this.#refusals[level]++;
    return fail(CODES[level], details);
  }
}

function isInUse({ accounts, heldBytes }: Address): boolean {
  return accounts > 0 || heldBytes > 0;
}

const CODES: Record<Level, ErrorCode> = {
  client: "CLIENT_BYTES_EXHAUSTED",
  address: "ADDRESS_BYTES_EXHAUSTED",
  node: "NODE_BYTES_EXHAUSTED",
};

/** A budget that refuses nothing, for tests and for programs that embed a role without one. */
export function unlimitedBudget(): Budget {
  const max = Number.MAX_SAFE_INTEGER;
  return new Budget({ bytesMax: max, clientBytesMax: max, workPerSecondMax: max });
}
