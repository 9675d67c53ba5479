// Which registrations are of clients at one address, for sessions that are asked. There is no index from addresses to
// registrations: the chains of one would take 8 bytes of each record, which has some hundred, and every write would
// keep them up. A search goes through the served slots instead, a part at a time, at 0.16 microseconds a registration,
// and serves all questions that wait for a slot when it comes there. A part is less than a millisecond, also within a
// service of a hundred thousand registrations. The store helps with a number of 12 bits for the
// host of each owner: only registrations of these hosts, and of one other in 4,095, are read.

import { defined } from "../base/assert.ts";
import {
  ADDRESS_ENTRIES_MAX,
  ADDRESS_QUESTIONS_MAX,
  type AddressAnswerPart,
  type AddressQuestion,
} from "../cluster/messages/address.ts";
import { hostNumberOfHost, hostOf, type NodeId } from "../model/ids.ts";
import type { Registration } from "../model/publication.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { HostSearch } from "./packed/publicationStore.ts";
import type { RestartHold } from "./restartHold.ts";
import type { Slots } from "./slots.ts";

// Some 0.7 milliseconds in one step, then a pause: searches take a quarter of a core at the most, and a million
// registrations 0.7 s (bench/micro/questions.ts).
const WORK_PER_STEP = 4_000;
const PAUSE_MS = 2;
// Going to a service takes as long as going over some of its registrations.
const WORK_PER_SERVICE = 3;
// A question takes 0.5 microseconds when a slot is begun, and as much when it is done.
const WORK_PER_SEARCH = 3;
// A registration at the host is read in full; each question copies it to its answer, which is encoded.
const WORK_PER_MATCH = 8;

type Ask = Extract<AddressQuestion, { kind: "addressAsk" }>;

/** A question of one session. */
interface Search {
  readonly session: NodeId;
  readonly question: number;
  readonly host: string;
  readonly entriesMax: number;
  /** The slots that are still to be answered for. */
  readonly slots: Set<number>;
  /** The number of entries that it was told. */
  told: number;
  /** The answer of this step. */
  answer: Pick<Answer, "slots" | "held" | "entries">;
}

interface Answer {
  readonly slots: number[];
  readonly held: number[];
  readonly entries: Registration[];
  readonly isCut: boolean;
}

/** The slot that is being gone through, and the searches that asked for it before. */
interface Pass {
  readonly slot: LedSlot;
  readonly rest: Iterator<Datum>;
  readonly hostNumbers: Set<number>;
  readonly byHost: Map<string, Set<Search>>;
  readonly found: Map<Search, Registration[]>;
  /** The service that is being gone through, and what was found in it. */
  within: HostSearch | undefined;
  readonly seen: Set<string>;
  hasHeld: boolean;
}

interface Parts {
  readonly slots: Pick<Slots, "ledSlot">;
  readonly hold: Pick<RestartHold, "holds" | "heldIn">;
}

