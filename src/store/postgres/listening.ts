// Listens for the notices of commits, on a connection of its own, while anything is watched. Notices only make watches
// fast: one that is lost, or a connection that stands without passing anything on, costs them their own polling.

import type { Cancel } from "../../base/ports.ts";
import { PostgresConnection } from "./connection.ts";
import type { Target } from "./target.ts";

// The time before a broken connection is replaced.
const RETRY_MS = 1_000;

export class Listening {
  readonly #target: Target;
  readonly #wake: () => void;
  #needs = 0;
  #connection: PostgresConnection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `wake` is called when there may be something new. */
  constructor(target: Target, wake: () => void) {
    this.#target = target;
    this.#wake = wake;
  }

  /** Listens until every need was cancelled. */
  need(): Cancel {
    this.#needs += 1;
    if (this.#connection === undefined && this.#retry === undefined) void this.#connect();
    let isCancelled = false;
    return () => {
      if (isCancelled) return;
      isCancelled = true;
      this.#needs -= 1;
      if (this.#needs === 0) void this.#end();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
  }

  async #connect(): Promise<void> {
    this.#retry = undefined;
    if (this.#isClosed || this.#needs === 0) return;
    const connection = new PostgresConnection(this.#target, (lost) => this.#lost(lost), this.#wake);
    this.#connection = connection;
    try {
      await connection.connect(this.#target.schema);
      await connection.ask(`LISTEN "${this.#target.schema}"`);
      // Commits from before it listened had no one to tell.
      this.#wake();
    } catch {
      // The database is away. Calls say so, with the reason; here it is only tried again.
      this.#lost(connection);
    }
  }

  #lost(connection: PostgresConnection): void {
    connection.cut();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#isClosed || this.#needs === 0) return;
    this.#retry = setTimeout(() => void this.#connect(), RETRY_MS);
    this.#retry.unref();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection?.isUsable === true) await connection.end();
    else connection?.cut();
  }
}
