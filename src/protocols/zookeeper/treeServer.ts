// One node's part in ZooKeeper's service: its copy of the tree, the watches and sessions of its clients, and the writes
// that they want.

import { assert } from "../../base/assert.ts";
import { RegistryError } from "../../base/errors.ts";
import { hmacSha256 } from "../../base/hmacSha256.ts";
import type { NodeId } from "../../model/ids.ts";
import { keyAlone } from "../../records/keys.ts";
import { isOver, type Surroundings } from "../../records/tree/evaluate.ts";
import type { Transaction } from "../../records/tree/transactions.ts";
import { type KeptSession, Tree, type TreeListener } from "../../records/tree/tree.ts";
import { TreeFollower } from "../../records/tree/treeFollower.ts";
import { type CommitTxns, EVENT, type TreeEvent } from "../../records/tree/treeRecords.ts";
import { TreeWriter, type Written } from "../../records/tree/treeWriter.ts";
import { type WatchEvent, WatchTable } from "../../records/tree/watchTable.ts";
import type { SessionId } from "../../records/tree/znode.ts";
import { PASSWORD_BYTES } from "./codec/connect.ts";
import { eventFrame } from "./codec/replies.ts";
import type { ZooKeeperParts } from "./environment.ts";
import { Mirror } from "./mirror.ts";
import { Providers } from "./providers.ts";
import { isWithinQuota } from "./quota.ts";
import { ServicePaths } from "./servicePaths.ts";
import { Sessions } from "./sessions.ts";

export interface TreeServerParts extends ZooKeeperParts {
  readonly self: NodeId;
  /** The nodes with the role session; empty as long as this node does not know. */
  readonly members: () => ReadonlySet<NodeId>;
  readonly nowMs: () => number;
  /** The tree was read anew, or can't be told any more: connections to it end. */
  readonly endAll: () => void;
}

const SECRET_KEY = "gateways/zookeeper/secret";
const SECRET_BYTES = 32;
/** Two records for each znode, and what else there is. */
const RECORDS_PER_NODE = 2;
const RECORDS_BESIDE = 1_000_000;
/** The time between two looks for containers and znodes whose time is over. */
const PRUNE_MS = 10_000;
/** The most of them that are deleted at a time: as ZooKeeper's znode.container.maxPerMinute, 10,000. */
const PRUNED_MAX = 1_600;
/** The time between two questions whether the store is there. */
const CONTACT_MS = 1_000;
/** A process that stood still has this long to reach the store before it cuts clients off. */
const RESUME_MS = 2_000;

interface Later {
  readonly atMs: number;
  readonly run: () => void;
}

export class TreeServer implements TreeListener {
  readonly tree = new Tree(this);
  readonly watches = new WatchTable();
  readonly sessions: Sessions;
  readonly paths: ServicePaths;
  readonly #parts: TreeServerParts;
  readonly #mirror: Mirror;
  readonly #providers: Providers;
  readonly #writer: TreeWriter;
  readonly #follower: TreeFollower;
  #secret: Uint8Array | undefined;
  #timers: Later[] = [];
  /** The copy has all that was in the store then. */
  #contactMs = Number.NEGATIVE_INFINITY;
  /** Until then no client is cut off because of the store: this process has just stood still. */
  #patienceMs = Number.NEGATIVE_INFINITY;
  /** Answers that wait until the store is reached. No connection begins meanwhile, and each has a limit of places. */
  #awaitingContact: (() => void)[] = [];
  #askedMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #prunedMs = Number.NEGATIVE_INFINITY;
  /** The number of znodes whose deletion is under way, since their time is over. */
  #pruning = 0;
  #sessionsMade = 0;
  #isSettling = false;
  /** The last watch event as a frame: all watches of one change share it. */
  #frame: { readonly event: WatchEvent; readonly zxid: number; readonly bytes: Uint8Array } | undefined;

