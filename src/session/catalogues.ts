// Questions about the catalogue. The session keeps a copy of each scope that is asked for, told by the leaders of all
// slots, until no question has come for a while. Only the node that leads a slot by the newest table counts, and what
// an earlier one told stays until the next one has told its own.

import { assert } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import { CATALOGUE_ENTRIES_MAX, CATALOGUE_SCOPES_MAX, type CatalogueMessage } from "../cluster/messages/catalogue.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import { type CatalogueEntry, nameOf } from "../model/catalogue.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { CatalogueScope, NodeId, ServiceKey } from "../model/ids.ts";
import { matchesName } from "../model/namePattern.ts";
import type { CatalogueAsker, CatalogueEvent } from "../registry/catalogue.ts";
import { CatalogueCopy } from "./catalogueCopy.ts";
import type { DataLinks } from "./dataLinks.ts";

// Pollers ask every few seconds; one that asks less often than once a minute waits until all slots are told again.
const KEPT_MS = 60_000;
// Each costs a look at every change of its scope.
const ASKERS_MAX = 10_000;
// Some 300 bytes each, in all scopes together.
const ENTRIES_MAX = 250_000;

type Asked = Extract<CatalogueEvent, { kind: "askedCatalogue" }>;

/** A scope that is asked for. */
interface OpenScope {
  readonly scope: CatalogueScope;
  readonly copy: CatalogueCopy;
  readonly waiting: Map<CatalogueAsker, Asked>;
  readonly standing: Map<CatalogueAsker, Asked>;
  /** The changes of this step. */
  changes: CatalogueEntry[];
  /** Slots of which the copy is behind, until they are told or asked for again. */
  readonly behind: Set<number>;
  askedMs: number;
}

export class Catalogues {
  readonly #links: DataLinks;
  readonly #scopes = new Map<CatalogueScope, OpenScope>();
  readonly #byAsker = new Map<CatalogueAsker, OpenScope>();
  readonly #ends = new Deadlines<CatalogueAsker>();
  /** Scopes that were too large, until they are tried again. */
  readonly #refused = new Map<CatalogueScope, number>();

  constructor(links: DataLinks) {
    this.#links = links;
  }

  /** The number of questions that wait for their answers. */
  get waiting(): number {
    return this.#ends.size;
  }

  /** The scopes that are kept. */
  scopes(): Iterable<CatalogueScope> {
    return this.#scopes.keys();
  }

