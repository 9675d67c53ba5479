// The work of one client of the tree: registers that it writes by version and reads, two of them in one transaction,
// sequential znodes, a lock, watches. Several requests may be under way.

import { CODE, OPERATION } from "../../../protocols/zookeeper/codec/operations.ts";
import { childPath } from "../../../records/tree/paths.ts";
import type { TreeEvent } from "../../checkers/tree/treeEvent.ts";
import type { SimEnvironment } from "../../cluster/environment.ts";
import type { OnTree, TreeFact } from "../../treeFacts.ts";
import type { TreeClient } from "./treeClient.ts";
import type { Answer } from "./treeConnection.ts";
import {
  createOf,
  FLAGS,
  multiOf,
  readMulti,
  readNames,
  readStat,
  readText,
  sequenceOf,
  setOf,
} from "./treeRecords.ts";

const REGISTERS = ["/r0", "/r1", "/r2"] as const;
const QUEUE = "/queue";
const LOCK = "/lock";
const EPHEMERALS = "/e";
const PARENTS: readonly string[] = [...REGISTERS, QUEUE, LOCK, EPHEMERALS];
const ANY_VERSION = -1;
const WAITING_MAX = 4;
const HELD_MS = 400;
const LOCK_POLL_MS = 300;
const KEPT_MAX = 3;

type Write = TreeEvent & { readonly kind: "write" };
type Client = Pick<
  TreeClient,
  "name" | "session" | "on" | "waiting" | "isDead" | "ask" | "watched" | "watches" | "close"
>;

export class TreeWork {
  readonly #environment: SimEnvironment;
  readonly #client: Client;
  /** The versions of registers that it has read. */
  readonly #known = new Map<string, number>();
  /** Sequential znodes that it has made, and not deleted. */
  readonly #made: string[] = [];
  #values = 0;
  #order = 0;
  /** Whether it wants the lock; unsure: it may have a turn of which it does not know. */
  #locking: "no" | "waits" | "unsure" = "no";
  #endHold: () => void = () => undefined;
  /** It has asked for the end of its session, over its present connection. */
  #isClosing = false;

  constructor(environment: SimEnvironment, client: Client) {
    this.#environment = environment;
    this.#client = client;
  }

