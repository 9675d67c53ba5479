// A node with the gateway on a store in memory, and raw clients of it. Time passes only when a test says so.

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { unlimitedBudget } from "../../../base/budget.ts";
import type { Connection, ConnectionHandler } from "../../../base/ports.ts";
import { FrameDecoder } from "../../../encoding/jute/frames.ts";
import { JuteReader } from "../../../encoding/jute/reader.ts";
import { frameHead, JuteWriter } from "../../../encoding/jute/writer.ts";
import { type NodeId, nodeId } from "../../../model/ids.ts";
import type { Registry } from "../../../registry/registry.ts";
import { MemoryDatabase, openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import { hostSecrets } from "../../../transport/secrets.ts";
import { OPEN_ACCESS } from "../../kit/clientAccess.ts";
import { OPERATION } from "../codec/operations.ts";
import { ZooKeeperConnection } from "../connection.ts";
import { ZooKeeperConnections, type ZooKeeperConnectionsParts } from "../connections.ts";
import type { ZooKeeperConfig } from "../environment.ts";
import { type Faults, FaultyRecords } from "./faultyRecords.ts";

const CONFIG: ZooKeeperConfig = {
  serveZookeeper: true,
  zookeeperSessionMinMs: 4_000,
  zookeeperSessionMaxMs: 40_000,
  zookeeperFrameBytesMax: 1_048_575,
  zookeeperAddressConnectionsMax: 0,
  zookeeperWords: ["srvr"],
  zookeeperSuperDigest: "",
  zookeeperNodesMax: 10_000,
  zookeeperTreeBytesMax: 100 * 1024 * 1024,
  zookeeperEnforceQuota: false,
  zookeeperServicePaths: ["dubbo=/dubbo/*/providers", "curator=/services/*"],
  clientOutputBytesMax: 16 * 1024 * 1024,
  dataCenter: "dc",
  zone: "z",
};

const NO_PORT = { add: () => undefined, set: () => undefined } as never;

/** A cluster on one store; its clock is that of all its nodes. */
export class ZooKeeperScene {
  readonly faults: Faults | undefined;
  readonly database = new MemoryDatabase();
  nowMs = 1_700_000_000_000;
  readonly members = new Set<NodeId>();
  /** The events that nodes have told the registry. */
  readonly registered: Parameters<Registry["step"]>[0][] = [];
  readonly registry: Registry = { step: (event) => void this.registered.push(event) };
  readonly nodes: SceneNode[] = [];
  readonly budget = unlimitedBudget();

  constructor(faults?: Faults) {
    this.faults = faults;
  }

  /** Starts a node, which is a member. */
  async start(config: Partial<ZooKeeperConfig> = {}, access = OPEN_ACCESS): Promise<SceneNode> {
    const self = nodeId(`node-${this.nodes.length}.run`);
    this.members.add(self);
    const opened = await openMemoryRecords(this.database);
    const records = this.faults === undefined ? opened : new FaultyRecords(opened, this.faults);
    const connections = new ZooKeeperConnections({
      config: { ...CONFIG, ...config },
      ...{
        self,
        records,
        version: "0.0.0",
        secrets: hostSecrets,
        access,
        registry: this.registry,
        budget: this.budget,
      },
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      metrics: NO_PORT,
      nowMs: () => this.nowMs,
      later: (run) => void setImmediate(run),
      members: () => this.members,
    } satisfies ZooKeeperConnectionsParts);
    const node = new SceneNode(this, connections, self, () => opened.close());
    if (records instanceof FaultyRecords) node.store = records;
    this.nodes.push(node);
    await this.pass(0);
    return node;
  }

  /** Time passes in steps of half a second, in which every node checks its clients. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    do {
      this.nowMs = Math.min(untilMs, this.nowMs + 500);
      for (const node of this.nodes) node.check();
      await settled();
    } while (this.nowMs < untilMs);
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.stop();
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 12; turns++) await turn();
}

export class SceneNode {
  readonly self: NodeId;
  readonly connections: ZooKeeperConnections;
  /** Its way to the store, in a scene with faults. */
  store: FaultyRecords | undefined;
  readonly #scene: ZooKeeperScene;
  readonly #close: () => Promise<void>;
  #isStopped = false;
  #clients = 0;

  constructor(scene: ZooKeeperScene, connections: ZooKeeperConnections, self: NodeId, close: () => Promise<void>) {
    this.#scene = scene;
    this.connections = connections;
    this.self = self;
    this.#close = close;
  }

  check(): void {
    if (!this.#isStopped) this.connections.check(this.#scene.nowMs);
  }

  /** The node dies, and is no member any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#scene.members.delete(this.self);
    await this.#close();
  }

  /** A connection that has said nothing. */
  dial(address = "10.0.0.1"): RawClient {
    const connection = new FakeConnection(`${address}:${40_000 + this.#clients++}`);
    const handler = this.connections.accept(connection, this.#scene.nowMs);
    return new RawClient(this.#scene, connection, handler);
  }

  /** A client with a session. */
  async connect(greeting: Partial<Greeting> = {}): Promise<RawClient> {
    const client = this.dial();
    await client.greet(greeting);
    return client;
  }
}

class FakeConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress = "10.0.0.9:2181";
  bufferedBytes = 0;
  readonly hasUnread = false;
  readonly written: Uint8Array[] = [];
  isClosed = false;

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }

  write(...parts: readonly Uint8Array[]): void {
    if (!this.isClosed) this.written.push(...parts.map((part) => part.slice()));
  }

  close(): void {
    this.isClosed = true;
  }
}

export interface Greeting {
  readonly lastZxidSeen: bigint;
  readonly timeoutMs: number;
  readonly session: bigint;
  readonly password: Uint8Array;
  readonly hasReadOnly: boolean;
}

/** A watch event as a client has it. */
export interface SeenEvent {
  readonly type: number;
  readonly path: string;
}

/** An answer: its header, and what is behind it. */
export interface Reply {
  readonly xid: number;
  readonly zxid: bigint;
  readonly code: number;
  readonly body: JuteReader;
}

const PASSWORD_BYTES = 16;
export const ALL_RIGHTS = { permissions: 31, scheme: "world", id: "anyone" } as const;

/** A client of the protocol's own bytes. */
export class RawClient {
  readonly connection: FakeConnection;
  readonly #scene: ZooKeeperScene;
  readonly #handler: ConnectionHandler;
  readonly #frames = new FrameDecoder(64 * 1024 * 1024);
  readonly events: SeenEvent[] = [];
  readonly replies: Reply[] = [];
  session = 0n;
  timeoutMs = 0;
  password: Uint8Array = new Uint8Array(PASSWORD_BYTES);
  #xid = 0;
  #hasSession = false;

  constructor(scene: ZooKeeperScene, connection: FakeConnection, handler: ConnectionHandler) {
    this.#scene = scene;
    this.connection = connection;
    this.#handler = handler;
  }

  get isClosed(): boolean {
    return this.connection.isClosed;
  }

  /** The number of its requests that the node has taken and not answered. */
  get queued(): number {
    assert.ok(this.#handler instanceof ZooKeeperConnection);
    return this.#handler.queued;
  }

  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void {
    if (!this.isClosed) this.#handler.received(bytes, this.#scene.nowMs);
  }

  frame(bytes: Uint8Array): void {
    this.raw(Buffer.concat([frameHead(bytes.length), bytes]));
  }

  /** The connection is lost. */
  drop(): void {
    this.connection.isClosed = true;
    this.#handler.closed(this.#scene.nowMs);
  }

  /** Begins or continues a session; returns the payload of the answer. */
  async greet({
    lastZxidSeen = 0n,
    timeoutMs = 10_000,
    session = 0n,
    password = new Uint8Array(PASSWORD_BYTES),
    hasReadOnly = true,
  }: Partial<Greeting>): Promise<Uint8Array | undefined> {
    const writer = new JuteWriter().int(0).long(lastZxidSeen).int(timeoutMs).long(session).buffer(password);
    if (hasReadOnly) writer.bool(false);
    this.frame(writer.done());
    await settled();
    this.#read();
    const answer = this.#frames.next();
    if (answer === undefined) return undefined;
    const reader = new JuteReader(answer);
    reader.int();
    this.timeoutMs = reader.int();
    this.session = reader.long();
    this.password = reader.buffer()?.slice() ?? assert.fail("a connect response has a password");
    this.#hasSession = true;
    return answer;
  }

  /** Sends a request without waiting; returns its xid. */
  send(type: number, write: (writer: JuteWriter) => void = () => undefined, xid = ++this.#xid): number {
    const writer = new JuteWriter().int(xid).int(type);
    write(writer);
    this.frame(writer.done());
    return xid;
  }

  /** Sends a request and waits for its answer. */
  async ask(type: number, write?: (writer: JuteWriter) => void, xid?: number): Promise<Reply> {
    const sent = this.send(type, write, xid);
    await this.settle();
    const found = this.replies.findLast((reply) => reply.xid === sent);
    assert.ok(found !== undefined, `an answer to ${type}`);
    return found;
  }

  /** The code of an answer. */
  async code(type: number, write?: (writer: JuteWriter) => void): Promise<number> {
    return (await this.ask(type, write)).code;
  }

  /** Creates a znode; returns its path, or the code of the refusal. */
  async create(path: string, data = "", flags = 0): Promise<string | number> {
    const { code, body } = await this.ask(OPERATION.create, createOf(path, data, flags));
    return code === 0 ? body.string() : code;
  }

  /** Its data as text, or the code of the refusal. */
  async get(path: string, watch = false): Promise<string | number> {
    const { code, body } = await this.ask(OPERATION.getData, (to) => to.string(path).bool(watch));
    return code === 0 ? Buffer.from(body.buffer() ?? []).toString() : code;
  }

  set(path: string, data: string, version = -1): Promise<number> {
    return this.code(OPERATION.setData, (to) => to.string(path).buffer(Buffer.from(data)).int(version));
  }

  delete(path: string, version = -1): Promise<number> {
    return this.code(OPERATION.delete, (to) => to.string(path).int(version));
  }

  exists(path: string, watch = false): Promise<number> {
    return this.code(OPERATION.exists, (to) => to.string(path).bool(watch));
  }

  async children(path: string, watch = false): Promise<string[]> {
    const { body } = await this.ask(OPERATION.getChildren, (to) => to.string(path).bool(watch));
    return body.vector(4, (from) => from.string()).sort();
  }

  ping(): Promise<Reply> {
    return this.ask(OPERATION.ping, undefined, -2);
  }

  /** Waits for what comes, and reads it. */
  async settle(): Promise<void> {
    await settled();
    this.#read();
    if (!this.#hasSession) return;
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) this.#take(frame);
  }

  /** The text that was answered to a command of four letters. */
  text(): string {
    return Buffer.concat(this.connection.written).toString();
  }

  #read(): void {
    for (const bytes of this.connection.written.splice(0)) this.#frames.push(bytes);
  }

  #take(frame: Uint8Array): void {
    const body = new JuteReader(frame);
    const [xid, zxid, code] = [body.int(), body.long(), body.int()];
    if (xid !== -1) this.replies.push({ xid, zxid, code, body });
    else {
      const type = body.int();
      body.int();
      this.events.push({ type, path: body.string() });
    }
  }
}

/** The record of a create. */
export function createOf(
  path: string,
  data: string,
  flags: number,
  acl = [ALL_RIGHTS as { permissions: number; scheme: string; id: string }],
) {
  return (writer: JuteWriter): void => {
    writer.string(path).buffer(Buffer.from(data));
    writer.vector(acl, (to, { permissions, scheme, id }) => void to.int(permissions).string(scheme).string(id));
    writer.int(flags);
  };
}