/** Answers sessions which registrations are of clients at an address. */
export class AddressSearch {
  readonly #parts: Parts;
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #searches = new Map<NodeId, Map<number, Search>>();
  readonly #bySlot = new Map<number, Set<Search>>();
  /** Served slots that searches wait for, apart from the one under way. */
  readonly #due = new Set<number>();
  #pass: Pass | undefined;
  #workMs = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts, output: Pick<DataOutput, "toSession">) {
    this.#parts = parts;
    this.#output = output;
  }

  /** The sessions that wait for an answer. */
  askers(): Iterable<NodeId> {
    return this.#searches.keys();
  }

  /** A session asks, or asks for further slots. Of more than ADDRESS_QUESTIONS_MAX questions the last are ignored. */
  asked(session: NodeId, { question, host, slots, entriesMax }: Ask): void {
    const ofSession = this.#searches.get(session) ?? new Map<number, Search>();
    if (!ofSession.has(question) && ofSession.size >= ADDRESS_QUESTIONS_MAX) return;
    const search = ofSession.get(question) ?? {
      session,
      question,
      host,
      entriesMax: Math.min(entriesMax, ADDRESS_ENTRIES_MAX),
      slots: new Set<number>(),
      told: 0,
      answer: noAnswer(),
    };
    for (const slot of slots) this.#await(search, slot);
    if (search.slots.size === 0) return;
    ofSession.set(question, search);
    this.#searches.set(session, ofSession);
  }

  /** The session does not want the rest of these answers. */
  release(session: NodeId, questions: readonly number[]): void {
    for (const question of questions) {
      const search = this.#searches.get(session)?.get(question);
      if (search !== undefined) this.#end(search);
    }
  }

  /** The session's link is gone: it asks again when it is back. */
  unlinked(session: NodeId): void {
    for (const search of [...(this.#searches.get(session)?.values() ?? [])]) this.#end(search);
  }

  /** The slot has begun or ceased to be served. */
  changed({ contents: { slot }, isServing }: LedSlot): void {
    this.#abandon(slot);
    this.#due.delete(slot);
    if (isServing && this.#bySlot.has(slot)) this.#due.add(slot);
  }

  /** The slot begins to be led under another epoch, or is led by another node: sessions ask anew. */
  lost(slot: number): void {
    for (const search of [...(this.#bySlot.get(slot) ?? [])]) {
      this.#strike(search, slot);
      this.#forgetIfDone(search);
    }
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    return this.#pass === undefined && this.#due.size === 0 ? Number.POSITIVE_INFINITY : this.#workMs;
  }

  /** Goes through some of the slots, and tells what has been found in those that are done. */
  wake(nowMs: number): void {
    if (nowMs < this.nextMs()) return;
    const answered = new Set<Search>();
    let left = WORK_PER_STEP;
    while (left > 0) {
      if (this.#pass === undefined) {
        this.#pass = this.#nextPass();
        if (this.#pass === undefined) break;
        left -= WORK_PER_SEARCH * this.#pass.found.size;
      }
      left = this.#go(this.#pass, left, answered);
    }
    for (const search of answered) this.#tell(search, false);
    this.#workMs = nowMs + (PAUSE_MS * (WORK_PER_STEP - left)) / WORK_PER_STEP;
  }

  #await(search: Search, slot: number): void {
    const led = this.#parts.slots.ledSlot(slot);
    if (led === undefined || search.slots.has(slot)) return;
    search.slots.add(slot);
    const ofSlot = this.#bySlot.get(slot) ?? new Set();
    this.#bySlot.set(slot, ofSlot.add(search));
    if (led.isServing) this.#due.add(slot);
  }

  #nextPass(): Pass | undefined {
    for (const slot of this.#due) {
      // Should it be asked for meanwhile, its next turn comes after those of other slots.
      this.#due.delete(slot);
      const led = defined(this.#parts.slots.ledSlot(slot), "a slot that is due is led");
      const searches = defined(this.#bySlot.get(slot), "a search waits for a slot that is due");
      const byHost = new Map<string, Set<Search>>();
      for (const search of searches) {
        const ofHost = byHost.get(search.host) ?? new Set();
        byHost.set(search.host, ofHost.add(search));
      }
      const hostNumbers = new Set([...byHost.keys()].map(hostNumberOfHost));
      const found = new Map([...searches].map((search): [Search, Registration[]] => [search, []]));
      // A Map may change while it is iterated: removed entries are skipped, added ones come last.
      const rest = led.contents.datums.values();
      return { slot: led, rest, hostNumbers, byHost, found, within: undefined, seen: new Set(), hasHeld: false };
    }
    return undefined;
  }

  /** Continues in a slot; returns the rest of the step. */
  #go(pass: Pass, max: number, answered: Set<Search>): number {
    let left = max;
    // It is given up when the last search that waits for the slot has what it wants.
    while (left > 0 && this.#pass === pass) {
      if (pass.within !== undefined) {
        left -= this.#look(pass, pass.within, left);
        if (pass.within.isDone) pass.within = undefined;
        continue;
      }
      const { value: datum, done } = pass.rest.next();
      if (done === true) {
        this.#finish(pass, answered);
        return left - WORK_PER_SEARCH * pass.found.size;
      }
      left -= WORK_PER_SERVICE;
      pass.seen.clear();
      if (this.#parts.hold.holds(datum)) pass.hasHeld = true;
      else pass.within = datum.searchAt(pass.hostNumbers);
    }
    return left;
  }

  /** Goes over some registrations of a service, up to the next one at a host. Returns the work. */
  #look(pass: Pass, within: HostSearch, max: number): number {
    const { slot, byHost, found, seen } = pass;
    const registration = within.next(max);
    if (registration === undefined) return within.looked;
    const ofHost = byHost.get(hostOf(registration.owner.client));
    const work = within.looked + WORK_PER_MATCH * (1 + (ofHost?.size ?? 0));
    // It was taken back and made again since.
    if (ofHost === undefined || seen.has(registration.registId)) return work;
    seen.add(registration.registId);
    for (const search of ofHost) {
      const entries = found.get(search);
      if (entries === undefined || !search.slots.has(slot.contents.slot)) continue;
      if (search.told + search.answer.entries.length + entries.length < search.entriesMax) {
        entries.push(registration);
        continue;
      }
      this.#add(search, slot.contents.slot, entries);
      this.#tell(search, true);
      this.#end(search);
      this.#drop(pass, search);
    }
    return work;
  }

  /** A search that is cut needs no more registrations: those of a host without other searches are not read. */
  #drop({ hostNumbers, byHost, found }: Pass, search: Search): void {
    found.delete(search);
    const ofHost = defined(byHost.get(search.host), "a pass knows the hosts of its searches");
    ofHost.delete(search);
    if (ofHost.size > 0) return;
    byHost.delete(search.host);
    // Another host may have the same number.
    hostNumbers.clear();
    for (const host of byHost.keys()) hostNumbers.add(hostNumberOfHost(host));
  }

  #finish({ slot: { contents }, found, hasHeld }: Pass, answered: Set<Search>): void {
    const { slot } = contents;
    this.#pass = undefined;
    const isHeld = hasHeld || this.#parts.hold.heldIn(slot) > 0;
    for (const [search, entries] of found) {
      // It may have been released meanwhile.
      if (!search.slots.has(slot)) continue;
      this.#strike(search, slot);
      this.#add(search, slot, entries);
      if (isHeld) search.answer.held.push(slot);
      answered.add(search);
    }
  }

  #add({ answer }: Search, slot: number, entries: readonly Registration[]): void {
    answer.slots.push(slot);
    for (const entry of entries) answer.entries.push(entry);
  }

  #tell(search: Search, isCut: boolean): void {
    const { session, question, answer } = search;
    if (answer.slots.length === 0) return;
    const message: AddressAnswerPart = { kind: "addressAnswer", question, ...answer, isCut };
    search.told += answer.entries.length;
    search.answer = noAnswer();
    this.#output.toSession(session, message);
    this.#forgetIfDone(search);
  }

  /** If the slot is being gone through, that ends here. */
  #abandon(slot: number): void {
    if (this.#pass?.slot.contents.slot === slot) this.#pass = undefined;
  }

  #end(search: Search): void {
    for (const slot of [...search.slots]) this.#strike(search, slot);
    this.#forgetIfDone(search);
  }

  #strike(search: Search, slot: number): void {
    search.slots.delete(slot);
    const ofSlot = defined(this.#bySlot.get(slot), "a search is known to the slots that it waits for");
    ofSlot.delete(search);
    if (ofSlot.size > 0) return;
    this.#bySlot.delete(slot);
    this.#due.delete(slot);
    this.#abandon(slot);
  }

  #forgetIfDone({ session, question, slots }: Search): void {
    if (slots.size > 0) return;
    const ofSession = this.#searches.get(session);
    ofSession?.delete(question);
    if (ofSession?.size === 0) this.#searches.delete(session);
  }
}

function noAnswer(): Search["answer"] {
  return { slots: [], held: [], entries: [] };
}