  constructor(parts: TreeServerParts) {
    this.#parts = parts;
    this.paths = new ServicePaths(parts.config.zookeeperServicePaths);
    const { tree } = this;
    const { records, self, later, nowMs, log } = parts;
    const failed = (error: unknown) => this.#failed(error);
    const after = (delayMs: number, run: () => void) => void this.#timers.push({ atMs: nowMs() + delayMs, run });
    const surroundings = () => this.#surroundings();
    this.#writer = new TreeWriter({ ...{ tree, records, later, after, failed, surroundings }, maker: self });
    this.#follower = new TreeFollower({
      ...{ tree, records, after, failed },
      recordsMax: parts.config.zookeeperNodesMax * RECORDS_PER_NODE + RECORDS_BESIDE,
      applied: () => this.#writer.reached(),
      loaded: (isFirst) => this.#loaded(isFirst),
      notRead: (error) => log.warn("the tree of ZooKeeper's clients could not be read", { reason: error.message }),
    });
    const submit = (txn: Transaction, done: (written: Written) => void) => this.submit(txn, done);
    const { members, registry, budget, config } = parts;
    this.sessions = new Sessions({ ...{ self, tree, submit, nowMs }, members });
    const { paths } = this;
    this.#mirror = new Mirror({ ...{ registry, tree, paths, self, members, submit, nowMs, later } });
    this.#providers = new Providers({
      ...{ registry, tree, paths, budget, nowMs },
      zone: config.zone,
      judges: (id) => this.sessions.judges(id),
      addressOf: (id) => this.sessions.addressOf(id),
    });
  }

  get self(): NodeId {
    return this.#parts.self;
  }

  nowMs(): number {
    return this.#parts.nowMs();
  }

  /** Whether clients can be served: the tree was read, and the store was reached of late. */
  get isReady(): boolean {
    const { nowMs, config } = this.#parts;
    return (
      this.#follower.isLoaded && this.#secret !== undefined && nowMs() - this.#contactMs <= config.zookeeperSessionMinMs
    );
  }

  start(): void {
    this.#follower.start();
    this.#readSecret().catch((error: unknown) => this.#failed(error));
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    const due = this.#timers.filter(({ atMs }) => atMs <= nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
    if (!this.#follower.isLoaded) return;
    if (nowMs - this.#askedMs >= CONTACT_MS) this.#askStore(nowMs);
    this.sessions.check(nowMs, nowMs <= this.#patienceMs ? nowMs : this.#contactMs);
    if (nowMs - this.#prunedMs >= PRUNE_MS) this.#prune(nowMs);
    this.#providers.settle();
    this.#mirror.check(nowMs);
    this.#report();
  }

  /** A client has asked for a path that is not there. */
  wanted(path: string): void {
    this.#mirror.wanted(path);
  }

  /**
   * This process stood still for `awayMs`. Clients can't have been heard meanwhile, and the copy is old: answers that
   * may be too old wait, instead of the clients being cut off at once.
   */
  resumed(awayMs: number): void {
    const nowMs = this.nowMs();
    this.#patienceMs = nowMs + RESUME_MS;
    this.sessions.resumed(awayMs);
    this.#askStore(nowMs);
  }

  /**
   * Calls `then`, at once if the copy is not older than a client with this session may be shown: two thirds of it. Else
   * when the store has been reached.
   */
  whenFresh(timeoutMs: number, then: () => void): void {
    if (this.nowMs() - this.#contactMs <= (timeoutMs * 2) / 3) return then();
    this.#awaitingContact.push(then);
    this.#askStore(this.nowMs());
  }

  submit(txn: Transaction, done: (written: Written) => void): void {
    this.#writer.submit(txn, done);
  }

  /** Calls `then` with whether the tree has all that was there at the call; false: the store did not answer. */
  sync(then: (isDone: boolean) => void): void {
    const settled = this.#writer.sync().then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof RegistryError)) throw error;
        return false;
      },
    );
    settled.then(then).catch((error: unknown) => this.#failed(error));
  }

  /** The password of a session, which any node can tell. */
  passwordOf(session: SessionId): Uint8Array {
    return hmacSha256(this.#key, ENCODER.encode(`session ${session}`)).subarray(0, PASSWORD_BYTES);
  }

  /** A session id that no node has given, as far as that can be known. */
  newSessionId(): SessionId {
    const { self, nowMs } = this.#parts;
    const text = `new session ${self} ${nowMs()} ${this.#sessionsMade++}`;
    const digest = hmacSha256(this.#key, ENCODER.encode(text));
    // Six bytes: a number that is safe, and has none of the top bytes that mean something to clients.
    return digest.subarray(0, 6).reduce((id, byte) => id * 256 + byte, 0) || 1;
  }

  /** A watch event as a frame. */
  frameOf(event: WatchEvent, zxid: number): Uint8Array {
    if (this.#frame?.event !== event || this.#frame.zxid !== zxid) {
      this.#frame = { event, zxid, bytes: eventFrame(event, zxid) };
    }
    return this.#frame.bytes;
  }

  happened(events: readonly TreeEvent[], zxid: number): void {
    this.watches.happened(events, zxid);
    for (const { kind, path } of events) {
      this.#providers.happened(path);
      if (kind !== EVENT.dataChanged) this.#mirror.happened(path);
    }
    this.#settleLater();
  }

  committed(commit: CommitTxns, revision: bigint): void {
    this.#writer.committed(commit, revision);
  }

  sessionChanged(id: SessionId, session: KeptSession | undefined): void {
    // Its end may be a transaction of ours, whose answer goes out first.
    this.#parts.later(() => {
      this.sessions.changed(id, session);
      this.#providers.changed(id);
      this.#providers.settle();
    });
  }

  get #key(): Uint8Array {
    assert(this.#secret !== undefined, "clients are served when the secret is known");
    return this.#secret;
  }

  #settleLater(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    this.#parts.later(() => {
      this.#isSettling = false;
      this.#providers.settle();
    });
  }

  #loaded(isFirst: boolean): void {
    // No watch was told of the changes in between: clients come back, and ask for what they have missed. They get no
    // answers that show more than their watches have told.
    if (!isFirst) this.#parts.endAll();
    this.#writer.reloaded();
    this.#askStore(this.nowMs());
    for (const session of this.tree.sessions()) this.sessions.changed(session.id, session);
    this.#mirror.loaded();
  }

  #surroundings(): Surroundings {
    const { config, nowMs } = this.#parts;
    const { tree } = this;
    return {
      nowMs: nowMs(),
      hasRoom: (path, grown) =>
        tree.size + grown.nodes <= config.zookeeperNodesMax &&
        tree.bytes + grown.bytes <= config.zookeeperTreeBytesMax &&
        (!config.zookeeperEnforceQuota || isWithinQuota(tree, path, grown)),
    };
  }

  #askStore(nowMs: number): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#askedMs = nowMs;
    this.sync((isDone) => {
      this.#isAsking = false;
      if (isDone) this.#contact(nowMs);
    });
  }

  #contact(atMs: number): void {
    this.#contactMs = Math.max(this.#contactMs, atMs);
    const waiting = this.#awaitingContact;
    this.#awaitingContact = [];
    for (const then of waiting) then();
  }

  /** One node at a time looks for znodes whose time is over. They take turns: one may not reach the store. */
  #prune(nowMs: number): void {
    this.#prunedMs = nowMs;
    const members = [...this.#parts.members()].sort();
    const isOwnTurn = members[Math.floor(nowMs / PRUNE_MS) % members.length] === this.#parts.self;
    if (!isOwnTurn || this.#pruning > 0) return;
    for (const node of this.tree.all()) {
      if (node.znode.lifetime.kind === "persistent" || !isOver(node, nowMs)) continue;
      this.#pruning++;
      this.submit({ kind: "prune", path: node.path }, () => void this.#pruning--);
      if (this.#pruning === PRUNED_MAX) return;
    }
  }

  #report(): void {
    const { metrics } = this.#parts;
    metrics.set("roster_zookeeper_znodes", this.tree.size);
    metrics.set("roster_zookeeper_tree_bytes", this.tree.bytes);
    metrics.set("roster_zookeeper_watches", this.watches.size);
    metrics.set("roster_zookeeper_sessions", this.sessions.judged);
  }

  /** The secret is made by the node that comes first. */
  async #readSecret(): Promise<void> {
    const { records, secrets, nowMs } = this.#parts;
    try {
      const page = await records.range({ ...keyAlone(SECRET_KEY), limit: 1 });
      const [found] = page.kind === "page" ? page.records : [];
      if (found !== undefined) {
        this.#secret = found.value;
        return;
      }
      const value = ENCODER.encode(secrets.random(SECRET_BYTES));
      await records.commit({
        conditions: [{ kind: "revision", key: SECRET_KEY, revision: 0n }],
        operations: [{ kind: "put", key: SECRET_KEY, value }],
      });
      await this.#readSecret();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#timers.push({
        atMs: nowMs() + CONTACT_MS,
        run: () => void this.#readSecret().catch((reason: unknown) => this.#failed(reason)),
      });
    }
  }

  /** A bug of ours must not be mistaken for a fault of the store. */
  #failed(error: unknown): void {
    this.#parts.log.error("ZooKeeper's clients can't be served any more, because of a bug", { reason: String(error) });
    this.#parts.endAll();
    this.#parts.later(() => {
      throw error;
    });
  }
}

const ENCODER = new TextEncoder();
