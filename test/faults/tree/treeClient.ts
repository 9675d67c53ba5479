// One client of the tree: it reads and writes registers, makes sequential nodes and takes a lock, in turns, at any
// session; when its connection goes it comes back with a new session, to another one.

import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { bool, buffer, int, text, ZookeeperConnection } from "../../../bench/protocols/zookeeper/connection.ts";
import type { TreeEvent } from "../../../src/sim/checkers/tree/treeEvent.ts";
import type { Dice } from "../../../src/sim/random.ts";
import { monotonicMs } from "../history/event.ts";

const OP = { CREATE: 1, DELETE: 2, GET_DATA: 4, SET_DATA: 5, GET_CHILDREN: 8, SYNC: 9 } as const;
const FLAGS = { PERSISTENT: 0, PERSISTENT_SEQUENTIAL: 2, EPHEMERAL_SEQUENTIAL: 3 } as const;
/** Everybody may do everything. */
const OPEN_ACL = Buffer.concat([int(1), int(31), text("world"), text("anyone")]);
const REGISTERS = ["r0", "r1", "r2"];
const ANY_VERSION = -1;

const SESSION_MS = 6_000;
const RETRY_MS = 200;
// What a client of a server that is cut off waits for; real ones give up after two thirds of their session.
const REPLY_MS = 4_000;
const LOCK_TRIES = 10;
const LOCK_POLL_MS = 50;
const HELD_MS = 30;
// Where the version stands in what ZooKeeper says of a node: behind two transactions and two times.
const STAT_VERSION_AT = 32;

class Lost extends Error {}

interface Reply {
  readonly error: number;
  readonly record: Buffer;
}

export interface TreeClientOptions {
  readonly name: string;
  /** The node below which everything is; clients with the same one work against each other. */
  readonly root: string;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly dice: Dice;
  readonly record: (event: TreeEvent) => void;
}

export class TreeClient {
  readonly #options: TreeClientOptions;
  #connection: ZookeeperConnection | undefined;
  #connections = 0;
  #values = 0;
  #hasEnded = false;
  /** Rejects what waits for a reply. */
  #lost = (): void => undefined;

  constructor(options: TreeClientOptions) {
    this.#options = options;
  }

  /** Works until `end`. */
  async run(): Promise<void> {
    const { dice } = this.#options;
    while (!this.#hasEnded) {
      try {
        this.#connection ??= await this.#connected();
        await dice.pick([this.#write, this.#write, this.#compareAndSet, this.#read, this.#create, this.#lock])();
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        this.#connection?.close();
        this.#connection = undefined;
        await sleep(RETRY_MS);
      }
    }
    this.#connection?.close();
  }

  end(): void {
    this.#hasEnded = true;
  }

  /** Throws `Lost` if no session is to be had. */
  async #connected(): Promise<ZookeeperConnection> {
    const { addresses, dice } = this.#options;
    this.#connections++;
    const onClose = () => this.#lost();
    const opening = ZookeeperConnection.open(dice.pick(addresses), { onClose, sessionMs: SESSION_MS });
    const late = sleep(REPLY_MS).then(() => Promise.reject(new Lost("no session in time")));
    const connection = await Promise.race([opening, late]).catch((error: unknown) => {
      opening.then((one) => one.close()).catch(() => undefined);
      throw new Lost(String(error));
    });
    late.catch(() => undefined);
    this.#connection = connection;
    for (const name of ["", ...REGISTERS.map((register) => `/${register}`), "/sequence", "/lock"]) {
      const path = `${this.#options.root}${name}`;
      await this.#ask(OP.CREATE, createRecord(path, FLAGS.PERSISTENT));
    }
    return connection;
  }

  readonly #write = async (): Promise<void> => {
    await this.#set(this.#options.dice.pick(REGISTERS), ANY_VERSION);
  };

