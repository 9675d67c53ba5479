// When a registration may be missing from a list although nobody took it back: while its client counts as gone. This
// file says from when to when that is, by the promises: a lost connection counts after the grace unless the client is
// back, a session that is dead, stands still or is cut off after its lease; a data node that restarts shows what it has
// after its hold, and waits a lease's time for a session that it can't hear; and where all copies of a slot are lost
// while a session can't say what it holds, or another process is a member in its place, that is lost too.

import type { DataInfoId } from "../../model/ids.ts";
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

// A client that is back re-registers one by one; each must follow the one before within this.
const RETURN_PROGRESS_MS = 5_000;
// At another session a return counts when the data node has heard of it: so long before the grace ends it must be
// acknowledged there.
const OTHER_SESSION_MS = 300;
// A session that dies so soon after it took something may have passed nothing on.
const SESSION_START_MS = 2_500;
// From an acknowledgement to the data node, with a busy link and a batch before it.
const TRAVEL_MS = 1_000;
// The sizes that a data node saves may be a second old, and the messages behind them a little more.
const SIZES_AGE_MS = 1_500;
// What a leader took in its last moments may not be at its follower yet.
const REPLICATION_MS = 5_000;

/** The end of a connection as far as lists are concerned. */
interface Departure extends ConnectionLoss {
  /** The same session, well again, speaks for the client again. */
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

  /** All absences of a registration that may explain that it is missing. */
  of(registration: KnownRegistration): Absence[] {
    const client = this.#evidence.registrations.client(registration.client);
    const departures: Departure[] = client.losses.map((loss) => ({ ...loss, recoveredMs: Number.POSITIVE_INFINITY }));
    const { nodes } = this.#evidence;
    departures.push(...this.#cutOffs(client, ({ session }) => nodes.outside(session)));
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

  /** The times at which a session that lives was cut off from others with the client's connection. */
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
   * A session that could not be heard says what it took when it can, after its client's next session has said so too.
   * By a clock that is ahead it has the registration then, and takes it back when the grace is over, until that other
   * session is compared (ARCHITECTURE.md, weak points).
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

  /** The first return that the data nodes can have heard of: a session that dies at once has passed nothing on. */
  #returnAfter({ connection }: Departure, registration: KnownRegistration): Acknowledgement | undefined {
    return registration.acknowledgements.find((later) => {
      const stopMs = this.#evidence.nodes.run("session", later.session)?.stopMs ?? Number.POSITIVE_INFINITY;
      return later.connection > connection && stopMs > later.atMs + SESSION_START_MS;
    });
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
    service: DataInfoId;
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

  /** A data node without memory shows a service after the hold, with whoever is back by then. */
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
   * The only data node restarts while it and a session that lives can't hear each other. It waits for that session as
   * long as its lease, and then shows what the others have said, until the session speaks.
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

  /** A leader without a copy knows only what the sessions tell that it can hear. */
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
   * When a leader that had lost all may show what it has: one whose disk knows how many publishers there were holds the
   * service back first, unless others came right before its stop, or count for this one since.
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
   * When the service's leader has surely heard of it. One that was cut off from the session, or stood still, hears two
   * sessions in any order: of a client that moved it may hear first that it left.
   */
  #heardMs({ atMs, session }: Acknowledgement, service: DataInfoId): number {
    const { nodes } = this.#evidence;
    let heardMs = atMs;
    for (const { fromMs, untilMs, settleMs } of nodes.unheard(session, service, atMs)) {
      const settledMs = untilMs + settleMs;
      if (fromMs - TRAVEL_MS <= heardMs && heardMs <= settledMs) heardMs = settledMs;
    }
    return heardMs;
  }

  #settledMs(back: Acknowledgement, service: DataInfoId): number {
    return this.#heardMs(back, service) + TRAVEL_MS;
  }
}
