// The few connections of a store. `pg` has its own pool, but that bounds neither a call as a whole nor the time for
// which it keeps dead connections. Here a call is over after CALL_MS, whatever it was waiting for. When one connection
// breaks the idle ones are dropped with it: the cause (a restart, a failover, a firewall) rarely affects one alone, and
// each of the others would cost another call its whole time to find out.

import { fail, type RegistryError } from "../../base/errors.ts";
import { type Ask, PostgresConnection } from "./connection.ts";
import { asStoreError, readOnlyError } from "./failure.ts";
import type { Target } from "./target.ts";

/** Two at work, the lease renewal and a save, and one that is being replaced. */
const CONNECTIONS_MAX = 3;

/** More waiting calls than this mean that the database is away; they are refused. */
const WAITING_MAX = 100;

/** From the call to its answer or refusal, all waiting included: the server's own limit and a little for the way. */
const CALL_MS = 3_500;

/** A call's work on its connection. */
type Work<T> = (ask: Ask) => Promise<T>;

/** One call under way. */
interface Call {
  connection: PostgresConnection | undefined;
  isOver: boolean;
}

export class Connections {
  readonly #target: Target;
  readonly #idle: PostgresConnection[] = [];
  readonly #running = new Set<Promise<unknown>>();
  /** Calls that wait for a connection, first come, first served. */
  readonly #waiting: (() => void)[] = [];
  #atWork = 0;
  #isClosed = false;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Runs `work` on a connection of its own; any failure of the database becomes STORE_UNAVAILABLE. */
  async use<T>(work: Work<T>, limitMs = CALL_MS): Promise<T> {
    if (this.#isClosed) throw this.#refusal("the store is closed");
    const call: Call = { connection: undefined, isOver: false };
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(this.#refusal(`no answer within ${limitMs} ms`));
      call.isOver = true;
      call.connection?.cut();
    }, limitMs);
    try {
      return await Promise.race([this.#remembered(this.#run(work, call)), late]);
    } catch (error) {
      throw asStoreError(this.#target.server, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads an answer; a report of damage in it becomes STORE_DAMAGED. */
  async reading<T>(read: () => T): Promise<T> {
    try {
      return read();
    } catch (error) {
      throw asStoreError(this.#target.server, error);
    }
  }

  /** The error for a server that can only be read, and so may be behind. */
  readOnly(): RegistryError {
    return readOnlyError(this.#target.server);
  }

  /** Ends all connections when the calls under way have ended. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running);
    await Promise.all(this.#idle.splice(0).map((connection) => connection.end()));
  }

  /** A call may be answered as late before it has really ended; `close` waits for the end. */
  #remembered<T>(running: Promise<T>): Promise<T> {
    const forget = () => void this.#running.delete(running);
    this.#running.add(running);
    void running.then(forget, forget);
    return running;
  }

  async #run<T>(work: Work<T>, call: Call): Promise<T> {
    await this.#turn();
    try {
      if (call.isOver) throw this.#refusal("the call timed out while it waited for a connection");
      const connection = await this.#connect(call);
      const result = await work((sql, ...values) => connection.ask(sql, ...values));
      if (connection.isUsable) this.#idle.push(connection);
      return result;
    } catch (error) {
      // After an error the connection's state is unknown, and a new connection costs a few milliseconds.
      call.connection?.cut();
      this.#dropIdle();
      throw error;
    } finally {
      // The room goes straight to the next in line; otherwise a call that arrives now would take it too.
      const next = this.#waiting.shift();
      if (next === undefined) this.#atWork -= 1;
      else next();
    }
  }

  /** Resolves when there is room for one more connection at work. */
  async #turn(): Promise<void> {
    if (this.#atWork < CONNECTIONS_MAX) {
      this.#atWork += 1;
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) throw this.#refusal(`${WAITING_MAX} calls wait for the database already`);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  async #connect(call: Call): Promise<PostgresConnection> {
    call.connection = this.#idle.pop();
    if (call.connection !== undefined) return call.connection;
    const connection = new PostgresConnection(this.#target, (lost) => this.#lost(lost));
    call.connection = connection;
    await connection.connect(this.#target.schema);
    return connection;
  }

  /** A connection broke while it was idle, or during a call, which then reports the error itself. */
  #lost(connection: PostgresConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    connection.cut();
  }

  #dropIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.cut();
  }

  #refusal(reason: string): RegistryError {
    return fail("STORE_UNAVAILABLE", { server: this.#target.server, reason });
  }
}
