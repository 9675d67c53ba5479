// A client of the tree: it keeps a session at any node that listens, and goes to another one when its connection is
// lost. ./treeWork.ts uses the session.

import { OPERATION, XID } from "../../../protocols/zookeeper/codec/operations.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { SimEnvironment } from "../../cluster/environment.ts";
import type { OnTree, TreeWatch } from "../../treeFacts.ts";
import { type Answer, type Fired, type KnownSession, TreeConnection } from "./treeConnection.ts";
import { rewatchOf, type Write } from "./treeRecords.ts";

export interface TreeClientOptions {
  readonly name: string;
  readonly address: string;
  readonly timeoutMs: number;
  /** A connection is there, with a session that is new. */
  readonly begun: () => void;
  /** The connection is lost. */
  readonly lost: () => void;
}

const RETRY_MS = 400;
const PORT_FIRST = 20_000;
const NO_PASSWORD = new Uint8Array(16);

export class TreeClient {
  readonly name: string;
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #options: TreeClientOptions;
  readonly #nextConnection: () => number;
  readonly #watches: Record<TreeWatch, Set<string>> = { data: new Set(), child: new Set(), recursive: new Set() };
  #session: KnownSession;
  #connection: TreeConnection | undefined;
  #on: OnTree | undefined;
  /**
   * The newest transaction of an answer in this session. ZooKeeper's clients do not count events: another event of the
   * same transaction may still be to come.
   */
  #zxid = 0;
  #isDead = false;

  constructor(environment: SimEnvironment, cluster: Cluster, options: TreeClientOptions, nextConnection: () => number) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#options = options;
    this.#nextConnection = nextConnection;
    this.name = options.name;
    this.#session = this.#none;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** It has a connection with its session. */
  get on(): OnTree | undefined {
    return this.#connection?.isConnected === true ? this.#on : undefined;
  }

  get session(): number {
    return this.#session.id;
  }

  get waiting(): number {
    return this.#connection?.waiting ?? 0;
  }

  connect(): void {
    const { dice } = this.#environment;
    if (this.#isDead) return;
    const nodes = this.#cluster.nodesOf("session").filter((node) => node.isListening && !this.#cluster.isCopy(node));
    if (nodes.length === 0) return this.#retry();
    const node = dice.pick(nodes);
    const { process } = node;
    if (process === undefined) return this.#retry();
    const number = this.#nextConnection();
    const address = `${this.#options.address}:${PORT_FIRST + number}`;
    const place = { client: this.name, connection: number, node: process.id };
    const known = { session: this.#session, zxid: this.#zxid, address };
    const connection = new TreeConnection(this.#environment, node, known, {
      connected: (session) => this.#connected(connection, { ...place, session: session.id }, session),
      answered: (sentMs, zxid) => this.#answered(sentMs, zxid),
      fired: (fired) => this.#fired(fired),
      lost: () => this.#lost(connection),
      wrong: (what) => this.#environment.record({ kind: "treeWrong", client: this.name, what }),
    });
    this.#connection = connection;
  }

  /** Asks, if it has a session; `done` with undefined: the answer was lost. */
  ask(type: number, write: Write, done: (answer: Answer | undefined) => void): void {
    if (this.on === undefined || this.#connection === undefined) return done(undefined);
    this.#connection.ask(type, write, done);
  }

  /** A watch was set as of the answer. */
  watched(watch: TreeWatch, path: string, zxid: number): void {
    if (this.#on === undefined) return;
    this.#watches[watch].add(path);
    this.#environment.record({ kind: "treeWatched", ...this.#on, watch, path, zxid });
  }

  watches(watch: TreeWatch, path: string): boolean {
    return this.#watches[watch].has(path);
  }

  /** Its connection breaks, and it goes on at another node. */
  break(isSilent: boolean): void {
    this.#connection?.break(isSilent);
  }

  /** Asks for the end of its session; it begins another one. */
  close(): void {
    if (this.on === undefined) return;
    this.#environment.record({ kind: "treeClosing", client: this.name, session: this.session });
    this.ask(
      OPERATION.closeSession,
      () => undefined,
      (answer) => {
        if (answer !== undefined) this.#forget();
      },
    );
  }

  die(isSilent: boolean): void {
    this.#isDead = true;
    this.#environment.record({ kind: "treeDied", client: this.name, session: this.session });
    this.#connection?.die(isSilent);
    this.#options.lost();
  }

  get #none(): KnownSession {
    return { id: 0, password: NO_PASSWORD, timeoutMs: this.#options.timeoutMs };
  }

  #connected(connection: TreeConnection, on: OnTree, session: KnownSession): void {
    const { record } = this.#environment;
    if (session.id === 0) {
      record({ kind: "treeExpired", client: this.name, session: this.session, node: on.node });
      return this.#forget();
    }
    const isNew = this.session === 0;
    this.#on = on;
    this.#session = session;
    record({ kind: "treeConnected", ...on, timeoutMs: session.timeoutMs, isNew });
    if (isNew) return this.#options.begun();
    const { data, child, recursive } = this.#watches;
    if (data.size + child.size + recursive.size === 0) return;
    const paths = { data: [...data], child: [...child], recursive: [...recursive] };
    const done = (answer: Answer | undefined) => {
      if (answer !== undefined) record({ kind: "treeRewatched", ...on, zxid: answer.zxid });
    };
    connection.ask(OPERATION.setWatches2, rewatchOf(this.#zxid, paths), done, XID.setWatches);
  }

  #answered(sentMs: number, zxid: number): void {
    if (this.#on !== undefined) this.#environment.record({ kind: "treeAnswered", ...this.#on, sentMs, zxid });
    this.#zxid = Math.max(this.#zxid, zxid);
  }

  #fired({ event, path, zxid }: Fired): void {
    if (this.#on !== undefined) this.#environment.record({ kind: "treeFired", ...this.#on, event, path, zxid });
    // Which of the watches have fired is the server's rule.
    if (event === CHILDREN_CHANGED || event === DELETED) this.#watches.child.delete(path);
    if (event !== CHILDREN_CHANGED) this.#watches.data.delete(path);
  }

  #forget(): void {
    this.#session = this.#none;
    this.#zxid = 0;
    for (const paths of Object.values(this.#watches)) paths.clear();
  }

  #lost(connection: TreeConnection): void {
    if (this.#connection !== connection) return;
    if (this.#on !== undefined) this.#environment.record({ kind: "treeLost", ...this.#on });
    this.#on = undefined;
    this.#connection = undefined;
    this.#options.lost();
    this.#retry();
  }

  #retry(): void {
    const { scheduler, dice } = this.#environment;
    scheduler.after(1 + dice.below(RETRY_MS), () => this.connect());
  }
}

const DELETED = 2;
const CHILDREN_CHANGED = 4;
