// Decides when a registration may be missing from a list although its client did not take it back: while its client
// counts as gone. The times follow from the promises. A lost connection counts after the grace unless the client is
// back; a session that is dead, stands still, is cut off or can't be heard in time counts after its lease. A data node
// that restarts shows its services after its hold, and waits a lease's time for a session that it can't hear. If all
// copies of a slot are lost while a session can't report its registrations, or another process is a member in its
// place, those are lost too.

import type { ServiceKey } from "../../model/ids.ts";
import { countOf } from "../plan.ts";
import type { Span } from "./apart.ts";
import type { Evidence } from "./checker.ts";
import type { Loss } from "./nodes.ts";
import type {
  Acknowledgement,
  ConnectionLoss,
  KnownClient,
  KnownConnection,
  KnownRegistration,
} from "./registrations.ts";

/** An open end is Infinity. */
export interface Absence {
  readonly fromMs: number;
  readonly untilMs: number;
}

// A returned client re-registers one by one; each must follow the one before within this.
const RETURN_PROGRESS_MS = 5_000;
// At another session a return counts when the data node has heard of it: it must be acknowledged there this long before
// the grace ends.
const OTHER_SESSION_MS = 300;
// A session that dies this soon after it took a registration may not have passed it on.
const SESSION_START_MS = 2_500;
// The time from an acknowledgement to the data node, with a busy link and a batch before it.
const TRAVEL_MS = 1_000;
// The sizes that a data node saves may be a second old, and the messages behind them a little more.
const SIZES_AGE_MS = 1_500;
// The last items of a leader may not be at its follower yet.
const REPLICATION_MS = 5_000;

/** The end of a connection as far as lists are concerned. */
interface Departure extends ConnectionLoss {
  /** The time at which the same session, well again, answers for the client again. */
  readonly recoveredMs: number;
}

interface Case {
  readonly departure: Departure;
  readonly client: KnownClient;
  readonly registration: KnownRegistration;
}

