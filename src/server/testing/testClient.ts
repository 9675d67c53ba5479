// A client of the SOFARegistry protocol on a real socket, which reconnects by itself when it loses its session.

import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Connection } from "../../base/ports.ts";
import { BOLT_V1 } from "../../encoding/bolt/frame.ts";
import type { Publisher } from "../../protocols/sofa/client/registration.ts";
import { SofaClient, type SofaClientOptions } from "../../protocols/sofa/client/sofaClient.ts";
import { decodeReceivedDataBody } from "../../protocols/sofa/codec/codec.ts";
import type { ServiceName } from "../../protocols/sofa/serviceName.ts";

const OPTIONS = {
  appName: "test",
  zone: "DEFAULT_ZONE",
  acceptEncoding: null,
  mode: "serial",
  form: "hessian-draft",
  dialect: BOLT_V1,
  dataCenter: "DefaultDataCenter",
  answersPushes: true,
} as const;

const TICK_MS = 20;

let nextRequest = 1;
let nextRegist = 1;

const text = (value: string) => ({ utf8: new TextEncoder().encode(value), units: value.length });
const named = (dataId: string): ServiceName => ({ dataId, group: "DEFAULT_GROUP", instanceId: "DEFAULT_INSTANCE_ID" });

interface TestClientOptions {
  readonly bytesPerSecond?: number;
  readonly address?: string | undefined;
  readonly tls?: ConnectionOptions | undefined;
  readonly host?: string;
  readonly protocol?: Partial<SofaClientOptions>;
}

export class TestClient {
  readonly #session: () => number;
  readonly #bytesPerSecond: number;
  readonly #host: string;
  readonly #address: string | undefined;
  readonly #tls: ConnectionOptions | undefined;
  readonly #client: SofaClient;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | undefined;
  /** The number of its connections so far. */
  connections = 0;
  /** Each list that was pushed, by service; the last one is in force. */
  readonly lists = new Map<string, string[][]>();
  /** The compression of each list that came compressed. */
  readonly encodings: string[] = [];
  /** The server's reasons for each registration that it has refused. */
  readonly refusals: string[] = [];
  /** Each value that was pushed to a watch, by dataId; null where there is none. */
  readonly configs = new Map<string, (string | null)[]>();
  /** Told of each list that is pushed. */
  onList: (dataId: string, values: readonly string[]) => void = () => undefined;

  /**
   * `session` returns the Bolt port for each connection. A slow client reads a limited number of bytes a second;
   * `address` is the one that it connects from, any of 127.0.0.0/8; with `tls` it connects through TLS. A session
   * on another machine has a `host`, and `protocol` changes how the client speaks.
   */
  constructor(
    session: () => number,
    {
      bytesPerSecond = Number.POSITIVE_INFINITY,
      host = "127.0.0.1",
      address = host === "127.0.0.1" ? host : undefined,
      tls,
      protocol = {},
    }: TestClientOptions = {},
  ) {
    this.#session = session;
    this.#host = host;
    this.#address = address;
    this.#bytesPerSecond = bytesPerSecond;
    this.#tls = tls;
    this.#client = new SofaClient(
      { ...OPTIONS, ...protocol },
      {
        nextRequestId: () => nextRequest++,
        nextRegistId: () => `regist-${nextRegist++}`,
        connect: () => this.#connect(),
        decompress: (encoding, body) => {
          this.encodings.push(encoding);
          return decodeReceivedDataBody(encoding === "zstd" ? zstdDecompressSync(body) : gunzipSync(body));
        },
        onRefused: (message) => void this.refusals.push(message),
        onPush: ({ service }, { zones }) => {
          const values = [...zones.values()].flat().map((box) => new TextDecoder().decode(box?.utf8));
          const lists = this.lists.get(service.dataId) ?? [];
          this.lists.set(service.dataId, [...lists, values.sort()]);
          this.onList(service.dataId, values);
        },
        onConfig: ({ service }, { data }) => {
          const value = data === null ? null : new TextDecoder().decode(data.utf8);
          this.configs.set(service.dataId, [...(this.configs.get(service.dataId) ?? []), value]);
        },
      },
      Date.now(),
    );
    this.#timer = setInterval(() => this.#client.tick(Date.now()), TICK_MS);
  }

  get undone(): number {
    return this.#client.undone;
  }

  publish(dataId: string, value: string, attributes?: ReadonlyMap<string, string>): Publisher {
    return this.#client.publish(named(dataId), [text(value)], Date.now(), { attributes });
  }

  republish(publisher: Publisher, value: string): void {
    this.#client.republish(publisher, [text(value)], Date.now());
  }

  unpublish(publisher: Publisher): void {
    this.#client.unregister(publisher, Date.now());
  }

  subscribe(dataId: string): void {
    this.#client.subscribe(named(dataId), { scope: "dataCenter" }, Date.now());
  }

  watchConfig(dataId: string): void {
    this.#client.watchConfig(named(dataId), Date.now());
  }

  /** The list in force, as text. */
  list(dataId: string): string {
    return (this.lists.get(dataId)?.at(-1) ?? []).join(" ");
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket?.destroy();
  }

  #connect(): void {
    const local = this.#address === undefined ? {} : { localAddress: this.#address };
    const at = { host: this.#host, ...local, port: this.#session() };
    const socket: Socket = this.#tls ? connectTls({ ...at, ...this.#tls }) : connect({ ...at, noDelay: true });
    this.#socket = socket;
    this.connections++;
    socket.once(this.#tls ? "secureConnect" : "connect", () =>
      this.#client.connected(connectionOf(socket), Date.now()),
    );
    socket.on("data", (chunk: Buffer) => {
      this.#client.received(chunk, Date.now());
      const pauseMs = (chunk.length / this.#bytesPerSecond) * 1_000;
      if (pauseMs < 1) return;
      socket.pause();
      setTimeout(() => socket.resume(), pauseMs);
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      if (this.#client.isConnected) this.#client.closed(Date.now());
      else this.#client.refused(Date.now());
    });
  }
}

function connectionOf(socket: Socket): Connection {
  return {
    remoteAddress: "session",
    localAddress: "client",
    hasUnread: false,
    get bufferedBytes() {
      return socket.writableLength;
    },
    write: (...parts) => {
      for (const part of parts) socket.write(part);
    },
    close: () => socket.end(),
  };
}
