// The registry's side of one client: outcomes of its requests, and lists that are pushed to it.

import { anonymous, type Principal } from "../../access/principal.ts";
import type { Blocked, ClientChannel, Outcome, Push } from "../../registry/registry.ts";
import type { ClientConnection } from "./clientConnection.ts";
import type { RequestChannel } from "./part.ts";

// Estimates from Bolt's measured 15 µs and 0.33 µs a KiB: HTTP/2 frames each piece of 16 KiB.
const SEND_COST_MS = 0.025;
const SEND_COST_MS_PER_BYTE = 0.000_000_4;

export class NacosChannel implements ClientChannel, RequestChannel {
  readonly principal: Principal;
  readonly #connection: ClientConnection;
  readonly #outcomes = new Map<number, (outcome: Outcome) => void>();
  #nextRequest = 1;
  /** The largest push that was written while other output waited. */
  #pushBytes = 0;

  constructor(connection: ClientConnection) {
    this.#connection = connection;
    this.principal = anonymous(connection.address);
  }

  get address(): string {
    return this.#connection.address;
  }

  get answersQuestions(): boolean {
    return this.#connection.hasAnswered;
  }

  get writtenBytes(): number {
    return this.#connection.output.writtenBytes;
  }

  get sentBytes(): number {
    const { writtenBytes, bufferedBytes } = this.#connection.output;
    return Math.max(0, writtenBytes - bufferedBytes);
  }

  /** A push of this size may still be under way. */
  get pushBytes(): number {
    return this.#pushBytes;
  }

  request(done: (outcome: Outcome) => void): number {
    const request = this.#nextRequest++;
    this.#outcomes.set(request, done);
    return request;
  }

  answer(request: number, outcome: Outcome): void {
    const done = this.#outcomes.get(request);
    this.#outcomes.delete(request);
    done?.(outcome);
  }

  push({ id, view, variant }: Push): number | Blocked {
    const { environment, output } = this.#connection;
    if (this.#connection.isBlocked) return "blocked";
    const { json, costMs } = environment.bodies.serviceInfo(view, variant);
    const wasIdle = output.bufferedBytes === 0;
    const last = { name: "serviceInfo", json };
    const bytes = this.#connection.writeRequest("NotifySubscriberRequest", String(id), { module: "naming" }, last);
    this.#pushBytes = wasIdle ? bytes : Math.max(this.#pushBytes, bytes);
    environment.metrics.add("roster_push_bytes_total", bytes);
    return SEND_COST_MS + bytes * SEND_COST_MS_PER_BYTE + costMs;
  }

  /** No client of Nacos watches values of the registry's own. */
  pushConfig(): "sent" {
    return "sent";
  }

  ask(nowMs: number): void {
    this.#connection.ask(nowMs);
  }

  isSilentSince(atMs: number): boolean {
    return this.#connection.isSilentSince(atMs);
  }

  report(pushes: "paused" | "resumed"): void {
    const { log } = this.#connection.environment;
    const client = this.#connection.id;
    if (pushes === "paused") log.warn("pushes to a client are paused because it does not answer them", { client });
    else log.info("pushes to a client are resumed because it answers them again", { client });
  }
}