  /** A new session: what is missing is made. */
  begin(): void {
    this.#known.clear();
    this.#locking = "no";
    for (const path of PARENTS) this.#client.ask(OPERATION.create, createOf(path, FLAGS.persistent), () => undefined);
    const { session, name } = this.#client;
    this.#client.ask(
      OPERATION.create,
      createOf(childPath(EPHEMERALS, `${name}-${session}`), FLAGS.ephemeral),
      () => undefined,
    );
  }

  act(): void {
    const { dice } = this.#environment;
    if (this.#client.on === undefined || this.#client.waiting > WAITING_MAX) return;
    const roll = dice.next();
    const register = dice.pick(REGISTERS);
    if (roll < 0.2) this.#set(register, ANY_VERSION);
    else if (roll < 0.35) this.#set(register, this.#known.get(register) ?? ANY_VERSION);
    else if (roll < 0.42) this.#setTwo();
    else if (roll < 0.55) this.#get(register, { isSynced: dice.chance(0.4), isWatched: false });
    else if (roll < 0.62) this.#get(register, { isSynced: false, isWatched: true });
    else if (roll < 0.74) this.#create();
    else if (roll < 0.8) this.#list(QUEUE, dice.chance(0.6));
    else if (roll < 0.84) this.#watchAll();
    else if (roll < 0.88) this.#remove();
    else this.#lock();
  }

  get #nowMs(): number {
    return this.#environment.scheduler.nowMs;
  }

  get #on(): OnTree | undefined {
    return this.#client.on;
  }

  #record(fact: TreeFact): void {
    this.#environment.record(fact);
  }

  #did(on: OnTree, order: number, event: TreeEvent, answer: Answer | undefined): void {
    this.#record({ kind: "treeDid", ...on, order, event, zxid: answer?.zxid ?? 0 });
  }

  #value(): string {
    return `${this.#client.name}-${++this.#values}`;
  }

  #set(register: string, expected: number): void {
    const on = this.#on;
    if (on === undefined) return;
    const value = this.#value();
    const [fromMs, order] = [this.#nowMs, ++this.#order];
    const row = { kind: "write", client: this.#client.name, register, value, expected, fromMs } as const;
    this.#client.ask(OPERATION.setData, setOf(register, value, expected), (answer) => {
      const stat = answer?.code === CODE.ok ? readStat(answer.body) : undefined;
      if (stat !== undefined) this.#known.set(register, stat.version);
      else this.#known.delete(register);
      this.#did(on, order, { ...row, ...outcomeOf(answer, stat?.version), toMs: this.#nowMs }, answer);
    });
  }

  /** Two registers, under the version of one, or neither. */
  #setTwo(): void {
    const on = this.#on;
    if (on === undefined) return;
    const [one, other] = this.#environment.dice.shuffle(REGISTERS);
    if (one === undefined || other === undefined) return;
    const [fromMs, order] = [this.#nowMs, ++this.#order];
    const writes = [
      { path: one, value: this.#value(), version: this.#known.get(one) ?? ANY_VERSION },
      { path: other, value: this.#value(), version: ANY_VERSION },
    ];
    this.#record({ kind: "treeTogether", values: [writes[0]?.value ?? "", writes[1]?.value ?? ""] });
    this.#client.ask(OPERATION.multi, multiOf(writes), (answer) => {
      const stats = answer?.code === CODE.ok ? readMulti(answer.body) : undefined;
      const isRefused = answer?.code === CODE.ok && stats === undefined;
      for (const [at, { path: register, value, version: expected }] of writes.entries()) {
        const version = stats?.[at]?.version;
        if (version === undefined) this.#known.delete(register);
        else this.#known.set(register, version);
        const outcome: Pick<Write, "outcome" | "version"> = isRefused
          ? { outcome: "refused" }
          : outcomeOf(answer, version);
        const row = { kind: "write", client: this.#client.name, register, value, expected, fromMs } as const;
        this.#did(on, order, { ...row, ...outcome, toMs: this.#nowMs }, answer);
      }
    });
  }

  #get(register: string, { isSynced, isWatched }: { readonly isSynced: boolean; readonly isWatched: boolean }): void {
    const on = this.#on;
    if (on === undefined || (isWatched && this.#client.watches("data", register))) return;
    const [fromMs, order] = [this.#nowMs, ++this.#order];
    if (isSynced)
      this.#client.ask(
        OPERATION.sync,
        (to) => void to.string(register),
        () => undefined,
      );
    this.#client.ask(
      OPERATION.getData,
      (to) => void to.string(register).bool(isWatched),
      (answer) => {
        if (answer?.code !== CODE.ok) return;
        const value = readText(answer.body);
        const { version } = readStat(answer.body);
        this.#known.set(register, version);
        if (isWatched) this.#client.watched("data", register, answer.zxid);
        const { name: client } = this.#client;
        const row = { kind: "read", client, register, value, version, isSynced, fromMs } as const;
        // A client's view goes on at another node.
        this.#did(on, order, { ...row, toMs: this.#nowMs, connection: on.session }, answer);
      },
    );
  }

  #list(path: string, isWatched: boolean): void {
    const on = this.#on;
    if (on === undefined || (isWatched && this.#client.watches("child", path))) return;
    this.#client.ask(
      OPERATION.getChildren,
      (to) => void to.string(path).bool(isWatched),
      (answer) => {
        if (answer?.code !== CODE.ok) return;
        const names = readNames(answer.body);
        this.#record({ kind: "treeListed", ...on, path, names, zxid: answer.zxid });
        if (isWatched) this.#client.watched("child", path, answer.zxid);
      },
    );
  }

  /** Everything below the root, from now on. */
  #watchAll(): void {
    const path = this.#environment.dice.pick(["/", QUEUE]);
    if (this.#client.watches("recursive", path)) return;
    this.#client.ask(
      OPERATION.addWatch,
      (to) => void to.string(path).int(RECURSIVE),
      (answer) => {
        if (answer?.code === CODE.ok) this.#client.watched("recursive", path, answer.zxid);
      },
    );
  }

  #create(): void {
    const on = this.#on;
    if (on === undefined) return;
    const [fromMs, order] = [this.#nowMs, ++this.#order];
    this.#client.ask(OPERATION.create, createOf(`${QUEUE}/n-`, FLAGS.sequential), (answer) => {
      if (answer?.code !== CODE.ok) return;
      const path = answer.body.string();
      this.#made.push(path);
      const { name: client } = this.#client;
      const event = { kind: "created", client, sequence: sequenceOf(path), fromMs, toMs: this.#nowMs } as const;
      this.#did(on, order, event, answer);
      if (this.#made.length > KEPT_MAX) this.#remove();
    });
  }

  /** Deletes the oldest of its sequential znodes. */
  #remove(): void {
    const path = this.#made.shift();
    if (path !== undefined) this.#delete(path);
  }

  #delete(path: string): void {
    this.#record({ kind: "treeDeleting", client: this.#client.name, path });
    this.#client.ask(
      OPERATION.delete,
      (to) => void to.string(path).int(ANY_VERSION),
      () => undefined,
    );
  }

  /** The lock of ZooKeeper's recipes: the lowest sequential child has it. */
  #lock(): void {
    if (this.#locking === "unsure") return this.#clean();
    if (this.#locking !== "no") return;
    this.#locking = "waits";
    const { session } = this.#client;
    this.#client.ask(OPERATION.create, createOf(`${LOCK}/${this.#prefix}`, FLAGS.ephemeralSequential), (answer) => {
      if (answer?.code !== CODE.ok) this.#locking = "unsure";
      else this.#awaitTurn(answer.body.string(), session);
    });
  }

  #awaitTurn(path: string, session: number): void {
    const on = this.#on;
    const again = () => void this.#environment.scheduler.after(LOCK_POLL_MS, () => this.#awaitTurn(path, session));
    if (this.#client.isDead || this.#client.session !== session) return;
    if (on === undefined) return again();
    this.#listLock(on, (names, answer) => {
      const isFirst = names?.every((name) => sequenceOf(name) >= sequenceOf(path)) === true;
      if (isFirst && !this.#isClosing) this.#hold(on, path, answer);
      else again();
    });
  }

  #listLock(on: OnTree, done: (names: readonly string[] | undefined, answer: Answer | undefined) => void): void {
    this.#client.ask(
      OPERATION.getChildren,
      (to) => void to.string(LOCK).bool(false),
      (answer) => {
        const names = answer?.code === CODE.ok ? readNames(answer.body) : undefined;
        if (names !== undefined)
          this.#record({ kind: "treeListed", ...on, path: LOCK, names, zxid: answer?.zxid ?? 0 });
        done(names, answer);
      },
    );
  }

  /** It has the lock until it gives it up, or until it loses its connection. */
  #hold(on: OnTree, path: string, answer: Answer | undefined): void {
    const { scheduler, dice } = this.#environment;
    const fromMs = this.#nowMs;
    const order = ++this.#order;
    const end = () => {
      this.#endHold = () => undefined;
      const event = { kind: "held", client: on.client, fromMs, toMs: this.#nowMs } as const;
      this.#did(on, order, event, answer);
    };
    const cancel = scheduler.after(dice.between(1, HELD_MS), () => {
      end();
      this.#delete(path);
      this.#locking = "no";
    });
    this.#endHold = () => {
      cancel();
      end();
      this.#locking = "unsure";
    };
  }

  /** Deletes the turns at the lock of which it does not know. */
  #clean(): void {
    const on = this.#on;
    if (on === undefined) return;
    this.#locking = "waits";
    this.#listLock(on, (names) => {
      const own = names?.filter((name) => name.startsWith(this.#prefix));
      for (const name of own ?? []) this.#delete(childPath(LOCK, name));
      this.#locking = names === undefined ? "unsure" : "no";
    });
  }

  get #prefix(): string {
    return `l-${this.#client.name}-`;
  }

  /** It asks for the end of its session, with which its turn at the lock ends: it gives that up before. */
  close(): void {
    if (this.#on === undefined) return;
    this.#endHold();
    this.#isClosing = true;
    this.#client.close();
  }

  /** Its connection is lost. */
  lost(): void {
    this.#isClosing = false;
    this.#endHold();
  }
}

const RECURSIVE = 1;

function outcomeOf(answer: Answer | undefined, version: number | undefined): Pick<Write, "outcome" | "version"> {
  if (version !== undefined) return { outcome: "done", version };
  return { outcome: answer?.code === CODE.badVersion ? "refused" : "lost" };
}
