// One connection to the database. `pg` speaks the protocol, but the socket is ours: a server that was stopped or cut
// off answers nothing, not even a goodbye, and then only destroying the socket ends the calls that wait for it.

import { Socket } from "node:net";
import { Client, types } from "pg";
import type { Row } from "../columns.ts";
import type { Target } from "./target.ts";

/** A value for a `$n` of a statement. */
export type SqlValue = string | number | bigint | Uint8Array | null;

export interface QueryResult {
  readonly rows: readonly Row[];
  /** The number of rows that a writing statement has written. */
  readonly changed: number;
}

/** Runs one statement. */
export type Ask = (sql: string, ...values: readonly SqlValue[]) => Promise<QueryResult>;

/** A connection that is not established by then has no server behind it. */
const CONNECT_MS = 2_000;

/** The server itself gives up on a statement, or on an idle transaction, after this time. */
const STATEMENT_MS = 3_000;

// Firewalls forget connections that are silent for minutes.
const KEEP_ALIVE_MS = 10_000;

/** The time to wait for the answer to a goodbye. */
const GOODBYE_MS = 500;

// One round trip. A node that is stopped while it holds a lock must not keep the others from the lead: hence the bound
// on idle transactions. Not every pooler passes such settings on when they come with the connection's first packet.
const SETTINGS = `
  SELECT set_config('search_path', quote_ident($1), false),
         set_config('statement_timeout', '${STATEMENT_MS}', false),
         set_config('idle_in_transaction_session_timeout', '${STATEMENT_MS}', false),
         set_config('default_transaction_isolation', 'read committed', false),
         CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
           THEN set_config('synchronous_commit', 'on', false) END`;

const INT8 = 20;

export class PostgresConnection {
  readonly #client: Client;
  readonly #socket = new Socket();
  #isUsable = true;

  /**
   * Reads the URL, and throws `pg`'s complaint about it; nothing is connected yet. `lost` is called once, if the
   * connection breaks; `notified` for each notice of a channel that it listens to.
   */
  constructor(
    { url, tls }: Pick<Target, "url" | "tls">,
    lost: (connection: PostgresConnection) => void,
    notified: () => void = () => undefined,
  ) {
    this.#client = new Client({
      connectionString: url,
      ssl: tls,
      stream: () => this.#socket,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      fallback_application_name: "roster",
      // Versions and epochs are 64-bit; everything else is read by `pg`.
      types: { getTypeParser: (oid, format) => (oid === INT8 ? BigInt : types.getTypeParser(oid, format)) },
    });
    // An `error` without a listener would end the process, even one that comes while no call is under way.
    const broke = () => {
      if (!this.#isUsable) return;
      this.#isUsable = false;
      lost(this);
    };
    this.#client.on("error", broke);
    this.#client.on("end", broke);
    this.#client.on("notification", notified);
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Connects; tables are then found in `schema`. */
  async connect(schema: string): Promise<void> {
    await this.#client.connect();
    await this.ask(SETTINGS, schema);
  }

  async ask(sql: string, ...values: readonly SqlValue[]): Promise<QueryResult> {
    const { rows, rowCount } = await this.#client.query(sql, [...values]);
    // Several statements in one text, as in migrations, answer in a form of their own, which no caller needs.
    return { rows: rows ?? [], changed: rowCount ?? 0 };
  }

  /** Ends it at once, in any state; calls under way are rejected. */
  cut(): void {
    this.#isUsable = false;
    this.#socket.destroy();
  }

  /** Says goodbye, so that the server's log records no fault, and ends it. */
  async end(): Promise<void> {
    this.#isUsable = false;
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    await this.#client.end();
    clearTimeout(timer);
    this.#socket.destroy();
  }
}