export class Absences {
  readonly #evidence: Evidence;
  readonly #leaseMs: number;
  readonly #graceMs: number;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    const { config, clocks } = evidence.plan;
    // A node's clock may run fast.
    this.#leaseMs = config.sessionLeaseMs * (1 - clocks.drift);
    this.#graceMs = Math.floor(config.clientReturnGraceMs * (1 - clocks.drift));
  }

  /** All absences of a registration that may explain why it is missing. */
  of(registration: KnownRegistration): Absence[] {
    const client = this.#evidence.registrations.client(registration.client);
    const departures: Departure[] = client.losses.map((loss) => ({ ...loss, recoveredMs: Number.POSITIVE_INFINITY }));
    const { nodes } = this.#evidence;
    departures.push(...this.#cutOffs(client, ({ session }) => nodes.outside(session)));
    departures.push(...this.#cutOffs(client, ({ session }) => nodes.slowedOut(session)));
    const unheard = this.#cutOffs(client, ({ session, madeMs }) =>
      nodes.unheard(session, registration.service, madeMs),
    );
    const displaced = this.#cutOffs(client, ({ session }) => nodes.displaced(session));
    return [
      ...departures.flatMap((departure) => [
        ...this.#byDeparture({ departure, client, registration }),
        ...this.#byRestart({ departure, client, registration }),
      ]),
      ...unheard.flatMap((departure) => this.#byUnheardRestart({ departure, client, registration })),
      ...[...departures, ...unheard].flatMap((departure) => this.#byLoss({ departure, client, registration })),
      ...displaced.flatMap((departure) =>
        this.#byLoss(
          { departure, client, registration },
          nodes.lossesOf(registration.service).filter(({ hasCopy }) => !hasCopy),
        ),
      ),
    ];
  }

  /** The times at which a living session was cut off from others with the client's connection. */
  #cutOffs({ open, losses }: KnownClient, spansOf: (connection: KnownConnection) => readonly Span[]): Departure[] {
    const connections = [
      ...losses,
      ...[...open.values()].map((connection) => ({ ...connection, atMs: Number.POSITIVE_INFINITY })),
    ];
    return connections.flatMap(({ atMs: endMs, ...connection }) =>
      spansOf(connection)
        .filter(({ fromMs, untilMs }) => untilMs >= connection.madeMs && fromMs <= endMs)
        .map(({ fromMs, untilMs, settleMs }) => ({
          ...{ ...connection, isSessionDead: true },
          atMs: Math.max(fromMs, connection.madeMs),
          recoveredMs: this.#recoveredMs(connection.session, untilMs + settleMs),
        })),
    );
  }

  /** A session that was cut off and died before the cut was over has never been heard again. */
  #recoveredMs(session: string, settledMs: number): number {
    const stopMs = this.#evidence.nodes.run("session", session)?.stopMs;
    return stopMs !== undefined && stopMs < settledMs ? Number.POSITIVE_INFINITY : settledMs;
  }

  #byDeparture({ departure, client, registration }: Case): Absence[] {
    const { isSessionDead, atMs, recoveredMs } = departure;
    const endMs = atMs + (isSessionDead ? this.#leaseMs : this.#graceMs);
    if (recoveredMs <= endMs) return [];
    const { service } = registration;
    const back = this.#returnAfter(departure, registration);
    if (back !== undefined && this.#isInTime({ back, departure, client, service, endMs }))
      return this.#byLateWord({ departure, client, registration }, endMs);
    const backMs = back === undefined ? Number.POSITIVE_INFINITY : this.#settledMs(back, service);
    return [{ fromMs: endMs - (isSessionDead ? OTHER_SESSION_MS : 0), untilMs: Math.min(backMs, recoveredMs) }];
  }

  /**
   * A session that could not be heard reports its registrations when it can, after its client's next session has done
   * so too. If its clock is ahead it has the registration then, and takes it back when the grace is over, until that
   * other session is compared (ARCHITECTURE.md, weak points).
   */
  #byLateWord({ departure, registration }: Case, endMs: number): Absence[] {
    const { nodes, plan } = this.#evidence;
    const { connection, session, isSessionDead } = departure;
    const taken = registration.acknowledgements.findLast((one) => one.connection === connection);
    if (taken === undefined || isSessionDead) return [];
    return nodes
      .unheard(session, registration.service, taken.atMs)
      .filter(({ fromMs, untilMs }) => fromMs <= taken.atMs && taken.atMs <= untilMs)
      .map(({ untilMs, settleMs }) => ({
        fromMs: endMs,
        untilMs: Math.max(endMs, untilMs + settleMs) + 2 * plan.config.digestIntervalMs,
      }));
  }

  /** The first return that the data nodes can have heard of. */
  #returnAfter({ connection }: Departure, registration: KnownRegistration): Acknowledgement | undefined {
    return registration.acknowledgements.find(
      (later) => later.connection > connection && this.#mayBePassedOn(later, registration.service),
    );
  }

  /**
   * A session that dies at once, or before the service's leader could hear it again, has passed nothing on. One that
   * lives will.
   */
  #mayBePassedOn(taken: Acknowledgement, service: ServiceKey): boolean {
    const stopMs = this.#evidence.nodes.run("session", taken.session)?.stopMs ?? Number.POSITIVE_INFINITY;
    if (stopMs === Number.POSITIVE_INFINITY) return true;
    return stopMs > Math.max(taken.atMs + SESSION_START_MS, this.#heardMs(taken, service));
  }

  #isInTime({
    back,
    departure,
    client,
    service,
    endMs,
  }: {
    back: Acknowledgement;
    departure: Departure;
    client: KnownClient;
    service: ServiceKey;
    endMs: number;
  }): boolean {
    const isElsewhere = back.session !== departure.session || departure.isSessionDead;
    if (isElsewhere) return this.#heardMs(back, service) <= endMs - OTHER_SESSION_MS;
    if (back.atMs >= departure.atMs + this.#leaseMs) return false;
    let untilMs = endMs;
    for (const { connection, atMs } of client.acknowledgements) {
      if (connection <= departure.connection || atMs > back.atMs) continue;
      if (atMs > untilMs) return false;
      untilMs = Math.max(untilMs, atMs + RETURN_PROGRESS_MS);
    }
    return back.atMs <= untilMs;
  }

  /** A data node without memory shows a service after the hold, with the publishers that are back by then. */
  #byRestart({ departure, registration }: Case): Absence[] {
    const { plan, nodes } = this.#evidence;
    const { restartHoldMs } = plan.config;
    if (countOf(plan, "data") > 1) return [];
    const back = this.#returnAfter(departure, registration);
    return nodes.dataRestarts.flatMap(({ startMs }) => {
      const fromMs = startMs + restartHoldMs * (1 - plan.clocks.drift) - OTHER_SESSION_MS;
      if (departure.atMs > startMs + restartHoldMs) return [];
      if (back !== undefined && this.#heardMs(back, registration.service) < fromMs - TRAVEL_MS) return [];
      return [{ fromMs, untilMs: this.#backMs(back, departure, registration) }];
    });
  }

  /**
   * The only data node restarts while it and a living session can't hear each other. It waits for that session as long
   * as its lease, and then shows the other sessions' registrations, until the session reports.
   */
  #byUnheardRestart({ departure, registration }: Case): Absence[] {
    const { plan, nodes } = this.#evidence;
    if (countOf(plan, "data") > 1) return [];
    const back = this.#returnAfter(departure, registration);
    return nodes.dataRestarts.flatMap(({ startMs }) => {
      const fromMs = startMs + this.#leaseMs;
      if (departure.atMs > startMs || departure.recoveredMs < fromMs) return [];
      if (back !== undefined && this.#heardMs(back, registration.service) < fromMs - TRAVEL_MS) return [];
      return [{ fromMs, untilMs: this.#backMs(back, departure, registration) }];
    });
  }

  /** A leader without a copy knows only the reports of the sessions that it can hear. */
  #byLoss(
    { departure, registration }: Case,
    all: readonly Loss[] = this.#evidence.nodes.lossesOf(registration.service),
  ): Absence[] {
    const { plan } = this.#evidence;
    if (!departure.isSessionDead || countOf(plan, "data") === 1) return [];
    const back = this.#returnAfter(departure, registration);
    const isLost = ({ atMs, hasCopy }: Loss) => {
      if (departure.atMs > atMs + REPLICATION_MS || departure.recoveredMs < atMs) return false;
      if (back !== undefined && this.#heardMs(back, registration.service) < atMs) return false;
      return !hasCopy || registration.acknowledgements.some((last) => Math.abs(last.atMs - atMs) < REPLICATION_MS * 2);
    };
    return all.filter(isLost).map((loss) => ({
      fromMs: this.#shownMs(loss, registration),
      untilMs: this.#backMs(back, departure, registration),
    }));
  }

  /**
   * The time at which a leader that had lost everything may show its services: if its disk knows the number of
   * publishers it holds the service first, unless others came right before its stop, or count for this one since.
   */
  #shownMs({ atMs, held }: Loss, { service }: KnownRegistration): number {
    const { registrations, commits } = this.#evidence;
    if (held === undefined) return atMs;
    const grewMs = Math.max(registrations.growthMs(service), commits.grewMs(service));
    return grewMs > held.stopMs - SIZES_AGE_MS ? atMs : Math.max(atMs, held.untilMs - OTHER_SESSION_MS);
  }

  #backMs(back: Acknowledgement | undefined, { recoveredMs }: Departure, { service }: KnownRegistration): number {
    return Math.min(back === undefined ? Number.POSITIVE_INFINITY : this.#settledMs(back, service), recoveredMs);
  }

  /**
   * The time by which the service's leader has surely heard of it. A leader that was cut off from the session, or stood
   * still, hears two sessions in any order: of a client that moved it may first hear that it left.
   */
  #heardMs({ atMs, session }: Acknowledgement, service: ServiceKey): number {
    const { nodes } = this.#evidence;
    let heardMs = atMs;
    const unheard = nodes.unheard(session, service, atMs);
    const spans = this.#isLeftBehind(session, service, atMs) ? [...unheard, ...nodes.outside(session)] : unheard;
    for (const { fromMs, untilMs, settleMs } of spans) {
      const settledMs = untilMs + settleMs;
      if (fromMs - TRAVEL_MS <= heardMs && heardMs <= settledMs) heardMs = settledMs;
    }
    return heardMs;
  }

  /** The service's present leader led by then, and the session goes by another one. */
  #isLeftBehind(session: string, service: ServiceKey, atMs: number): boolean {
    const { nodes } = this.#evidence;
    const last = nodes.lossesOf(service).at(-1);
    return last !== undefined && last.atMs <= atMs && nodes.heardOfLeaderMs(session, service) > atMs;
  }

  #settledMs(back: Acknowledgement, service: ServiceKey): number {
    return this.#heardMs(back, service) + TRAVEL_MS;
  }
}
