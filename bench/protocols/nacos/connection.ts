// A client's connection to Nacos: JSON messages in gRPC, requests on streams of their own, pushes on one that stays.

import type { Buffer } from "node:buffer";
import { GrpcConnection } from "../http2/connection.ts";
import { type Glimpse, GlimpseReader } from "../http2/messages.ts";
import { bytesField, bytesIn, message } from "../http2/protobuf.ts";
import type { Address } from "../sockets.ts";

const PATH = { request: "/Request/request", stream: "/BiRequestStream/requestBiStream" } as const;
const FIELD = { metadata: 2, body: 3, type: 3, clientIp: 8, value: 2 } as const;

export interface NacosOptions {
  readonly address: Address;
  /** A push, by what is seen of it; it has been answered. */
  readonly onPush?: (glimpse: Glimpse) => void;
  readonly keepsWhole?: boolean;
  readonly onClose?: () => void;
}

export class NacosConnection {
  readonly #grpc: GrpcConnection;
  #stream = 0;
  readonly #setUp = Promise.withResolvers<void>();

  private constructor(grpc: GrpcConnection) {
    this.#grpc = grpc;
  }

  /** Resolves when the server has taken the connection. */
  static async open({ address, onPush, keepsWhole = false, onClose }: NacosOptions): Promise<NacosConnection> {
    const connection = new NacosConnection(await GrpcConnection.open(address));
    await connection.request("ServerCheckRequest", { module: "internal" });
    const reader = new GlimpseReader((glimpse) => connection.#pushed(glimpse, onPush), { keepsWhole });
    const setup = {
      clientVersion: "Nacos-Java-Client:v3.1.0",
      tenant: "public",
      labels: { source: "sdk", module: "naming", AppName: "bench" },
      abilityTable: {},
      module: "internal",
    };
    const onEnd = () => {
      connection.#setUp.reject(new Error("Nacos refused a connection"));
      onClose?.();
    };
    const events = { onPiece: (piece: Buffer) => reader.read(piece), onEnd };
    connection.#stream = connection.#grpc.call(PATH.stream, payload("ConnectionSetupRequest", setup), events, false);
    await connection.#setUp.promise;
    return connection;
  }

  /** Calls back with what is seen of the answer, or with nothing if there is none. */
  ask(type: string, body: object, then: (answer: Glimpse | undefined) => void, keepsWhole = false): void {
    let isAnswered = false;
    const reader = new GlimpseReader(
      (answer) => {
        isAnswered = true;
        then(answer);
      },
      { keepsWhole },
    );
    const onEnd = () => {
      if (!isAnswered) then(undefined);
    };
    this.#grpc.call(PATH.request, payload(type, body), { onPiece: (piece) => reader.read(piece), onEnd });
  }

  /** The answer's JSON. Rejects if it says failure. */
  request(type: string, body: object): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const then = (answer: Glimpse | undefined) => {
        const json = answer?.whole === undefined ? undefined : jsonOf(answer.whole);
        if (json?.["success"] === true) resolve(json);
        else reject(new Error(`Nacos answers ${type} with ${JSON.stringify(json)}`));
      };
      this.ask(type, body, then, true);
    });
  }

  cork(): void {
    this.#grpc.cork();
  }

  uncork(): void {
    this.#grpc.uncork();
  }

  close(): void {
    this.#grpc.close();
  }

  #pushed(glimpse: Glimpse, onPush: NacosOptions["onPush"]): void {
    const start = glimpse.first.toString("latin1");
    if (start.includes("SetupAckRequest")) return this.#setUp.resolve();
    const requestId = /"requestId":"(\d+)"/.exec(start)?.[1];
    const type = /(\w+)Request/.exec(start)?.[1];
    if (requestId !== undefined && type !== undefined) {
      const answer = payload(`${type}Response`, { resultCode: 200, requestId, success: true });
      // As with Bolt: one's answer must not delay the next one's push.
      setImmediate(() => this.#grpc.send(this.#stream, answer));
    }
    if (type === "NotifySubscriber") onPush?.(glimpse);
  }
}

/** The JSON in a message. */
export function jsonOf(whole: Buffer): Record<string, unknown> {
  const json = bytesIn(bytesIn(whole, FIELD.body), FIELD.value);
  return JSON.parse(json.toString()) as Record<string, unknown>;
}

function payload(type: string, body: object): Buffer {
  const metadata = message(bytesField(FIELD.type, type), bytesField(FIELD.clientIp, "127.0.0.1"));
  const json = bytesField(FIELD.value, JSON.stringify(body));
  return message(bytesField(FIELD.metadata, metadata), bytesField(FIELD.body, json));
}
