// Notices to clients by gRPC: a client has one notice of each name under way, which is sent again if no answer comes.
// A notice only says that something has changed, so the newest one takes the place of one that waits.

import { fail } from "../../../base/errors.ts";
import type { NacosClient, ServerRequest } from "../part.ts";

interface Waiting {
  readonly request: ServerRequest;
  /** Undefined while it is under way. */
  dueMs: number | undefined;
  tries: number;
  /** It has changed again while it was under way. */
  next: ServerRequest | undefined;
}

// As the real server: an answer is waited for, and the notice sent again, a few times. A client that answers nothing
// asks for everything itself every five minutes.
const RETRY_MS = 1_000;
const TRIES_MAX = 5;
/** Of one client: more than notices of all that it may listen to and watch, of which a client reads some. */
export const NOTICES_MAX = 50_000;

export class Pushes {
  readonly #nowMs: () => number;
  readonly #clients = new Map<NacosClient, Map<string, Waiting>>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Sends a notice. `name` tells notices apart of which the newest is enough. */
  push(client: NacosClient, name: string, request: ServerRequest): void {
    if (client.isEnded) return;
    const waits = this.#clients.get(client) ?? new Map<string, Waiting>();
    this.#clients.set(client, waits);
    const known = waits.get(name);
    if (known !== undefined && known.dueMs === undefined) {
      known.next = request;
      return;
    }
    // The connection ends at the next check, not here, which may be within a step of the registry.
    if (known === undefined && waits.size > NOTICES_MAX) return;
    const waiting: Waiting = { request, dueMs: this.#nowMs(), tries: 0, next: undefined };
    waits.set(name, waiting);
    this.#send(client, name, waiting);
  }

  /** The client reads again. */
  drained(client: NacosClient): void {
    this.#sendDue(client, Number.POSITIVE_INFINITY);
  }

  ended(client: NacosClient): void {
    this.#clients.delete(client);
  }

  /** Called twice a second. Not within a step of the registry. */
  check(nowMs: number): void {
    for (const [client, { size: notices }] of [...this.#clients]) {
      if (notices > NOTICES_MAX) client.fail(fail("CLIENT_TOO_SLOW", { notices, noticesMax: NOTICES_MAX }), nowMs);
      else this.#sendDue(client, nowMs);
    }
  }

  #sendDue(client: NacosClient, nowMs: number): void {
    for (const [name, waiting] of [...(this.#clients.get(client) ?? [])]) {
      if (waiting.dueMs !== undefined && waiting.dueMs <= nowMs) this.#send(client, name, waiting);
    }
  }

  #send(client: NacosClient, name: string, waiting: Waiting): void {
    const before = waiting.dueMs;
    waiting.dueMs = undefined;
    const outcome = client.pushRequest(waiting.request, (answer, nowMs) => {
      if (answer !== undefined) this.#over(client, name, waiting);
      else if (client.isEnded || ++waiting.tries >= TRIES_MAX) this.#over(client, name, waiting);
      else waiting.dueMs = nowMs + RETRY_MS;
    });
    if (outcome === "blocked") waiting.dueMs = before ?? this.#nowMs();
  }

  #over(client: NacosClient, name: string, waiting: Waiting): void {
    const waits = this.#clients.get(client);
    if (waits?.get(name) !== waiting) return;
    waits.delete(name);
    if (waits.size === 0) this.#clients.delete(client);
    if (waiting.next !== undefined) this.push(client, name, waiting.next);
  }
}
