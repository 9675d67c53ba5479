// The revisions of applications, as far as this session knows them. The store under the meta nodes has them all; the
// leading meta node registers, finds and renews them. A session keeps the contents that it has needed, and remembers of
// every revision that its lists name whether it could be read here.
//
// A question is asked again until it is answered, so nothing has to arrive. If the store has lost a revision that is
// used here, it gets it back from here.

import { unreachable } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import { APP_CONTENT_BYTES_MAX, APP_NAMES_MAX, type AppAnswer } from "../cluster/messages/apps.ts";
import type { MemberToMeta } from "../cluster/messages/membership.ts";
import type { AppRevision } from "../model/appRevision.ts";
import { RevisionContents } from "../model/revisionContents.ts";
import type { AppAsker, AppEvent, RevisionRegistered, RevisionsFound, RevisionsRenewed } from "../registry/apps.ts";

// A question that is not answered is asked again after this; a content is sent again after that time for each time that
// it was sent, up to ten seconds.
const AGAIN_MS = 1_000;
const REGISTER_AGAIN_MAX = 10;
// A revision that the store did not have is looked for again, as long as a list names it.
const UNKNOWN_AGAIN_MS = 2_000;
// A client that was refused tries again after half a second.
const LOOK_AGAIN_MS = 200;
// Clients send heartbeats every ten minutes, and so does the session for what its clients have published; the store
// forgets what was silent for a day. A confirmation within half that interval answers a heartbeat.
const RENEW_MS = 600_000;
const CONFIRMED_MS = RENEW_MS / 2;
// Publications of this session's clients that a renewal goes through in one step, a fraction of a millisecond.
const NAMES_PER_STEP = 2_000;
const STEP_MS = 4;
// Some 500 bytes each.
const ASKS_MAX = 10_000;
// Contents on their way to the store, and those that are kept.
const REGISTERING_BYTES_MAX = 32 * 1024 * 1024;
const CONTENT_BYTES_MAX = 64 * 1024 * 1024;
// Revisions that no list names any more are forgotten.
const SWEEP_MS = 60_000;

/** Whether a revision can be read here: it was, is looked for, or the store said that it does not have it. */
export type Readability = "readable" | "sought" | "unknown";

interface Sought {
  /** The time at which it was first wanted. */
  readonly sinceMs: number;
  isUnknown: boolean;
}

interface RegisterAsk {
  readonly kind: "register";
  readonly id: string;
  readonly asker: AppAsker<RevisionRegistered>;
}

interface Registering {
  readonly revision: AppRevision;
  /** None, if the session itself gives it back to the store. */
  readonly asks: Set<RegisterAsk>;
  /** The number of times that it was sent. */
  sent: number;
}

interface Finding {
  readonly kind: "find";
  readonly asker: AppAsker<RevisionsFound>;
  readonly open: Set<string>;
  readonly found: Map<string, AppRevision>;
  readonly unknown: string[];
}

interface Renewing {
  readonly kind: "renew";
  readonly asker: AppAsker<RevisionsRenewed>;
  readonly open: Set<string>;
  readonly unknown: string[];
}

type Ask = RegisterAsk | Finding | Renewing;

type RevisionEvent = Exclude<AppEvent, { kind: "askedServiceApps" | "listedApps" }>;

interface Effects {
  toMeta(message: MemberToMeta): void;
  /** The revisions that this session's clients have named in their publications, some of them twice. */
  namedHere(): Iterable<string>;
  /** The revisions that lists name here. */
  namedInLists(): Iterable<string>;
}

export class Revisions {
  readonly #effects: Effects;
  readonly #contents = new RevisionContents(CONTENT_BYTES_MAX);
  /** Revisions whose contents were here. */
  readonly #readable = new Set<string>();
  readonly #sought = new Map<string, Sought>();
  readonly #registering = new Map<string, Registering>();
  #registeringBytes = 0;
  /** The last time at which the store is known to have had a revision. */
  readonly #confirmed = new Map<string, number>();
  /** The next time at which something is asked again. */
  readonly #again = new Deadlines<string>();
  readonly #renewAgain = new Deadlines<string>();
  readonly #asks = new Deadlines<Ask>();
  readonly #finding = new Map<string, Set<Finding>>();
  readonly #renewing = new Map<string, Set<Renewing>>();
  #names: Iterator<string> | undefined;
  #stepMs = Number.POSITIVE_INFINITY;
  #renewMs: number;
  #sweepMs: number;
  #hasArrived = false;

  constructor(effects: Effects, nowMs: number) {
    this.#effects = effects;
    this.#renewMs = nowMs + RENEW_MS;
    this.#sweepMs = nowMs + SWEEP_MS;
  }

  /** The number of questions that wait for their answers. */
  get waiting(): number {
    return this.#asks.size;
  }

