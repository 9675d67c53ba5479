// A client of Nacos by gRPC for tests: what the real one says on the wire, said by hand.

import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { defined } from "../../base/assert.ts";
import { GrpcMessages } from "../../encoding/grpc/messages.ts";
import { decodePayload, encodePayload } from "../../protocols/nacos/codec/payload.ts";
import type { RunningServer } from "../start.ts";
import { eventually } from "./eventually.ts";

/** A message of the protocol. */
export interface NacosMessage {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers
  readonly body: any;
}

const ENCODER = new TextEncoder();

export class TestNacosClient {
  readonly session: ClientHttp2Session;
  /** Requests of the server, in order. */
  readonly pushed: NacosMessage[] = [];
  /** Told of each of them. */
  onPushed: (message: NacosMessage) => void = () => undefined;
  /** Sent with the metadata of each request. */
  headers: Readonly<Record<string, string>> = {};
  /** Whether requests of the server are answered. */
  answers = true;
  #stream: ClientHttp2Stream | undefined;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on("error", () => undefined);
  }

  /** A client that is set up. */
  static async connect(server: Pick<RunningServer, "ports">, setup: object = {}): Promise<TestNacosClient> {
    const client = new TestNacosClient(server.ports.nacosGrpc);
    await eventually(
      () => client.ask("ServerCheckRequest"),
      ({ type }) => type === "ServerCheckResponse",
    );
    client.setUp(setup);
    await eventually(
      () => client.pushed.length,
      (count) => count > 0,
    );
    return client;
  }

  setUp(setup: object = {}): void {
    const body = {
      clientVersion: "Nacos-Java-Client:v3.1.1",
      tenant: "public",
      labels: {},
      abilityTable: {},
      ...setup,
    };
    this.say("ConnectionSetupRequest", body);
  }

  /** Sends something on the stream, which it opens if there is none. */
  say(type: string, body: object): void {
    this.stream.write(framed(type, JSON.stringify(body)));
  }

  get stream(): ClientHttp2Stream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.session.request(headersOf("/BiRequestStream/requestBiStream"), { endStream: false });
    stream.on("error", () => undefined);
    const messages = new GrpcMessages({ messageBytesMax: 64 * 1024 * 1024 });
    stream.on("data", (chunk: Buffer) => {
      messages.push(chunk, (message) => {
        const pushed = readMessage(message);
        this.pushed.push(pushed);
        this.onPushed(pushed);
        if (!this.answers || pushed.type === "SetupAckRequest") return;
        const { requestId } = pushed.body;
        this.say(pushed.type.replace(/Request$/, "Response"), {
          resultCode: 200,
          errorCode: 0,
          requestId,
          success: true,
        });
      });
    });
    this.#stream = stream;
    return stream;
  }

  /** The answer to a request; the body may be no JSON at all. */
  async ask(type: string, body: object | string = {}): Promise<NacosMessage> {
    const text = typeof body === "string" ? body : JSON.stringify({ headers: {}, ...body });
    const { messages } = await this.call("/Request/request", framed(type, text, this.headers));
    const [answer] = messages;
    return defined(answer, `an answer to ${type}`);
  }

  /** The messages and the status of a call. */
  async call(path: string, bytes: Uint8Array): Promise<{ messages: NacosMessage[]; status: string }> {
    const stream = this.session.request(headersOf(path), { endStream: false });
    const ended = once(stream, "trailers");
    stream.end(bytes);
    const reader = new GrpcMessages({ messageBytesMax: 64 * 1024 * 1024 });
    const messages: NacosMessage[] = [];
    for await (const chunk of stream) {
      reader.push(chunk as Buffer, (message) => void messages.push(readMessage(message)));
    }
    const [trailers] = await ended;
    return { messages, status: String(trailers["grpc-status"]) };
  }

  /** The lists that were pushed of a service, in order. */
  lists(name: string): NacosMessage["body"][] {
    const pushes = this.pushed.filter(({ type }) => type === "NotifySubscriberRequest");
    return pushes.map(({ body }) => body.serviceInfo).filter((info) => info.name === name);
  }

  close(): void {
    this.session.destroy();
  }
}

function headersOf(path: string) {
  return { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
}

function framed(type: string, text: string, headers: Readonly<Record<string, string>> = {}): Uint8Array {
  return Buffer.concat(encodePayload(type, [ENCODER.encode(text)], new Map(Object.entries(headers))));
}

function readMessage(message: Uint8Array): NacosMessage {
  const { type, json } = decodePayload(message);
  return { type, body: JSON.parse(Buffer.from(json).toString()) };
}
