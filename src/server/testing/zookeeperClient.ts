// A client of ZooKeeper's protocol on a socket, for tests of nodes with several protocols.

import { connect, type Socket } from "node:net";
import { FrameDecoder } from "../../encoding/jute/frames.ts";
import { JuteReader } from "../../encoding/jute/reader.ts";
import { frameHead, JuteWriter } from "../../encoding/jute/writer.ts";

const FRAME_BYTES_MAX = 4 * 1024 * 1024;
const CREATE = 1;
const DELETE = 2;
const GET_DATA = 4;
const GET_CHILDREN = 8;
const CLOSE_SESSION = -11;
export const EPHEMERAL = 1;

/** A client with a session. Requests are answered in order. */
export class ZooKeeperClient {
  readonly #socket: Socket;
  readonly #frames = new FrameDecoder(FRAME_BYTES_MAX);
  readonly #waiting: ((frame: Uint8Array) => void)[] = [];
  #xid = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#frames.push(chunk);
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        this.#waiting.shift()?.(frame.slice());
      }
    });
  }

  static async connect(port: number): Promise<ZooKeeperClient> {
    const client = new ZooKeeperClient(connect(port, "127.0.0.1"));
    await client.#send(new JuteWriter().int(0).long(0).int(10_000).long(0).buffer(new Uint8Array(16)).bool(false));
    return client;
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

  /** The data of a znode as text. */
  async get(path: string): Promise<string> {
    const { code, body } = await this.#ask(GET_DATA, (to) => to.string(path).bool(false));
    return code === 0 ? Buffer.from(body.buffer() ?? []).toString() : "";
  }

  /** The names of the children; none of a znode that is not there. */
  async children(path: string): Promise<string[]> {
    const { code, body } = await this.#ask(GET_CHILDREN, (to) => to.string(path).bool(false));
    return code === 0 ? body.vector(4, (from) => from.string()).sort() : [];
  }

  /** Ends the session. */
  async close(): Promise<void> {
    await this.#ask(CLOSE_SESSION, () => undefined);
    this.#socket.destroy();
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
    const bytes = record.done();
    this.#socket.write(Buffer.concat([frameHead(bytes.length), bytes]));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
