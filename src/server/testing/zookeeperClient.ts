// A client of ZooKeeper's protocol on a socket, for tests of nodes with several protocols.

import { connect, type Socket } from "node:net";
import { FrameDecoder } from "../../encoding/jute/frames.ts";
import { JuteReader } from "../../encoding/jute/reader.ts";
import { frameHead, JuteWriter } from "../../encoding/jute/writer.ts";

const FRAME_BYTES_MAX = 4 * 1024 * 1024;
const CREATE = 1;
const DELETE = 2;
const GET_DATA = 4;
const SET_DATA = 5;
const GET_CHILDREN = 8;
const PING = 11;
const ADD_WATCH = 106;
const CLOSE_SESSION = -11;
const WATCH_EVENT_XID = -1;
const PING_XID = -2;
const PERSISTENT_RECURSIVE = 1;
const PING_MS = 1_000;
export const EPHEMERAL = 1;

/** A client with a session, which it keeps by pings. Requests are answered in order. */
export class ZooKeeperClient {
  /** Told the path of each event of a watch. */
  readonly watchers = new Set<(path: string) => void>();
  readonly #socket: Socket;
  readonly #frames = new FrameDecoder(FRAME_BYTES_MAX);
  readonly #waiting: ((frame: Uint8Array) => void)[] = [];
  readonly #pings: NodeJS.Timeout;
  #xid = 0;
  #saidMs = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#frames.push(chunk);
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        this.#received(frame.slice());
      }
    });
    socket.on("error", () => socket.destroy());
    this.#pings = setInterval(() => this.#write(new JuteWriter().int(PING_XID).int(PING)), PING_MS);
    socket.once("close", () => clearInterval(this.#pings));
  }

  static async connect(port: number, { timeoutMs = 10_000 } = {}): Promise<ZooKeeperClient> {
    const client = new ZooKeeperClient(connect(port, "127.0.0.1"));
    await client.#send(new JuteWriter().int(0).long(0).int(timeoutMs).long(0).buffer(new Uint8Array(16)).bool(false));
    return client;
  }

  /** When it has last said something, by `performance.now()`. */
  get saidMs(): number {
    return this.#saidMs;
  }

  /** Creates a znode and those above it; returns the code. */
  async create(path: string, data = "", flags = 0): Promise<number> {
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (parent !== "") await this.create(parent);
    const { code } = await this.#ask(CREATE, (to) => {
      to.string(path).buffer(Buffer.from(data));
      to.vector([0], () => to.int(31).string("world").string("anyone")).int(flags);
    });
    return code;
  }

  async delete(path: string): Promise<number> {
    return (await this.#ask(DELETE, (to) => to.string(path).int(-1))).code;
  }

  async setData(path: string, data: string): Promise<number> {
    return (await this.#ask(SET_DATA, (to) => to.string(path).buffer(Buffer.from(data)).int(-1))).code;
  }

  /** The data of a znode as text. */
  async get(path: string): Promise<string> {
    const { code, body } = await this.#ask(GET_DATA, (to) => to.string(path).bool(false));
    return code === 0 ? Buffer.from(body.buffer() ?? []).toString() : "";
  }

  /** The names of the children; none of a znode that is not there. */
  async children(path: string): Promise<string[]> {
    return (await this.childrenIfThere(path)) ?? [];
  }

  /** The names of the children, perhaps with a watch of the next change; undefined of a znode that is not there. */
  async childrenIfThere(path: string, { isWatched = false } = {}): Promise<string[] | undefined> {
    const { code, body } = await this.#ask(GET_CHILDREN, (to) => to.string(path).bool(isWatched));
    return code === 0 ? body.vector(4, (from) => from.string()).sort() : undefined;
  }

  /** Watches a znode and all below it until the session ends. */
  async watchAll(path: string): Promise<number> {
    return (await this.#ask(ADD_WATCH, (to) => to.string(path).int(PERSISTENT_RECURSIVE))).code;
  }

  /** Ends the session. */
  async close(): Promise<void> {
    await this.#ask(CLOSE_SESSION, () => undefined);
    this.#socket.destroy();
  }

  /** Goes without a word: the session is not ended. */
  kill(): void {
    clearInterval(this.#pings);
    this.#socket.destroy();
  }

  #received(frame: Uint8Array): void {
    const body = new JuteReader(frame);
    const xid = body.int();
    if (xid === PING_XID) return;
    if (xid !== WATCH_EVENT_XID) return this.#waiting.shift()?.(frame);
    body.long();
    // The outcome, and the event's kind and state.
    for (let field = 0; field < 3; field++) body.int();
    const path = body.string();
    for (const watcher of this.watchers) watcher(path);
  }

  async #ask(type: number, write: (to: JuteWriter) => void): Promise<{ code: number; body: JuteReader }> {
    const request = new JuteWriter().int(++this.#xid).int(type);
    write(request);
    const body = new JuteReader(await this.#send(request));
    body.int();
    body.long();
    return { code: body.int(), body };
  }

  #send(record: JuteWriter): Promise<Uint8Array> {
    this.#write(record);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #write(record: JuteWriter): void {
    const bytes = record.done();
    this.#saidMs = performance.now();
    this.#socket.write(Buffer.concat([frameHead(bytes.length), bytes]));
  }
}
