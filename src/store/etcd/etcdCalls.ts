// Calls of etcd's interface as JSON over HTTP (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/). It is etcd's own
// gateway to its gRPC services, so no client library is needed. Bytes are base64, 64-bit numbers are texts, and what
// has its default value is left out.
//
// A request that was sent may be carried out, whatever becomes of the answer. So another member is asked only if the
// first one was not reached, and a request is sent again only if etcd has refused it for its token.

import { fail } from "../../base/errors.ts";
import type { Cancel } from "../../base/ports.ts";
import { Exchange, isUnreached, type Json } from "./exchange.ts";
import { asStoreError, EtcdFailure, EtcdRefusal, isTokenRefused, PERMISSION_DENIED, UNAVAILABLE } from "./failure.ts";
import type { EtcdTarget } from "./target.ts";

/** From the call to its answer or refusal, all waiting included. */
export const CALL_MS = 3_500;

/** More waiting calls, or more bytes of them, mean that etcd is away or does not keep up; they are refused. */
const CALLS_MAX = 10_000;
const CALLS_BYTES_MAX = 512 * 1024 * 1024;

/** The requests of one call. */
export interface Etcd {
  /** One request; rejects with EtcdRefusal if etcd refuses it. */
  ask(path: string, body: Json): Promise<Json>;
  /** Reads the answers of a watch until `read` finds something in them. */
  find<Found>(create: Json, read: (answer: Json) => Found | undefined): Promise<Found>;
}

export interface WatchHandler {
  read(answer: Json): void;
  /** Called once, unless the watch was cancelled. */
  ended(error: unknown): void;
}

export class EtcdCalls {
  readonly #target: EtcdTarget;
  readonly #exchange: Exchange;
  /** How each watch is cancelled, and how it ends by itself. */
  readonly #streams = new Map<Cancel, (error: unknown) => void>();
  readonly #running = new Set<Promise<unknown>>();
  #bytes = 0;
  /** The member that is asked. */
  #at = 0;
  #token: Promise<string> | undefined;
  #isClosed = false;

  constructor(target: EtcdTarget) {
    this.#target = target;
    this.#exchange = new Exchange(target);
  }