  /** The bytes of kept contents, and of those on their way to the store. */
  get bytes(): number {
    return this.#contents.bytes + this.#registeringBytes;
  }

  step(event: RevisionEvent, nowMs: number): void {
    switch (event.kind) {
      case "registeredRevision":
        return this.#register(event, nowMs);
      case "askedRevisions":
        return this.#find(event, nowMs);
      case "renewedRevisions":
        return this.#renew(event, nowMs);
      default:
        return unreachable(event);
    }
  }

  /** Whether a revision can be read; looks for one that can't. */
  readability(id: string, nowMs: number): Readability {
    if (this.#readable.has(id)) return "readable";
    return this.#seek(id, nowMs).isUnknown ? "unknown" : "sought";
  }

  /** The store did not have it a moment ago, and its client may have registered it since. */
  lookAgain(id: string, nowMs: number): void {
    if ((this.#again.get(id) ?? nowMs) > nowMs + LOOK_AGAIN_MS) this.#again.set(id, nowMs + LOOK_AGAIN_MS);
  }

  /** The time since which a revision that can't be read has been looked for. */
  soughtSinceMs(id: string): number {
    return this.#sought.get(id)?.sinceMs ?? Number.POSITIVE_INFINITY;
  }

  /** Whether anything has become readable or unknown since the last call. */
  takeArrived(): boolean {
    const hasArrived = this.#hasArrived;
    this.#hasArrived = false;
    return hasArrived;
  }

  received(message: AppAnswer, nowMs: number): void {
    switch (message.kind) {
      case "revisions":
        for (const revision of message.found) this.#found(revision, nowMs);
        for (const id of message.unknown) this.#notFound(id, nowMs);
        return;
      case "revisionsStored":
        for (const id of message.stored) this.#stored(id, nowMs);
        for (const id of message.unknown) this.#notStored(id, nowMs);
        return;
      case "revisionRefused":
        return this.#refused(message.id, message.reason);
      case "serviceApps":
      case "appsListed":
        return;
    }
  }

  /** A meta node can be reached again, or another one leads: the store may have lost what it had. */
  renewAll(nowMs: number): void {
    this.#names = this.#effects.namedHere()[Symbol.iterator]();
    this.#stepMs = nowMs;
    this.#renewMs = nowMs + RENEW_MS;
    // The questions under way may be lost.
    for (const id of [...this.#again.keys()]) this.#again.set(id, nowMs);
    for (const id of [...this.#renewAgain.keys()]) this.#renewAgain.set(id, nowMs);
  }

  /** This process stood still: answers from that time are read after this. */
  resumed(nowMs: number): void {
    this.#asks.postpone(nowMs + AGAIN_MS);
  }

  nextMs(): number {
    const repeatMs = Math.min(this.#again.nextMs(), this.#renewAgain.nextMs());
    return Math.min(this.#asks.nextMs(), repeatMs, this.#stepMs, this.#renewMs, this.#sweepMs);
  }

  wake(nowMs: number): void {
    for (let ask = this.#asks.take(nowMs); ask !== undefined; ask = this.#asks.take(nowMs)) this.#giveUp(ask);
    this.#askAgain(nowMs);
    if (nowMs >= this.#renewMs) this.renewAll(nowMs);
    if (nowMs >= this.#stepMs) this.#renewSome(nowMs);
    if (nowMs >= this.#sweepMs) this.#sweep(nowMs);
  }

  #register({ asker, revision, untilMs }: Extract<RevisionEvent, { kind: "registeredRevision" }>, nowMs: number): void {
    const { id } = revision;
    if (this.#contents.has(id) && this.#isConfirmed(id, nowMs)) return asker.answer({ error: undefined });
    const known = this.#registering.get(id);
    const bytes = this.#registeringBytes + (known === undefined ? revision.content.length : 0);
    const error = this.#exhausted() ?? (bytes > REGISTERING_BYTES_MAX ? exhausted(this.waiting) : undefined);
    if (error !== undefined) return asker.answer({ error });
    const registering = known ?? { revision, asks: new Set(), sent: 0 };
    const ask: RegisterAsk = { kind: "register", id, asker };
    registering.asks.add(ask);
    this.#registering.set(id, registering);
    this.#registeringBytes = bytes;
    this.#asks.set(ask, untilMs);
    if (known === undefined) this.#again.set(id, nowMs);
  }

  #find({ asker, ids, untilMs }: Extract<RevisionEvent, { kind: "askedRevisions" }>, nowMs: number): void {
    const found = new Map<string, AppRevision>();
    const open = new Set<string>();
    for (const id of ids) {
      const revision = this.#contents.take(id);
      if (revision === undefined) open.add(id);
      else found.set(id, revision);
    }
    const error = open.size === 0 ? undefined : this.#exhausted();
    if (open.size === 0 || error !== undefined) return asker.answer({ found, unknown: [], error });
    const finding: Finding = { kind: "find", asker, open, found, unknown: [] };
    this.#asks.set(finding, untilMs);
    for (const id of open) {
      this.#finding.set(id, (this.#finding.get(id) ?? new Set()).add(finding));
      // The last answer may be old.
      const sought = this.#seek(id, nowMs);
      if (sought.isUnknown) this.#again.set(id, nowMs);
    }
  }

  #renew({ asker, ids, untilMs }: Extract<RevisionEvent, { kind: "renewedRevisions" }>, nowMs: number): void {
    const open = new Set(ids.filter((id) => !this.#isConfirmed(id, nowMs)));
    const error = open.size === 0 ? undefined : this.#exhausted();
    if (open.size === 0 || error !== undefined) return asker.answer({ unknown: [], error });
    const renewing: Renewing = { kind: "renew", asker, open, unknown: [] };
    this.#asks.set(renewing, untilMs);
    for (const id of open) {
      this.#renewing.set(id, (this.#renewing.get(id) ?? new Set()).add(renewing));
      if (!this.#renewAgain.has(id)) this.#renewAgain.set(id, nowMs);
    }
  }

  #seek(id: string, nowMs: number): Sought {
    const known = this.#sought.get(id);
    if (known !== undefined) return known;
    const sought = { sinceMs: nowMs, isUnknown: false };
    this.#sought.set(id, sought);
    if (!this.#registering.has(id)) this.#again.set(id, nowMs);
    return sought;
  }

  #found(revision: AppRevision, nowMs: number): void {
    const { id } = revision;
    this.#confirmed.set(id, nowMs);
    this.#isHere(revision);
    for (const finding of this.#finding.get(id) ?? []) {
      finding.found.set(id, revision);
      this.#endOne(finding, id);
    }
    this.#finding.delete(id);
  }

  /** It can be read here from now on. */
  #isHere(revision: AppRevision): void {
    this.#contents.keep(revision);
    this.#sought.delete(revision.id);
    if (!this.#registering.has(revision.id)) this.#again.delete(revision.id);
    if (this.#readable.has(revision.id)) return;
    this.#readable.add(revision.id);
    this.#hasArrived = true;
  }

  #notFound(id: string, nowMs: number): void {
    // It is on its way to the store.
    if (this.#registering.has(id)) return;
    const content = this.#contents.take(id);
    if (content !== undefined) return this.#giveBack(content, nowMs);
    const sought = this.#sought.get(id);
    if (sought !== undefined && !sought.isUnknown) {
      sought.isUnknown = true;
      this.#hasArrived = true;
    }
    if (sought !== undefined) this.#again.set(id, nowMs + UNKNOWN_AGAIN_MS);
    for (const finding of this.#finding.get(id) ?? []) {
      finding.unknown.push(id);
      this.#endOne(finding, id);
    }
    this.#finding.delete(id);
  }

  /** The question is answered for one of its revisions, and as a whole with the last. */
  #endOne(finding: Finding, id: string): void {
    finding.open.delete(id);
    if (finding.open.size > 0) return;
    this.#asks.delete(finding);
    const { asker, found, unknown } = finding;
    asker.answer({ found, unknown, error: undefined });
  }

  /** The store has it, and it is renewed. */
  #stored(id: string, nowMs: number): void {
    this.#confirmed.set(id, nowMs);
    const registering = this.#registering.get(id);
    if (registering !== undefined) {
      this.#endRegistering(id);
      this.#found(registering.revision, nowMs);
      this.#answerRegistered(registering, undefined);
    }
    this.#renewed(id, false);
  }

  #notStored(id: string, nowMs: number): void {
    this.#confirmed.delete(id);
    const content = this.#contents.take(id);
    if (content !== undefined) this.#giveBack(content, nowMs);
    else this.#renewed(id, true);
  }

  /** The store has lost what is used here. */
  #giveBack(revision: AppRevision, nowMs: number): void {
    const bytes = this.#registeringBytes + revision.content.length;
    if (this.#registering.has(revision.id) || bytes > REGISTERING_BYTES_MAX) return;
    this.#registering.set(revision.id, { revision, asks: new Set(), sent: 0 });
    this.#registeringBytes = bytes;
    this.#again.set(revision.id, nowMs);
  }

  #renewed(id: string, isUnknown: boolean): void {
    this.#renewAgain.delete(id);
    for (const renewing of this.#renewing.get(id) ?? []) {
      renewing.open.delete(id);
      if (isUnknown) renewing.unknown.push(id);
      if (renewing.open.size > 0) continue;
      this.#asks.delete(renewing);
      renewing.asker.answer({ unknown: renewing.unknown, error: undefined });
    }
    this.#renewing.delete(id);
  }

  #refused(id: string, reason: string): void {
    const registering = this.#registering.get(id);
    if (registering === undefined) return;
    this.#endRegistering(id);
    this.#answerRegistered(registering, fail("REVISIONS_EXHAUSTED", { revision: id, reason }));
  }

  #endRegistering(id: string): void {
    const registering = this.#registering.get(id);
    if (registering === undefined) return;
    this.#registering.delete(id);
    this.#registeringBytes -= registering.revision.content.length;
    if (!this.#sought.has(id)) this.#again.delete(id);
  }

  #answerRegistered({ asks }: Registering, error: RegistryError | undefined): void {
    for (const ask of asks) this.#asks.delete(ask);
    for (const { asker } of asks) asker.answer({ error });
  }

  /** The time of a question is over. */
  #giveUp(ask: Ask): void {
    const error = fail("REVISIONS_UNAVAILABLE");
    if (ask.kind === "register") {
      const registering = this.#registering.get(ask.id);
      registering?.asks.delete(ask);
      if (registering?.asks.size === 0) this.#endRegistering(ask.id);
      return ask.asker.answer({ error });
    }
    for (const id of ask.open) {
      if (ask.kind === "find") remove(this.#finding, id, ask);
      else if (remove(this.#renewing, id, ask)) this.#renewAgain.delete(id);
    }
    const { unknown } = ask;
    if (ask.kind === "find") ask.asker.answer({ found: ask.found, unknown, error });
    else ask.asker.answer({ unknown, error });
  }

  #askAgain(nowMs: number): void {
    const ids = new Set<string>();
    let bytes = 0;
    for (let id = this.#again.take(nowMs); id !== undefined; id = this.#again.take(nowMs)) {
      const registering = this.#registering.get(id);
      if (registering === undefined) {
        this.#again.set(id, nowMs + AGAIN_MS);
        ids.add(id);
        continue;
      }
      registering.sent = Math.min(registering.sent + 1, REGISTER_AGAIN_MAX);
      this.#again.set(id, nowMs + AGAIN_MS * registering.sent);
      this.#effects.toMeta({ kind: "registerRevision", revision: registering.revision });
      bytes += registering.revision.content.length;
      // The rest is due in the next step.
      if (bytes > APP_CONTENT_BYTES_MAX) break;
    }
    this.#send("findRevisions", ids);
    const renewed = new Set<string>();
    for (let id = this.#renewAgain.take(nowMs); id !== undefined; id = this.#renewAgain.take(nowMs)) {
      renewed.add(id);
      this.#renewAgain.set(id, nowMs + AGAIN_MS);
    }
    this.#send("renewRevisions", renewed);
  }

  #send(kind: "findRevisions" | "renewRevisions", ids: Iterable<string>): void {
    const all = [...ids];
    for (let at = 0; at < all.length; at += APP_NAMES_MAX) {
      this.#effects.toMeta({ kind, ids: all.slice(at, at + APP_NAMES_MAX) });
    }
  }

  #renewSome(nowMs: number): void {
    const ids = new Set<string>();
    for (let left = NAMES_PER_STEP; left > 0; left--) {
      const next = this.#names?.next();
      if (next === undefined || next.done === true) {
        this.#names = undefined;
        break;
      }
      if (next.value !== "") ids.add(next.value);
    }
    this.#send("renewRevisions", ids);
    this.#stepMs = this.#names === undefined ? Number.POSITIVE_INFINITY : nowMs + STEP_MS;
  }

  #sweep(nowMs: number): void {
    this.#sweepMs = nowMs + SWEEP_MS;
    const named = new Set(this.#effects.namedInLists());
    for (const id of this.#readable) if (!named.has(id) && !this.#contents.has(id)) this.#readable.delete(id);
    for (const id of this.#sought.keys()) {
      if (named.has(id) || this.#finding.has(id)) continue;
      this.#sought.delete(id);
      if (!this.#registering.has(id)) this.#again.delete(id);
    }
    for (const [id, atMs] of this.#confirmed) if (atMs + RENEW_MS < nowMs) this.#confirmed.delete(id);
  }

  #isConfirmed(id: string, nowMs: number): boolean {
    return (this.#confirmed.get(id) ?? Number.NEGATIVE_INFINITY) + CONFIRMED_MS > nowMs;
  }

  #exhausted(): RegistryError | undefined {
    return this.waiting >= ASKS_MAX ? exhausted(this.waiting) : undefined;
  }
}

function exhausted(waiting: number): RegistryError {
  return fail("QUERIES_EXHAUSTED", { waiting });
}

/** Removes one of a set; true if it was the last. */
function remove<One>(sets: Map<string, Set<One>>, id: string, one: One): boolean {
  const set = sets.get(id);
  set?.delete(one);
  return set?.size === 0 && sets.delete(id);
}