  /** Answers a question now, or lets it wait, or ends it. */
  step(event: CatalogueEvent, nowMs: number): void {
    if (event.kind === "gaveUpCatalogue") return this.#remove(event.asker);
    assert(!this.#byAsker.has(event.asker), "an asker has one question at a time");
    const open = this.#open(event.scope, nowMs);
    if (!("copy" in open)) return event.asker.answer({ kind: "failed", error: open });
    open.askedMs = nowMs;
    if (this.#isWhole(open) && open.changes.length === 0) return this.#answer(open, event);
    open.waiting.set(event.asker, event);
    this.#byAsker.set(event.asker, open);
    this.#ends.set(event.asker, event.untilMs);
  }

  received(from: NodeId, message: CatalogueMessage, nowMs: number): void {
    const open = this.#scopes.get(message.scope);
    const slot = message.kind === "catalogue" ? message.slot : message.base.slot;
    if (open === undefined || this.#links.leaderOfSlot(slot) !== from) return;
    if (message.kind === "catalogue") {
      const changes = open.copy.takeWhole(from, message, nowMs);
      if (changes === undefined) return;
      open.behind.delete(slot);
      return this.#changed(open, { slot, changes, nowMs });
    }
    const changes = open.copy.takeChanges(message, nowMs);
    if (changes !== undefined) return this.#changed(open, { slot, changes, nowMs });
    // A telling may be under way; if not, the leader answers what it is asked now.
    if (open.behind.has(slot)) return;
    open.behind.add(slot);
    this.#ask(open, (one) => one === slot);
  }

  /** Other nodes lead these slots now, or their leader is ready only now. */
  moved(slots: ReadonlySet<number>): void {
    if (slots.size === 0) return;
    for (const open of this.#scopes.values()) {
      for (const slot of slots) open.behind.delete(slot);
      this.#ask(open, (slot) => slots.has(slot));
    }
  }

  /** Compares all slots with their leaders, or those of one node, which has a new link. */
  compare(node?: NodeId): void {
    for (const open of this.#scopes.values()) {
      open.behind.clear();
      this.#ask(open, (slot) => node === undefined || this.#links.leaderOfSlot(slot) === node);
    }
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    let nextMs = this.#ends.nextMs();
    for (const open of this.#scopes.values()) {
      if (open.waiting.size + open.standing.size === 0) nextMs = Math.min(nextMs, open.askedMs + KEPT_MS);
    }
    return nextMs;
  }

  /**
   * Tells standing askers the changes of this step, answers those that waited for it, and lets go what is not asked.
   */
  wake(nowMs: number): void {
    for (const open of this.#scopes.values()) {
      this.#tellChanges(open);
      if (open.waiting.size > 0 && this.#isWhole(open)) {
        for (const asked of [...open.waiting.values()]) this.#answer(open, asked);
      }
    }
    for (let asker = this.#ends.take(nowMs); asker !== undefined; asker = this.#ends.take(nowMs)) {
      const open = this.#byAsker.get(asker);
      const asked = open?.waiting.get(asker);
      if (open !== undefined && asked !== undefined) this.#answer(open, asked);
    }
    for (const open of this.#scopes.values()) {
      if (open.waiting.size + open.standing.size === 0 && nowMs >= open.askedMs + KEPT_MS) this.#letGo(open);
    }
    for (const [scope, untilMs] of this.#refused) if (nowMs >= untilMs) this.#refused.delete(scope);
  }

  #open(scope: CatalogueScope, nowMs: number): OpenScope | RegistryError {
    const refusedMs = this.#refused.get(scope) ?? Number.NEGATIVE_INFINITY;
    if (nowMs < refusedMs) return fail("CATALOGUE_TOO_LARGE", { scope, entriesMax: ENTRIES_MAX });
    if (this.#byAsker.size >= ASKERS_MAX) return fail("QUERIES_EXHAUSTED", { waiting: this.#byAsker.size });
    const known = this.#scopes.get(scope);
    if (known !== undefined) return known;
    if (this.#scopes.size >= CATALOGUE_SCOPES_MAX && !this.#letOneGo()) {
      return fail("QUERIES_EXHAUSTED", { scopes: this.#scopes.size });
    }
    const open: OpenScope = {
      scope,
      copy: new CatalogueCopy(),
      waiting: new Map(),
      standing: new Map(),
      changes: [],
      behind: new Set(),
      askedMs: nowMs,
    };
    this.#scopes.set(scope, open);
    this.#ask(open, () => true);
    return open;
  }

  /** Lets the scope go that was asked for longest ago and is not asked for now. */
  #letOneGo(): boolean {
    let oldest: OpenScope | undefined;
    for (const open of this.#scopes.values()) {
      if (open.waiting.size + open.standing.size > 0) continue;
      if (oldest === undefined || open.askedMs < oldest.askedMs) oldest = open;
    }
    if (oldest !== undefined) this.#letGo(oldest);
    return oldest !== undefined;
  }

  #letGo(open: OpenScope): void {
    this.#scopes.delete(open.scope);
    for (const node of new Set(this.#links.table?.slots.map(({ leader }) => leader))) {
      if (this.#links.isReachable(node)) this.#links.send(node, { kind: "catalogueRelease", scopes: [open.scope] });
    }
  }

  /** All slots have been told. */
  #isWhole({ copy }: OpenScope): boolean {
    return copy.known === this.#links.table?.slots.length;
  }

  #changed(
    open: OpenScope,
    { slot, changes, nowMs }: { slot: number; changes: readonly CatalogueEntry[]; nowMs: number },
  ): void {
    for (const change of changes) open.changes.push(change);
    // The leader is to hear at once of a version that it has to go above.
    if (open.copy.takeIsAhead()) this.#ask(open, (one) => one === slot);
    this.#refuseIfTooLarge(nowMs);
  }

  /** With too many entries in all, the largest scope is given up, whichever has grown. */
  #refuseIfTooLarge(nowMs: number): void {
    let size = 0;
    let largest: OpenScope | undefined;
    for (const open of this.#scopes.values()) {
      size += open.copy.size;
      if (largest === undefined || open.copy.size > largest.copy.size) largest = open;
    }
    if (size <= ENTRIES_MAX || largest === undefined) return;
    const open = largest;
    const { scope } = open;
    this.#letGo(open);
    this.#refused.set(scope, nowMs + KEPT_MS);
    const error = fail("CATALOGUE_TOO_LARGE", { scope, entriesMax: ENTRIES_MAX });
    for (const asker of [...open.waiting.keys(), ...open.standing.keys()]) {
      this.#remove(asker);
      asker.answer({ kind: "failed", error });
    }
  }

  #tellChanges(open: OpenScope): void {
    const { changes } = open;
    if (changes.length === 0) return;
    open.changes = [];
    for (const { asker, pattern } of [...open.standing.values()]) {
      const matching = changes.filter(({ serviceKey }) => matchesName(nameOf(serviceKey), pattern));
      if (matching.length > 0) asker.changed(matching);
    }
  }

  #answer(open: OpenScope, asked: Asked): void {
    const { asker, pattern, entriesMax, isStanding } = asked;
    this.#remove(asker);
    if (isStanding) {
      open.standing.set(asker, asked);
      this.#byAsker.set(asker, open);
    }
    const entries: CatalogueEntry[] = [];
    let isCut = false;
    for (const entry of open.copy.shown()) {
      if (!matchesName(nameOf(entry.serviceKey), pattern)) continue;
      isCut = entries.length >= entriesMax;
      if (isCut) break;
      entries.push(entry);
    }
    asker.answer({ kind: "catalogue", entries, isWhole: this.#isWhole(open), isCut, unshown: open.copy.unshown() });
  }

  #remove(asker: CatalogueAsker): void {
    const open = this.#byAsker.get(asker);
    open?.waiting.delete(asker);
    open?.standing.delete(asker);
    this.#byAsker.delete(asker);
    this.#ends.delete(asker);
  }

  /** Says to the leaders of the wanted slots what is here of them. */
  #ask({ scope, copy }: OpenScope, isWanted: (slot: number) => boolean): void {
    const byLeader = new Map<NodeId, { known: SlotDigest[]; unknown: number[]; ahead: [ServiceKey, DatumVersion][] }>();
    for (const [slot, { leader }] of (this.#links.table?.slots ?? []).entries()) {
      if (!isWanted(slot) || !this.#links.isReachable(leader)) continue;
      const ofLeader = byLeader.get(leader) ?? { known: [], unknown: [], ahead: [] };
      byLeader.set(leader, ofLeader);
      const digest = copy.digest(slot);
      if (digest === undefined) ofLeader.unknown.push(slot);
      else ofLeader.known.push(digest);
    }
    for (const [serviceKey, version] of copy.ahead()) {
      const leader = this.#links.leader(serviceKey);
      const ahead = leader === undefined ? undefined : byLeader.get(leader)?.ahead;
      if (ahead !== undefined && ahead.length < CATALOGUE_ENTRIES_MAX) ahead.push([serviceKey, version]);
    }
    for (const [leader, question] of byLeader) this.#links.send(leader, { kind: "catalogueWatch", scope, ...question });
  }
}
