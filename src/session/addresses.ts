// Questions about an address. The leaders of all slots are asked for the registrations there; what clients of this
// session have is added at the end. Only the node that leads a slot by the newest table counts, and each slot once: an
// answer of a leader that lost the slot afterwards was true when the question was under way.

import { assert } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import { fail, RegistryError } from "../base/errors.ts";
import { ADDRESS_ENTRIES_MAX, ADDRESS_QUESTIONS_MAX, type AddressAnswerPart } from "../cluster/messages/address.ts";
import { readHost } from "../model/hostAddress.ts";
import type { NodeId } from "../model/ids.ts";
import type { Registration } from "../model/publication.ts";
import type {
  AddressAsker,
  AddressEvent,
  ClientAtAddress,
  ConfigWatchAtAddress,
  SubscriptionAtAddress,
} from "../registry/address.ts";
import type { ClientsByHost } from "./clientsByHost.ts";
import type { DataLinks } from "./dataLinks.ts";

// Some 300 bytes each, in all questions that wait together.
const ENTRIES_MAX = 100_000;
// Some milliseconds of work in one step.
const ENTRIES_PER_WAKE = 10_000;

type Asked = Extract<AddressEvent, { kind: "askedAddress" }>;

/** A question that waits for its answer. */
interface OpenQuestion {
  readonly asker: AddressAsker;
  readonly number: number;
  readonly host: string;
  readonly entriesMax: number;
  readonly registrations: Registration[];
  /** Slots that have been answered for. */
  readonly answered: Set<number>;
  /** In some of them a list is held. */
  hasHeld: boolean;
}

/** The clients of this session at a host. */
interface Own {
  readonly clients: readonly ClientAtAddress[];
  readonly subscriptions: readonly SubscriptionAtAddress[];
  readonly configWatches: readonly ConfigWatchAtAddress[];
  /** There is more of one kind. */
  readonly isMore: boolean;
}

export class Addresses {
  readonly #links: DataLinks;
  readonly #clients: ClientsByHost;
  readonly #byNumber = new Map<number, OpenQuestion>();
  readonly #byAsker = new Map<AddressAsker, OpenQuestion>();
  readonly #ends = new Deadlines<OpenQuestion>();
  #questions = 0;
  /** The registrations of all questions that wait. */
  #entries = 0;

  constructor(links: DataLinks, clients: ClientsByHost) {
    this.#links = links;
    this.#clients = clients;
  }

  /** The number of questions that wait for their answers. */
  get waiting(): number {
    return this.#byNumber.size;
  }

  /** Asks the data nodes, or ends a question. */
  step(event: AddressEvent): void {
    if (event.kind === "askedAddress") return this.#open(event);
    const open = this.#byAsker.get(event.asker);
    if (open !== undefined) this.#release(open);
  }