  readonly #compareAndSet = async (): Promise<void> => {
    const register = this.#options.dice.pick(REGISTERS);
    await this.#set(register, await this.#get(register, false));
  };

  readonly #read = async (): Promise<void> => {
    const { dice } = this.#options;
    await this.#get(dice.pick(REGISTERS), dice.chance(1 / 2));
  };

  readonly #create = async (): Promise<void> => {
    const { name: client, record } = this.#options;
    const fromMs = monotonicMs();
    const path = `${this.#pathOf("sequence")}/n-`;
    const { error, record: made } = await this.#ask(OP.CREATE, createRecord(path, FLAGS.PERSISTENT_SEQUENTIAL));
    if (error === 0)
      record({ kind: "created", client, sequence: sequenceOf(textAt(made, 0)), fromMs, toMs: monotonicMs() });
  };

  /** The lock of ZooKeeper's own recipes: the lowest sequential child of the lock has it. */
  readonly #lock = async (): Promise<void> => {
    const { name: client, record } = this.#options;
    const { error, record: made } = await this.#ask(
      OP.CREATE,
      createRecord(`${this.#pathOf("lock")}/l-`, FLAGS.EPHEMERAL_SEQUENTIAL),
    );
    if (error !== 0) return;
    const path = textAt(made, 0);
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const { record: children } = await this.#ask(OP.GET_CHILDREN, [text(this.#pathOf("lock")), bool(false)]);
      const lowest = Math.min(...textsIn(children).map(sequenceOf));
      if (lowest === sequenceOf(path)) {
        const fromMs = monotonicMs();
        const isLost = await Promise.race([sleep(HELD_MS, false), this.#untilLost()]);
        record({ kind: "held", client, fromMs, toMs: monotonicMs() });
        if (isLost) throw new Lost("the connection went while the lock was held");
        break;
      }
      await sleep(LOCK_POLL_MS);
    }
    await this.#ask(OP.DELETE, [text(path), int(ANY_VERSION)]);
  };

  async #set(register: string, expected: number): Promise<void> {
    const { name: client, record } = this.#options;
    const value = `${client}-${++this.#values}`;
    const fromMs = monotonicMs();
    const row = { kind: "write", client, register, value, expected, fromMs } as const;
    try {
      const { error, record: stat } = await this.#ask(OP.SET_DATA, [
        ...[text(this.#pathOf(register)), buffer(Buffer.from(value)), int(expected)],
      ]);
      const toMs = monotonicMs();
      if (error === 0) record({ ...row, outcome: "done", version: stat.readInt32BE(STAT_VERSION_AT), toMs });
      else record({ ...row, outcome: error === BAD_VERSION ? "refused" : "lost", toMs });
    } catch (error) {
      record({ ...row, outcome: "lost", toMs: monotonicMs() });
      throw error;
    }
  }

  /** Reads a register; returns its version. */
  async #get(register: string, isSynced: boolean): Promise<number> {
    const { name: client, record } = this.#options;
    const fromMs = monotonicMs();
    if (isSynced) {
      const { error } = await this.#ask(OP.SYNC, [text(this.#pathOf(register))]);
      if (error !== 0) throw new Lost("a sync was refused");
    }
    const { error, record: data } = await this.#ask(OP.GET_DATA, [text(this.#pathOf(register)), bool(false)]);
    if (error !== 0) throw new Lost("a read was refused");
    const value = textAt(data, 0);
    const version = data.readInt32BE(4 + Buffer.byteLength(value) + STAT_VERSION_AT);
    const row = { kind: "read", client, register, value, version, isSynced, fromMs, toMs: monotonicMs() } as const;
    record({ ...row, connection: this.#connections });
    return version;
  }

  /** Rejects with `Lost` if the connection goes before the reply, or none comes in time. */
  #ask(type: number, record: readonly Buffer[]): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const timer = setTimeout(() => reject(new Lost("no reply in time")), REPLY_MS);
    this.#lost = () => reject(new Lost("the connection was closed"));
    this.#connection?.request(type, record, (error, bytes) => resolve({ error, record: Buffer.from(bytes) }));
    return promise.finally(() => clearTimeout(timer));
  }

  #pathOf(name: string): string {
    return `${this.#options.root}/${name}`;
  }

  #untilLost(): Promise<true> {
    return new Promise((resolve) => {
      this.#lost = () => resolve(true);
    });
  }
}

const BAD_VERSION = -103;

function createRecord(path: string, flags: number): readonly Buffer[] {
  return [text(path), buffer(Buffer.alloc(0)), OPEN_ACL, int(flags)];
}

function textAt(bytes: Buffer, at: number): string {
  const length = Math.max(0, bytes.readInt32BE(at));
  return bytes.toString("utf8", at + 4, at + 4 + length);
}

function textsIn(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 4; texts.length < bytes.readInt32BE(0); at += 4 + bytes.readInt32BE(at)) texts.push(textAt(bytes, at));
  return texts;
}

function sequenceOf(path: string): number {
  return Number(path.slice(-SEQUENCE_DIGITS));
}

const SEQUENCE_DIGITS = 10;