  /** Does the work of a call; its failures become STORE_UNAVAILABLE, RECORD_TOO_LARGE or STORE_DAMAGED. */
  async use<T>(work: (etcd: Etcd) => Promise<T>): Promise<T> {
    const { server } = this.#target;
    if (this.#isClosed) throw fail("STORE_UNAVAILABLE", { server, reason: "the store is closed" });
    if (this.#running.size >= CALLS_MAX || this.#bytes >= CALLS_BYTES_MAX) {
      const sizes = { waiting: this.#running.size, bytes: this.#bytes };
      throw fail("STORE_UNAVAILABLE", { server, reason: "too many calls wait for etcd", ...sizes });
    }
    const signal = AbortSignal.timeout(CALL_MS);
    const running = work({
      ask: (path, body) => this.#ask(path, body, signal),
      find: (create, read) => this.#find(create, read, signal),
    });
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw asStoreError(server, error);
    } finally {
      this.#running.delete(running);
    }
  }

  /** A watch with its answers, until it is cancelled or ends. */
  watch(create: Json, { read, ended }: WatchHandler): Cancel {
    let hasEnded = false;
    const abort = new AbortController();
    const cancel = () => {
      hasEnded = true;
      this.#streams.delete(cancel);
      abort.abort();
    };
    const end = (error: unknown) => {
      if (hasEnded) return;
      cancel();
      ended(error);
    };
    this.#streams.set(cancel, end);
    const readOne = (answer: Json) => {
      if (hasEnded) return;
      if (answer["canceled"] === true && answer["compact_revision"] === undefined) throw cancelled(answer);
      read(answer);
    };
    this.#stream(create, abort.signal, readOne).catch(end);
    return cancel;
  }

  /** Ends watches and connections when the calls under way have ended. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running);
    for (const cancel of this.#streams.keys()) cancel();
    this.#exchange.close();
  }

  async #ask(path: string, body: Json, signal: AbortSignal): Promise<Json> {
    const text = JSON.stringify(body);
    this.#bytes += text.length;
    const token = this.#currentToken(signal);
    try {
      return await this.#askAnywhere({ path, text, token: await token, signal });
    } catch (error) {
      if (!(await this.#dropToken(error, token))) throw error;
      return await this.#askAnywhere({ path, text, token: await this.#currentToken(signal), signal });
    } finally {
      this.#bytes -= text.length;
    }
  }

  async #askAnywhere({ path, ...post }: Request): Promise<Json> {
    for (let tries = 1; ; tries++) {
      const at = this.#at;
      try {
        return await this.#exchange.call({ url: `${this.#member()}${path}`, ...post });
      } catch (error) {
        if (!isOfMember(error)) throw error;
        this.#next(at);
        if (post.signal.aborted) throw new EtcdFailure(`no answer within ${CALL_MS} ms`);
        if (!isUnreached(error) || tries >= this.#target.endpoints.length) throw error;
      }
    }
  }

  #find<Found>(create: Json, read: (answer: Json) => Found | undefined, signal: AbortSignal): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    const late = () => reject(new EtcdFailure(`no answer within ${CALL_MS} ms`));
    if (signal.aborted) late();
    signal.addEventListener("abort", late);
    const cancel = this.watch(create, {
      read: (answer) => {
        const found = read(answer);
        if (found !== undefined) resolve(found);
      },
      ended: reject,
    });
    return promise.finally(() => {
      cancel();
      signal.removeEventListener("abort", late);
    });
  }

  async #stream(create: Json, signal: AbortSignal, read: (answer: Json) => void): Promise<void> {
    const token = this.#currentToken(signal);
    const at = this.#at;
    const text = JSON.stringify({ create_request: create });
    try {
      await this.#exchange.stream({ url: `${this.#member()}/v3/watch`, text, token: await token, signal }, read);
    } catch (error) {
      if (!(await this.#dropToken(error, token)) && isOfMember(error) && !signal.aborted) this.#next(at);
      throw error;
    }
  }

  /** The token of our login; undefined without a login. Calls share one authentication. */
  #currentToken(signal: AbortSignal): Promise<string | undefined> {
    const { login } = this.#target;
    if (login === undefined) return Promise.resolve(undefined);
    this.#token ??= this.#authenticate(login, signal);
    return this.#token;
  }

  async #authenticate(login: NonNullable<EtcdTarget["login"]>, signal: AbortSignal): Promise<string> {
    try {
      const post = { path: "/v3/auth/authenticate", text: JSON.stringify(login), token: undefined, signal };
      const { token } = await this.#askAnywhere(post);
      if (typeof token !== "string") throw new EtcdFailure("the answer is not etcd's: it has no token");
      return token;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  /** Tokens end, after five minutes without a call, or when etcd restarts. True if another one may help. */
  async #dropToken(error: unknown, token: Promise<string | undefined>): Promise<boolean> {
    if (!isTokenRefused(error) || (await token) === undefined) return false;
    if (this.#token === token) this.#token = undefined;
    return true;
  }

  #member(): string {
    return this.#target.endpoints[this.#at % this.#target.endpoints.length] ?? "";
  }

  /** Goes on to the next member, unless another call has. */
  #next(from: number): void {
    if (this.#at !== from || this.#target.endpoints.length === 1) return;
    this.#at += 1;
    // A member that stands still does not end its watches.
    for (const end of this.#streams.values()) end(new EtcdFailure("another member is asked"));
  }
}

interface Request {
  readonly path: string;
  readonly text: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** Whether another member might do better. */
function isOfMember(error: unknown): boolean {
  return !(error instanceof EtcdRefusal) || error.code === UNAVAILABLE;
}

/** A watch is refused in the same words for a token that has ended and for a user without rights. */
function cancelled(answer: Json): EtcdRefusal {
  return new EtcdRefusal(PERMISSION_DENIED, `etcd has ended the watch: ${String(answer["cancel_reason"] ?? "")}`);
}
