// Rule 7, in time: while all is calm, a change that a client's session acknowledged reaches every subscriber within the
// window in which changes gather, and one push that has to be repeated. Scans and comparisons would heal a lost notice,
// seconds or minutes later: this does not wait for them. The time for which a narrow line carries lists, or an answer
// is late, or the leader waits for a session that has ended, does not count.

import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import type { KnownConnection, KnownRegistration } from "./registrations.ts";
import { SlowClients } from "./slowClients.ts";

// Four messages in a row, each of which may meet a spike of its link, and a second try where clocks differ.
const TRAVEL_MS = 2_000;
// The time after links are made again, or a slot has a new leader, until all is as usual.
const CALM_MS = 3_000;

interface WatchedList {
  readonly client: string;
  readonly zone: string | undefined;
  /** The time at which its session took it last, and the connection. */
  taken: { readonly connection: number; readonly atMs: number } | undefined;
  entries: readonly string[];
}

/** A state that subscribers must see by a deadline. */
interface Promised {
  readonly registration: KnownRegistration;
  readonly version: bigint;
  readonly session: string;
  readonly connection: number;
  readonly atMs: number;
  /** The number of changes of rules that concern it: a later one makes a new promise. */
  readonly rules: number;
}

/** A promise to a subscriber whose list or answer was under way when it was due. */
interface Delayed {
  readonly promised: Promised;
  readonly subscriber: string;
}

