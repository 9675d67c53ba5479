// SOFARegistry's clients: accepts their Bolt connections, and ends those that are silent for too long.

import { addressGroup } from "../../base/addressGroup.ts";
import type { Connection, ConnectionHandler } from "../../base/ports.ts";
import type { Addresses } from "../../model/ruleSet.ts";
import { ConnectionAccount } from "../kit/connectionAccount.ts";
import { refuseConnection } from "../kit/refuseConnection.ts";
import type { SofaEnvironment } from "./environment.ts";
import { sofaError } from "./errorTable.ts";
import { SofaHandler } from "./handler.ts";
import { PushBodies } from "./pushBodies.ts";
import { acceptedCounts } from "./requestCounts.ts";

// Each silent client is asked every five seconds: this many a round ask 25,000 clients, for a tenth of a core (20 µs
// for a heartbeat and its answer). With more clients the questions come later, and so does the end of a frozen client;
// its time to answer stays the same.
const ASKED_PER_ROUND = 2_500;

// Ids are Java ints on the wire; those of pushes are positive.
const HEARTBEAT_ID_FIRST = -1;
const HEARTBEAT_ID_LAST = -0x8000_0000;

const REFUSED: ConnectionHandler = { received: () => undefined, drained: () => undefined, closed: () => undefined };

export class SofaConnections {
  readonly #environment: SofaEnvironment;
  readonly #bodies: PushBodies;
  readonly #open = new Set<SofaHandler>();
  readonly #acceptedRequests;
  #accepted = 0;
  #nextHeartbeatId = HEARTBEAT_ID_FIRST;
  /** The next client to ask, if it is silent. */
  #toAsk: Iterator<SofaHandler>;

  constructor(environment: SofaEnvironment) {
    this.#environment = environment;
    this.#bodies = new PushBodies(environment.config, environment.compression);
    this.#toAsk = this.#open.values();
    this.#acceptedRequests = acceptedCounts(environment.metrics);
  }

  /** The approximate size of the kept push bodies. */
  get bodyBytes(): number {
    return this.#bodies.bytes;
  }

  /** Serves a new connection. */
  accept(connection: Connection, nowMs: number): ConnectionHandler {
    const account = new ConnectionAccount(this.#environment.budget.open(addressGroup(connection.remoteAddress)));
    const refusal = account.open(connection);
    if (refusal !== undefined) {
      refuseConnection(connection, { account, refusal, nowMs }, this.#environment);
      return REFUSED;
    }
    const handler: SofaHandler = new SofaHandler(connection, {
      ...this.#environment,
      bodies: this.#bodies,
      accepted: this.#acceptedRequests,
      account,
      ended: () => this.#ended(handler),
      nextHeartbeatId: () => this.#takeHeartbeatId(),
      number: this.#accepted++,
      nowMs,
    });
    this.#open.add(handler);
    this.#environment.metrics.set("roster_client_connections", this.#open.size, { protocol: "sofa" });
    return handler;
  }

  /**
   * Asks silent clients whether they are there, and ends the connections of those that have been silent or blocked for
   * too long. The host calls it twice a second.
   */
  closeIdle(nowMs: number): void {
    for (const handler of this.#open) handler.closeIdle(nowMs);
    this.#askSilent(nowMs);
  }

  /** Ends the connections of some addresses, for an operator: their clients come back. Returns their number. */
  endAt(addresses: Pick<Addresses, "has">, nowMs: number): number {
    let ended = 0;
    for (const handler of [...this.#open]) {
      if (!addresses.has(handler.address)) continue;
      handler.fail(sofaError("CLIENT_OPENED"), nowMs);
      ended++;
    }
    return ended;
  }

  /** This process stood still for `awayMs`: that time does not count against the clients. */
  resumed(awayMs: number, nowMs: number): void {
    for (const handler of this.#open) handler.resumed(awayMs, nowMs);
  }

  /** Continues where the previous round stopped, so that every client gets its turn. */
  #askSilent(nowMs: number): void {
    let left = ASKED_PER_ROUND;
    for (let looked = this.#open.size; looked > 0 && left > 0; looked--) {
      let next = this.#toAsk.next();
      if (next.done === true) {
        this.#toAsk = this.#open.values();
        next = this.#toAsk.next();
      }
      if (next.done !== true && next.value.askIfSilent(nowMs)) left--;
    }
  }

  #takeHeartbeatId(): number {
    const id = this.#nextHeartbeatId;
    this.#nextHeartbeatId = id === HEARTBEAT_ID_LAST ? HEARTBEAT_ID_FIRST : id - 1;
    return id;
  }

  #ended(handler: SofaHandler): void {
    this.#open.delete(handler);
    this.#environment.metrics.set("roster_client_connections", this.#open.size, { protocol: "sofa" });
  }
}
