// Pushes lists to subscribers. First change now, then batch: the first change after quiet goes out at once, and then
// the service waits in proportion to what that push cost, so a hot service merges its changes and leaves the others
// their share. While it goes on changing it waits in growing gaps besides (PushGap). One push is under way to a target
// at a time; when it is answered the target gets the newest list if it has changed meanwhile, never the ones in
// between. An answer that comes late counts for the version that it was sent for, and nothing is repeated while the
// earlier push has not left this process.
//
// Pushing takes turns with everything else: after some milliseconds of pushing the process reads its input. Otherwise a
// hundred hot services of two thousand subscribers each would push for seconds on end, take unread answers for lost,
// push again, and never recover.

import { Deadlines } from "../base/deadlines.ts";
import type { CounterPort, HistogramPort, Metrics } from "../base/metrics.ts";
import { NO_VERSION } from "../model/version.ts";
import { hasLeft } from "./answerDueMs.ts";
import type { Client, PushTarget, PushUnderWay, Subscriber } from "./client.ts";
import { gatheredUntilMs, isGathering } from "./gathering.ts";
import { PausedClients } from "./pausedClients.ts";
import type { PushHolds } from "./pushHolds.ts";
import { PushTimeouts } from "./pushTimeouts.ts";
import { type PushFailure, retryDelayMs } from "./retryDelayMs.ts";
import { isBehind, markSeen } from "./seenVersions.ts";
import type { PushRound, SubscribedService, Subscriptions } from "./subscriptions.ts";

export interface PushOptions {
  readonly pushTimeoutMs: number;
  readonly pushRetriesMax: number;
  readonly pushWindowMaxMs: number;
}

// The window is four times the cost, so that one hot service takes at most a fifth of a core.
const WINDOW_PER_COST = 4;
// After this much pushing, by its cost, the role's host gets a turn. A service with more subscribers continues in the
// next one, after those that were due before. It is as long as the transport's turn of reading from clients, since each
// push is answered: in turns of 50 ms answers came too late (docs/internals/performance.md).
const TURN_MS = 20;
// After a process was away, its clients' answers from that time are still to be read: sixty thousand answers a second.
const FORGIVEN_MS = 1_000;
// The most pushes under way to a client; the targets beyond wait for an answer, in order. With a quarter of this a
// client that asks for a thousand services waits a third longer for all of them, if it answers in portions.
const UNDER_WAY_MAX = 128;
// The pusher does not wait for a client that has never answered, but does not send it everything at once either.
const UNANSWERED_MS = 50;
// Output that waits for such a client, and is too little for a socket to report when it has left, is checked again
// twice a second, which costs nothing and is soon enough for a client that reads so slowly.
const UNSENT_MS = 500;
// A client that was frozen answers everything when it continues: pushes that it has answered by then are not repeated.
const PAUSE_END_MS = 500;
// Used if there was no room for a push on trial.
const TRIAL_AGAIN_MS = 1_000;

// Some protocols number requests with 32-bit signed integers.
const PUSH_ID_MAX = 0x7fff_ffff;

/** Nothing was sent, and the target keeps its place among those that wait. */
type Waits = "waits";

export class Pusher {
  readonly #options: PushOptions;
  readonly #subscriptions: Subscriptions;
  readonly #holds: PushHolds;
  readonly #metrics: Metrics;
  readonly #sent: CounterPort;
  readonly #answered: CounterPort;
  readonly #pushedHop: HistogramPort;
  readonly #answeredHop: HistogramPort;
  readonly #windows = new Deadlines<SubscribedService>();
  readonly #retries = new Deadlines<PushTarget>();
  // The time at which the waiting targets of a client may continue.
  readonly #checks = new Deadlines<Client>();
  readonly #paused: PausedClients;
  readonly #timeouts: PushTimeouts;
  #nextPushId = 1;
  // The cost of the pushes in this turn, and the time of the step with the last of them.
  #turnCostMs = 0;
  #pushedMs = 0;

  constructor(
    options: PushOptions,
    { subscriptions, holds }: { subscriptions: Subscriptions; holds: PushHolds },
    metrics: Metrics,
  ) {
    this.#options = options;
    this.#timeouts = new PushTimeouts(options.pushTimeoutMs);
    this.#paused = new PausedClients(metrics);
    this.#subscriptions = subscriptions;
    this.#holds = holds;
    this.#metrics = metrics;
    this.#sent = metrics.counter("roster_pushes_sent_total");
    this.#answered = metrics.counter("roster_pushes_total", { outcome: "answered" });
    this.#pushedHop = metrics.histogram("roster_push_hop_seconds", { hop: "pushed" });
    this.#answeredHop = metrics.histogram("roster_push_hop_seconds", { hop: "answered" });
  }