export class Timeliness implements Checker {
  readonly #evidence: Evidence;
  readonly #boundMs: number;
  readonly #lists = new Map<ServiceKey, Map<string, WatchedList>>();
  // In the order of their times, which is that of their bounds.
  readonly #promised: Promised[] = [];
  #first = 0;
  readonly #slow = new SlowClients();
  #delayed: readonly Delayed[] = [];
  // Services whose list was too long at some time: their content depends on the order of arrival.
  readonly #full = new Set<ServiceKey>();
  // Services with instances that name revisions: a session that can't read one, since the store is away or no meta node
  // is reached, holds the list for up to ten seconds. Other checkers judge the end.
  readonly #ofApplications = new Set<ServiceKey>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    const { pushWindowMaxMs, pushTimeoutMs } = evidence.plan.config;
    this.#boundMs = pushWindowMaxMs + pushTimeoutMs + TRAVEL_MS;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    this.#slow.see(fact, nowMs);
    const finding = this.#look(nowMs) ?? this.#lookAgain(nowMs);
    if (finding !== undefined) return finding;
    switch (fact.kind) {
      case "subscribed": {
        const { client, service, registId, scope, zone } = fact;
        const ofService = this.#lists.get(service) ?? new Map<string, WatchedList>();
        this.#lists.set(service, ofService);
        const ofZone = scope === "zone" ? zone : undefined;
        ofService.set(registId, { client, zone: ofZone, taken: undefined, entries: [] });
        return undefined;
      }
      case "unsubscribed":
        this.#lists.get(fact.service)?.delete(fact.registId);
        return undefined;
      case "accepted": {
        const list = this.#lists.get(fact.service)?.get(fact.registId);
        if (list !== undefined) list.taken = { connection: fact.connection, atMs: nowMs };
        return undefined;
      }
      case "pushed": {
        const list = this.#lists.get(fact.service)?.get(fact.registId);
        if (fact.isTaken && list !== undefined) list.entries = fact.entries;
        return undefined;
      }
      case "published":
        if (fact.revision !== undefined) this.#ofApplications.add(fact.service);
        return undefined;
      case "acknowledged": {
        const { service, registId, version, session, connection } = fact;
        const [registration, twin] = this.#evidence.registrations.twins(service, registId);
        if (registration?.client !== fact.client || twin !== undefined) return undefined;
        this.#promise(registration, { version, session, connection }, nowMs);
        return undefined;
      }
      // All lists are to be by these rules: what was hidden may be shown again, and what was held is to be pushed.
      case "rulesSet": {
        for (const registration of this.#evidence.registrations.all()) {
          const last = registration.acknowledgements.at(-1);
          if (last !== undefined) this.#promise(registration, last, nowMs);
        }
        return undefined;
      }
      case "told":
        if (fact.message.kind !== "taken") return undefined;
        for (const { serviceKey } of fact.message.unlisted) this.#full.add(serviceKey);
        return undefined;
      default:
        return undefined;
    }
  }

  #promise(
    registration: KnownRegistration,
    { version, session, connection }: Pick<Promised, "version" | "session" | "connection">,
    nowMs: number,
  ): void {
    const rules = this.#evidence.rules.changesOf(registration.client);
    this.#promised.push({ registration, version, session, connection, atMs: nowMs, rules });
  }

  #look(nowMs: number): Finding | undefined {
    for (; ; this.#first++) {
      const promised = this.#promised[this.#first];
      if (promised === undefined || promised.atMs + this.#boundMs >= nowMs) return undefined;
      if (!this.#stands(promised)) continue;
      for (const subscriber of this.#lists.get(promised.registration.service)?.keys() ?? []) {
        const finding = this.#unkept({ promised, subscriber }, nowMs);
        if (finding === "delayed") this.#delayed = [...this.#delayed, { promised, subscriber }];
        else if (finding !== undefined) return finding;
      }
    }
  }

  #lookAgain(nowMs: number): Finding | undefined {
    const still: Delayed[] = [];
    for (const delayed of this.#delayed) {
      if (!this.#stands(delayed.promised)) continue;
      const finding = this.#unkept(delayed, nowMs);
      if (finding === "delayed") still.push(delayed);
      else if (finding !== undefined) return finding;
    }
    this.#delayed = still;
    return undefined;
  }

  /** Whether the promise is still to be kept. */
  #stands({ registration, version, connection, atMs, rules }: Promised): boolean {
    const { client, service, registId } = registration;
    const { registrations } = this.#evidence;
    if (rules !== this.#evidence.rules.changesOf(client)) return false;
    // A client that changed it since, or took it anew, has made a new promise; and two clients that share it make none.
    const isLast = registration.version === version && registration.acknowledgements.at(-1)?.connection === connection;
    if (!isLast || registrations.twins(service, registId).length > 1) return false;
    if (!registrations.client(client).open.has(connection)) return false;
    if (this.#full.has(service) || this.#ofApplications.has(service)) return false;
    return !this.#seemsToBeElsewhere(registration, { connection, atMs });
  }

  /** The finding if the subscriber was not shown the change when it was due; "delayed" if it is not due yet. */
  #unkept({ promised, subscriber }: Delayed, nowMs: number): Finding | "delayed" | undefined {
    const { registration, session, connection, atMs } = promised;
    const { service, registId, zone, token, isRegistered } = registration;
    const list = this.#lists.get(service)?.get(subscriber);
    if (list === undefined || (list.zone !== undefined && list.zone !== zone)) return undefined;
    const isShown = isRegistered && !this.#evidence.rules.hides(registration);
    if (list.entries.includes(`${zone}/${token}`) === isShown) return undefined;
    if (this.#evidence.rules.holds({ client: list.client, service })) return undefined;
    const reader = this.#readsAt(list, atMs);
    if (reader === undefined || !this.#isCalm(service, [session, reader.session], atMs)) return undefined;
    if (this.#isHolderUnheard(registration, { connection, session, atMs })) return undefined;
    const on = { client: list.client, connection: reader.connection };
    const ruledMs = this.#ruledMs(registration, reader.session);
    if (ruledMs === Number.POSITIVE_INFINITY) return undefined;
    const fromMs = Math.max(ruledMs, this.#decidedMs(promised, nowMs));
    if (this.#slow.dueMs(on, { fromMs, boundMs: this.#boundMs, nowMs }) >= nowMs) return "delayed";
    const hidden = isShown ? `registered as ${token}` : "hidden by a rule";
    const what = isRegistered ? hidden : "taken back";
    const text = `${registId} was ${what}, acknowledged at ${atMs}, and ${list.client} (${subscriber}) lacks that`;
    return { rule: "7 convergence", service, text };
  }

  /**
   * An earlier connection of the client, to another session, seemed to stand then. That session is asked whether the
   * client is there, and one that answers no questions has longer than this checker waits.
   */
  #seemsToBeElsewhere({ client }: KnownRegistration, now: { connection: number; atMs: number }): boolean {
    const { open, losses } = this.#evidence.registrations.client(client);
    const session = open.get(now.connection)?.session;
    const standing = [...open.values(), ...losses.filter(({ atMs }) => atMs >= now.atMs)];
    return standing.some((one) => one.connection < now.connection && one.isMute && one.session !== session);
  }

  /**
   * The session that the client comes from, and that holds the registration at the leader, could not be heard when the
   * leader asked it: that one waits until the link is lost.
   */
  #isHolderUnheard(
    registration: KnownRegistration,
    now: { connection: number; session: string; atMs: number },
  ): boolean {
    const holder = holderOf(registration, now);
    return holder !== undefined && this.#isApart(registration.service, [holder], now.atMs);
  }

  /**
   * The time at which the leader could decide on the change, as known at `nowMs`. If the session that the client comes
   * from has ended without an answer, the leader waits until it notices the end of their link: five seconds for a
   * machine that has vanished.
   */
  #decidedMs({ registration, connection, session, atMs }: Promised, nowMs: number): number {
    const { nodes } = this.#evidence;
    const holder = holderOf(registration, { connection, session });
    const stopMs = holder === undefined ? undefined : nodes.run("session", holder)?.stopMs;
    if (holder === undefined || stopMs === undefined || stopMs > atMs + this.#boundMs) return atMs;
    return Math.max(atMs, Math.min(nodes.linkEndMs(holder, registration.service), nowMs));
  }

  /** The time at which the service's leader and the subscriber's session had heard of the rules that concern them. */
  #ruledMs({ service, client }: KnownRegistration, session: string): number {
    const { nodes, rules } = this.#evidence;
    const leader = nodes.leaderOf(service);
    const leaderMs = leader === undefined ? Number.POSITIVE_INFINITY : rules.dataHeardMs(leader, client);
    return Math.max(leaderMs, rules.sessionHeardMs(session));
  }

  /** The connection of a subscriber that has been there for a while, and reads. */
  #readsAt({ client, taken }: WatchedList, atMs: number): KnownConnection | undefined {
    const { diedMs, hushedMs, unhushedMs, open } = this.#evidence.registrations.client(client);
    const [connection, other] = open.values();
    if (diedMs !== undefined || hushedMs !== undefined || connection === undefined || other !== undefined)
      return undefined;
    // A client that is slow, or has many requests, may not have sent this one yet.
    if (taken?.connection !== connection.connection) return undefined;
    const readyMs = Math.max(taken.atMs, unhushedMs);
    return readyMs + CALM_MS < atMs ? connection : undefined;
  }

  /** Nothing has been wrong for a while with the nodes through which the change goes. */
  #isCalm(service: ServiceKey, sessions: readonly string[], atMs: number): boolean {
    const { nodes, plan } = this.#evidence;
    const fromMs = atMs - CALM_MS;
    // A session that meta can't reach uses a leader that has been replaced, and that one goes on.
    const areReady = sessions.every(
      (session) =>
        (nodes.run("session", session)?.readyMs ?? atMs) < fromMs && nodes.heardOfLeaderMs(session, service) < fromMs,
    );
    const { sessionLeaseMs, restartHoldMs } = plan.config;
    const isLed = nodes.lossesOf(service).every((loss) => loss.atMs + sessionLeaseMs < fromMs);
    const isShown = nodes.dataRestarts.every(({ startMs }) => startMs + restartHoldMs < fromMs);
    const isServed = nodes.servesSinceMs(service) < fromMs;
    return !this.#isApart(service, sessions, atMs) && areReady && isLed && isShown && isServed;
  }

  /** The sessions and the leader could not hear each other, or have just begun to do so again. */
  #isApart(service: ServiceKey, sessions: readonly string[], atMs: number): boolean {
    const fromMs = atMs - CALM_MS;
    const spans = this.#evidence.nodes.apart(service, sessions, fromMs);
    return spans.some(({ untilMs, settleMs }) => untilMs + settleMs >= fromMs);
  }
}

/** The session that the client comes from, if it is another one. */
function holderOf(
  { acknowledgements }: KnownRegistration,
  now: { readonly connection: number; readonly session: string },
): string | undefined {
  const holder = acknowledgements.findLast(({ connection }) => connection < now.connection)?.session;
  return holder === now.session ? undefined : holder;
}