  received(from: NodeId, { question, slots, held, entries, isCut }: AddressAnswerPart): void {
    const open = this.#byNumber.get(question);
    if (open === undefined) return;
    const fresh = new Set(
      slots.filter((slot) => this.#isAwaited(open, slot) && this.#links.leaderOfSlot(slot) === from),
    );
    const wanted = entries.filter(({ serviceKey }) => fresh.has(this.#links.slotOf(serviceKey) ?? -1));
    // The leader tells no more of a question that it has cut. When some of what it told was of slots that it leads no
    // longer, it has cut too early, and is asked anew.
    if (isCut && open.registrations.length + wanted.length < open.entriesMax) {
      return this.#ask(open, (slot) => this.#links.leaderOfSlot(slot) === from);
    }
    for (const slot of fresh) open.answered.add(slot);
    open.hasHeld ||= held.some((slot) => fresh.has(slot));
    for (const entry of wanted) open.registrations.push(entry);
    this.#entries += wanted.length;
    const isTooMuch = open.registrations.length > open.entriesMax || this.#entries > ENTRIES_MAX;
    if (isTooMuch || isCut) return void this.#answer(open, true);
    if (this.#isWhole(open)) this.#answer(open, false);
  }

  /** Other nodes lead these slots now, or their leader is ready only now. */
  moved(slots: ReadonlySet<number>): void {
    if (slots.size === 0) return;
    for (const open of this.#byNumber.values()) this.#ask(open, (slot) => slots.has(slot));
  }

  /** Asks again for all slots that were not answered for, or for those of one node, which has a new link. */
  repeat(node?: NodeId): void {
    for (const open of this.#byNumber.values()) {
      this.#ask(open, (slot) => node === undefined || this.#links.leaderOfSlot(slot) === node);
    }
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    return this.#ends.nextMs();
  }

  /** Answers questions whose time is over with what there is: some now, and the others in the next step, at once. */
  wake(nowMs: number): void {
    let left = ENTRIES_PER_WAKE;
    while (left > 0) {
      const open = this.#ends.take(nowMs);
      if (open === undefined) return;
      left -= this.#answer(open, false);
    }
  }

  #open({ asker, address, entriesMax, untilMs }: Asked): void {
    assert(!this.#byAsker.has(asker), "an asker has one question at a time");
    const host = readHost(address);
    if (host instanceof RegistryError) return asker.answer({ kind: "failed", error: host });
    const waiting = this.#byNumber.size;
    if (waiting >= ADDRESS_QUESTIONS_MAX) {
      return asker.answer({ kind: "failed", error: fail("QUERIES_EXHAUSTED", { waiting }) });
    }
    const open: OpenQuestion = {
      asker,
      number: ++this.#questions,
      host,
      entriesMax: Math.min(entriesMax, ADDRESS_ENTRIES_MAX),
      registrations: [],
      answered: new Set(),
      hasHeld: false,
    };
    this.#byNumber.set(open.number, open);
    this.#byAsker.set(asker, open);
    this.#ends.set(open, untilMs);
    this.#ask(open, () => true);
  }

  #isAwaited({ answered }: OpenQuestion, slot: number): boolean {
    return !answered.has(slot);
  }

  /** All slots have been answered for. */
  #isWhole({ answered }: OpenQuestion): boolean {
    return answered.size === this.#links.table?.slots.length;
  }

  /** Returns the number of entries in the answer. */
  #answer(open: OpenQuestion, isCut: boolean): number {
    const { asker, host, entriesMax } = open;
    const isWhole = !isCut && this.#isWhole(open) && !open.hasHeld;
    this.#release(open);
    const registrations = open.registrations.slice(0, entriesMax);
    const { isMore, ...own } = this.#own(host, entriesMax);
    const isShort = isCut || isMore || registrations.length < open.registrations.length;
    asker.answer({ kind: "address", registrations, ...own, isWhole, isCut: isShort });
    const { clients, subscriptions, configWatches } = own;
    return registrations.length + clients.length + subscriptions.length + configWatches.length;
  }

  /** The first clients of this session at the host, and what they subscribe and watch. */
  #own(host: string, entriesMax: number): Own {
    const clients: ClientAtAddress[] = [];
    const subscriptions: SubscriptionAtAddress[] = [];
    const configWatches: ConfigWatchAtAddress[] = [];
    let isMore = false;
    for (const { id: client, principal, subscribers, configWatches: watches } of this.#clients.at(host)) {
      isMore ||= clients.length >= entriesMax;
      // A host may have 50,000 clients, and a client 100,000 subscriptions.
      if (clients.length >= entriesMax) break;
      clients.push({ client, principal });
      for (const { registId, target } of subscribers.values()) {
        isMore ||= subscriptions.length >= entriesMax;
        if (subscriptions.length >= entriesMax) break;
        subscriptions.push({ client, serviceKey: target.serviceKey, registId, scope: target.scope });
      }
      for (const { serviceKey, registId } of watches.values()) {
        isMore ||= configWatches.length >= entriesMax;
        if (configWatches.length >= entriesMax) break;
        configWatches.push({ client, serviceKey, registId });
      }
    }
    return { clients, subscriptions, configWatches, isMore };
  }

  /** Forgets the question, here and at the leaders that have not answered it. */
  #release(open: OpenQuestion): void {
    this.#byNumber.delete(open.number);
    this.#byAsker.delete(open.asker);
    this.#ends.delete(open);
    this.#entries -= open.registrations.length;
    for (const leader of this.#leaders(open, () => true).keys()) {
      this.#links.send(leader, { kind: "addressRelease", questions: [open.number] });
    }
  }

  #ask(open: OpenQuestion, isWanted: (slot: number) => boolean): void {
    const { number: question, host, entriesMax } = open;
    for (const [leader, slots] of this.#leaders(open, isWanted)) {
      this.#links.send(leader, { kind: "addressAsk", question, host, slots, entriesMax });
    }
  }

  /** The reachable leaders of the wanted slots that were not answered for, with these slots. */
  #leaders(open: OpenQuestion, isWanted: (slot: number) => boolean): Map<NodeId, number[]> {
    const byLeader = new Map<NodeId, number[]>();
    for (const [slot, { leader }] of (this.#links.table?.slots ?? []).entries()) {
      if (!isWanted(slot) || !this.#isAwaited(open, slot) || !this.#links.isReachable(leader)) continue;
      const slots = byLeader.get(leader) ?? [];
      byLeader.set(leader, slots);
      slots.push(slot);
    }
    return byLeader;
  }
}