  /** The service has a newer list: pushes it now, or when the window of the last push ends. */
  changed(service: SubscribedService, nowMs: number): void {
    if (service.isKnown) {
      service.gap.changed(nowMs);
      service.changedMs = Math.min(service.changedMs, nowMs);
    }
    service.isKnown = true;
    this.#pushSoon(service, nowMs);
  }

  /** A client has subscribed: it gets the present list, whatever the window. */
  subscribed(subscriber: Subscriber, nowMs: number): void {
    const { target } = subscriber;
    const service = this.#subscriptions.get(target.serviceKey);
    // The others of its target have seen the list or are about to: checking each again would cost a client with many
    // subscribers of one service their square.
    if (service === undefined) return;
    if (this.#isSpent) this.#retries.set(target, nowMs);
    else this.#spend(service, this.#push(target, service, { nowMs, only: [subscriber] }), nowMs);
  }

  /** The client answered a push. */
  answered(client: Client, push: number, { isTaken, nowMs }: { isTaken: boolean; nowMs: number }): void {
    client.answersPushes = true;
    const sent = client.pushesUnderWay.get(push);
    if (client.breaker !== undefined) this.#endPause(client, { isLate: sent === undefined, nowMs });
    if (sent === undefined) this.#answeredLate(client, push, { isTaken, nowMs });
    else if (isTaken) this.#delivered(sent, nowMs);
    else this.#refused(sent, nowMs);
    if (client.blockedTargets.size > 0 && !this.#checks.has(client)) this.#pushWaiting(client, nowMs);
  }

  /** The client reads again: the held lists go out at their newest. */
  drained(client: Client, nowMs: number): void {
    for (const sent of client.pushesUnderWay.values()) sent.leftMs = nowMs;
    this.#pushWaiting(client, nowMs);
  }

  /** The client's connection is lost. */
  departed(client: Client): void {
    client.blockedTargets.clear();
    this.#checks.delete(client);
    this.#paused.delete(client);
  }

  /**
   * The safety net, from time to time: pushes again to each target that is behind, without a push under way, and not
   * held back.
   */
  repair(services: readonly SubscribedService[], nowMs: number): void {
    for (const service of services) {
      if (service.round !== undefined || this.#windows.has(service)) continue;
      for (const target of service.targets.values()) {
        const { client } = target;
        // The end of a push to a client that never answers brings it nothing.
        const isWaitedFor = target.underWay !== undefined && client.answersPushes;
        if (isWaitedFor || this.#retries.has(target) || !this.isOwed(target, service)) continue;
        if (client.blockedTargets.has(target)) {
          this.#checkLater(client, nowMs);
          if (client.answersPushes && client.pushesUnderWay.size === 0 && client.breaker?.isOpen !== true)
            this.#checks.set(client, nowMs);
          continue;
        }
        this.#windows.set(service, nowMs);
        break;
      }
    }
  }

  nextWakeMs(): number {
    const pushMs = Math.min(this.#windows.nextMs(), this.#retries.nextMs(), this.#checks.nextMs());
    // A list that is due and has to wait for its turn is not late.
    const turnMs = this.#isSpent ? Math.max(pushMs, this.#pushedMs) : pushMs;
    return Math.min(turnMs, this.#timeouts.nextMs());
  }

  /** The number of services whose list is to be pushed. */
  get servicesDue(): number {
    return this.#windows.size;
  }

  /** The number of targets that are to be pushed to again. */
  get retriesDue(): number {
    return this.#retries.size;
  }

  get subscriptions(): Subscriptions {
    return this.#subscriptions;
  }

  /** Whether the target is to get a newer list than it has: one whose pushes are held is not. */
  isOwed(target: PushTarget, service: SubscribedService): boolean {
    return isBehind(target, service) && !this.#holds.holds(target);
  }

  /** Whether an answer or a time will serve a target that is behind its service's list. */
  willPush(target: PushTarget, service: SubscribedService): boolean {
    if (service.round !== undefined || this.#windows.has(service) || this.#retries.has(target)) return true;
    const { client, underWay } = target;
    if (!client.blockedTargets.has(target)) return underWay !== undefined;
    const isToRead = client.channel.sentBytes < client.channel.writtenBytes;
    return isToRead || client.pushesUnderWay.size > 0 || this.#checks.has(client);
  }

  /** All other work has had a turn. */
  beginTurn(): void {
    this.#turnCostMs = 0;
  }

  /** The process was away: it finds answers overdue that it has only not read yet. */
  resumed(nowMs: number): void {
    this.#timeouts.postpone(nowMs + FORGIVEN_MS);
  }

  wake(nowMs: number): void {
    this.#endTimeouts(nowMs);
    let isDue = true;
    while (isDue && !this.#isSpent) isDue = this.#pushNext(nowMs);
  }

  /** An id for a push of any kind; none of the last two billion pushes had it. */
  takePushId(): number {
    const id = this.#nextPushId;
    this.#nextPushId = id === PUSH_ID_MAX ? 1 : id + 1;
    return id;
  }

  #pushSoon(service: SubscribedService, nowMs: number): void {
    if (service.round !== undefined) service.round.isRepeated = true;
    else if (isGathering(service, nowMs)) this.#pushAt(service, gatheredUntilMs(service));
    else if (!this.#isSpent) this.#pushAll(service, nowMs);
    else if (!this.#windows.has(service)) this.#windows.set(service, nowMs);
  }

  #pushAt(service: SubscribedService, atMs: number): void {
    if (this.#windows.get(service) !== atMs) this.#windows.set(service, atMs);
  }

  get #isSpent(): boolean {
    return this.#turnCostMs >= TURN_MS;
  }

  /** Pushes the list that has been due for longest; false if none is. */
  #pushNext(nowMs: number): boolean {
    const serviceMs = this.#windows.nextMs();
    const targetMs = this.#retries.nextMs();
    const clientMs = this.#checks.nextMs();
    if (clientMs < Math.min(serviceMs, targetMs)) {
      const client = this.#checks.take(nowMs);
      if (client !== undefined) this.#pushWaiting(client, nowMs);
      return client !== undefined;
    }
    if (targetMs < serviceMs) {
      const target = this.#retries.take(nowMs);
      if (target !== undefined) this.#pushNewest(target, nowMs);
      return target !== undefined;
    }
    const service = this.#windows.take(nowMs);
    if (service !== undefined) this.#pushAll(service, nowMs);
    return service !== undefined;
  }

  /**
   * Pushes to all targets that have not seen the list, or to as many as this turn has time for: the next turn
   * continues.
   */
  #pushAll(service: SubscribedService, nowMs: number): void {
    const round = service.beginRound();
    for (let next = round.targets.next(); next.done !== true; next = round.targets.next()) {
      const costMs = this.#push(next.value, service, { nowMs });
      this.#spend(service, costMs, nowMs);
      if (costMs > 0) this.#sentInRound(round, nowMs);
      if (this.#isSpent) return this.#windows.set(service, nowMs);
    }
    service.round = undefined;
    if (round.isSent) service.gap.begin(nowMs, this.#options.pushWindowMaxMs);
    if (round.isRepeated) this.#windows.set(service, Math.max(gatheredUntilMs(service), nowMs));
  }

  #sentInRound(round: PushRound, nowMs: number): void {
    round.isSent = true;
    if (round.changedMs <= nowMs) this.#pushedHop.observe((nowMs - round.changedMs) / 1000);
  }

  /** Pushes that were just sent open the service's window, or lengthen it, and use up the turn. */
  #spend(service: SubscribedService, costMs: number, nowMs: number): void {
    if (costMs === 0) return;
    this.#turnCostMs += costMs;
    this.#pushedMs = nowMs;
    const endMs = Math.max(service.windowEndMs, nowMs) + costMs * WINDOW_PER_COST;
    service.windowEndMs = Math.min(endMs, nowMs + this.#options.pushWindowMaxMs);
  }

  #pushNewest(target: PushTarget, nowMs: number): void {
    const service = this.#subscriptions.get(target.serviceKey);
    if (service?.targets.get(target.key) !== target) return;
    this.#spend(service, this.#push(target, service, { nowMs }), nowMs);
  }

  /** Pushes to the waiting targets of a client, longest first, as far as there is room and time. */
  #pushWaiting(client: Client, nowMs: number): void {
    if (!client.answersPushes) this.#assumeLeft(client, nowMs);
    for (const target of client.blockedTargets) {
      if (this.#isSpent) return this.#checks.set(client, nowMs);
      const service = this.#subscriptions.get(target.serviceKey);
      const costMs =
        service === undefined ? 0 : this.#tryPush(target, service, { nowMs, only: target.subscribers.values() });
      if (costMs === "waits") return this.#checkLater(client, nowMs);
      client.blockedTargets.delete(target);
      if (service !== undefined) this.#spend(service, costMs, nowMs);
    }
  }

  /** Checks a client whose targets wait, if no expected event of that client will cause it. */
  #checkLater(client: Client, nowMs: number): void {
    const { breaker, channel } = client;
    if (breaker?.isOpen === true) {
      const { trialMs } = breaker;
      if (Number.isFinite(trialMs)) this.#checks.set(client, Math.max(trialMs, nowMs + TRIAL_AGAIN_MS));
    } else if (!client.answersPushes) {
      const waitMs = channel.sentBytes === channel.writtenBytes ? UNANSWERED_MS : UNSENT_MS;
      this.#checks.set(client, nowMs + waitMs);
    }
  }

  /** Makes room at a client that has never answered. */
  #assumeLeft(client: Client, nowMs: number): void {
    for (const sent of client.pushesUnderWay.values()) {
      if (sent.sentMs + UNANSWERED_MS <= nowMs && hasLeft(sent, client)) this.#assume(sent);
    }
  }

  /** Whether one more push may be under way to the client. */
  #hasRoom({ pushesUnderWay, breaker }: Client, nowMs: number): boolean {
    return pushesUnderWay.size < UNDER_WAY_MAX && (breaker === undefined || breaker.allows(nowMs));
  }

  /** A client whose breaker exists has answered. */
  #endPause(client: Client, { isLate, nowMs }: { isLate: boolean; nowMs: number }): void {
    if (!this.#paused.resume(client)) return;
    if (isLate) this.#checks.set(client, nowMs + PAUSE_END_MS);
    else this.#checks.delete(client);
  }

  /** Pushes to the target if it is its turn. Returns the milliseconds of work, 0 if nothing was sent. */
  #push(
    target: PushTarget,
    service: SubscribedService,
    { nowMs, only = target.subscribers.values() }: { nowMs: number; only?: Iterable<Subscriber> },
  ): number {
    const { client } = target;
    // Others have waited longer.
    const costMs = client.blockedTargets.size > 0 ? "waits" : this.#tryPush(target, service, { nowMs, only });
    if (costMs !== "waits") return costMs;
    if (client.departedMs !== undefined) return 0;
    client.blockedTargets.add(target);
    if (!this.#checks.has(client)) this.#checkLater(client, nowMs);
    return 0;
  }

  /** Sends the list to those of the target's subscribers that have not seen it. Returns the amount of work. */
  #tryPush(
    target: PushTarget,
    service: SubscribedService,
    { nowMs, only }: { nowMs: number; only: Iterable<Subscriber> },
  ): number | Waits {
    const { client, scope, zone, variant } = target;
    const { view } = service.list;
    if (view === undefined || client.departedMs !== undefined || this.#holds.holds(target)) return 0;
    if (target.underWay !== undefined) {
      // An answer will come, and then the target gets the newest list.
      if (client.answersPushes) return 0;
      // A client that never answered only makes the target wait until the push has left.
      if (!hasLeft(target.underWay, client)) return "waits";
      this.#assume(target.underWay);
    }
    const subscribers: Subscriber[] = [];
    const registIds: string[] = [];
    for (const subscriber of only) {
      if (subscriber.seenVersion >= view.version) continue;
      subscribers.push(subscriber);
      registIds.push(subscriber.registId);
    }
    if (subscribers.length === 0) return 0;
    if (!this.#hasRoom(client, nowMs)) return "waits";
    const id = this.takePushId();
    const costMs = client.channel.push({ id, view, scope, zone, variant, registIds });
    if (costMs === "blocked") {
      this.#metrics.add("roster_pushes_total", 1, { outcome: "blocked" });
      return "waits";
    }
    this.#sent.add(1);
    client.breaker?.sent();
    const endByte = client.channel.writtenBytes;
    const unreadBytes = endByte - client.confirmedBytes;
    const { version } = view;
    const sent = { id, target, version, subscribers, sentMs: nowMs, endByte, unreadBytes, leftMs: nowMs };
    target.underWay = sent;
    for (const subscriber of subscribers) {
      subscriber.pushedVersion = version;
      subscriber.pushedMs = nowMs;
    }
    client.pushesUnderWay.set(id, sent);
    this.#timeouts.add(sent);
    return costMs;
  }

  #delivered(sent: PushUnderWay, nowMs: number): void {
    const { target } = sent;
    const { client } = target;
    this.#end(sent);
    client.confirm(sent.endByte);
    markSeen(sent);
    if (client.answerMs > 0) client.learn(nowMs - sent.leftMs);
    target.failures = 0;
    this.#answered.add(1);
    this.#answeredHop.observe((nowMs - sent.sentMs) / 1000);
    this.#pushRest(target, nowMs);
  }

  /** An answer has come after its time. */
  #answeredLate(client: Client, push: number, { isTaken, nowMs }: { isTaken: boolean; nowMs: number }): void {
    const sent = client.latePushes?.get(push);
    if (sent === undefined) return;
    client.latePushes?.delete(push);
    client.confirm(sent.endByte);
    client.learn(nowMs - sent.leftMs);
    this.#metrics.add("roster_pushes_total", 1, { outcome: "late" });
    const { target } = sent;
    if (this.#subscriptions.get(target.serviceKey)?.targets.get(target.key) !== target) return;
    if (isTaken) {
      markSeen(sent);
      target.failures = 0;
      this.#retries.delete(target);
      if (target.underWay === undefined) this.#pushRest(target, nowMs);
      return;
    }
    // A client that had never answered was assumed to have it.
    for (const subscriber of sent.subscribers) {
      if (subscriber.seenVersion === sent.version) subscriber.seenVersion = NO_VERSION;
    }
    if (target.underWay === undefined && !this.#retries.has(target)) this.#retry(target, { outcome: "refused", nowMs });
  }

  /** Pushes changes that came after the answered push. */
  #pushRest(target: PushTarget, nowMs: number): void {
    const service = this.#subscriptions.get(target.serviceKey);
    if (service === undefined || !isBehind(target, service)) return;
    // A client that answers within the window gets later changes with all others, when it ends.
    if (this.#isSpent || isGathering(service, nowMs)) this.#pushSoon(service, nowMs);
    else this.#pushNewest(target, nowMs);
  }

  #refused(sent: PushUnderWay, nowMs: number): void {
    this.#end(sent);
    sent.target.client.confirm(sent.endByte);
    this.#metrics.add("roster_pushes_total", 1, { outcome: "refused" });
    this.#retry(sent.target, { outcome: "refused", nowMs });
  }

  #timedOut(sent: PushUnderWay, nowMs: number): void {
    const { target } = sent;
    const { client } = target;
    this.#end(sent);
    client.giveUp(sent);
    this.#metrics.add("roster_pushes_total", 1, { outcome: "timeout" });
    if (!this.#paused.fail(client, nowMs)) this.#retry(target, { outcome: "timeout", nowMs });
    else if (target.subscribers.size > 0) client.blockedTargets.add(target);
    if (client.blockedTargets.size > 0) this.#checks.set(client, nowMs);
  }

  #retry(target: PushTarget, { outcome, nowMs }: { outcome: PushFailure; nowMs: number }): void {
    if (target.subscribers.size === 0) return;
    target.failures++;
    this.#retries.set(target, nowMs + retryDelayMs(target.failures, outcome, this.#options));
  }

  /** The subscribers of this push are assumed to have its version, unless the client reports otherwise. */
  #assume(sent: PushUnderWay): void {
    this.#end(sent);
    sent.target.client.giveUp(sent);
    markSeen(sent);
  }

  #end(sent: PushUnderWay): void {
    sent.target.client.pushesUnderWay.delete(sent.id);
    sent.target.underWay = undefined;
  }

  #endTimeouts(nowMs: number): void {
    for (let sent = this.#timeouts.take(nowMs); sent !== undefined; sent = this.#timeouts.take(nowMs)) {
      const { client } = sent.target;
      if (client.departedMs !== undefined) this.#end(sent);
      else if (client.answersPushes) this.#timedOut(sent, nowMs);
      else this.#assume(sent);
    }
  }
}
