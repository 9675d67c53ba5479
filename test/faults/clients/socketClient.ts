// Our own client on a real socket, which returns as the Java client does: half a second after a lost connection, and to
// another session than the one that it lost. Everything it does and sees goes into the history.

import { createConnection, type Socket } from "node:net";
import type { Connection } from "../../../src/base/ports.ts";
import { stringOf, textOf } from "../../../src/base/text.ts";
import { BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import type { SegmentPush } from "../../../src/protocols/sofa/client/messages.ts";
import type { Publisher, Registration, Subscriber } from "../../../src/protocols/sofa/client/registration.ts";
import { SofaClient, type SofaClientOptions } from "../../../src/protocols/sofa/client/sofaClient.ts";
import type { ServiceName } from "../../../src/protocols/sofa/serviceName.ts";
import { type HistoryEvent, monotonicMs, tokenOf } from "../history/event.ts";
import type { ClientSettings, SessionPlace } from "./commands.ts";

// `serial` is the Java client: one request at a time, a second for its answer, repeated until there is one.
const OPTIONS: SofaClientOptions = {
  mode: "serial",
  form: "hessian-draft",
  dialect: BOLT_V1,
  appName: "faults",
  zone: "DEFAULT_ZONE",
  acceptEncoding: null,
  dataCenter: "DefaultDataCenter",
  answersPushes: true,
};

export interface SocketClientOptions {
  readonly name: string;
  readonly sessions: readonly SessionPlace[];
  /** The session that it goes to first. */
  readonly first: string;
  readonly settings: ClientSettings;
  readonly record: (event: HistoryEvent) => void;
  /** From where it connects, on a machine with several addresses. */
  readonly localAddress?: string;
  /** For its registrations; random ones if nothing is said. */
  readonly nextRegistId?: () => string;
}

let lastId = 0;

export class SocketClient {
  readonly #options: SocketClientOptions;
  readonly #client: SofaClient;
  readonly #publishers = new Map<string, Publisher>();
  /** By registId, the names in the history. */
  readonly #names = new Map<string, string>();
  #socket: Socket | undefined;
  #connection = 0;
  #session: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDead = false;

  constructor(options: SocketClientOptions) {
    this.#options = options;
    this.#client = new SofaClient(
      OPTIONS,
      {
        nextRequestId: () => ++lastId,
        nextRegistId: () => this.#nextRegistId(),
        connect: () => this.#connect(),
        decompress: () => new Map(),
        onPush: (subscriber, push) => this.#pushed(subscriber, push),
        onStalePush: (subscriber, push) => this.#pushed(subscriber, push),
        onAcknowledged: (registration) => this.#acknowledged(registration),
      },
      Date.now(),
    );
    this.#connect();
  }

  publish(registration: string, service: string): void {
    const known = this.#publishers.get(registration);
    const nowMs = Date.now();
    const version = Number(known?.version ?? 0n) + 1;
    const token = tokenOf(registration, version);
    this.#called(registration, service, { version, token });
    if (known !== undefined) this.#client.republish(known, [textOf(token)], nowMs);
    else {
      const registId = this.#nextRegistId();
      this.#names.set(registId, registration);
      const publisher = this.#client.publish(serviceName(service), [textOf(token)], nowMs, { registId });
      this.#publishers.set(registration, publisher);
    }
    this.#arm();
  }

  unpublish(registration: string): void {
    const known = this.#publishers.get(registration);
    if (known === undefined) return;
    this.#called(registration, known.service.dataId, { version: Number(known.version) + 1, token: null });
    this.#client.unregister(known, Date.now());
    this.#arm();
  }

  subscribe(subscription: string, service: string): void {
    const { record, name } = this.#options;
    record({ kind: "subscribe", t: monotonicMs(), client: name, subscription, service });
    const made = this.#client.subscribe(serviceName(service), { scope: "dataCenter" }, Date.now());
    this.#names.set(made.registId, subscription);
    this.#arm();
  }

  /** Dies as a killed process does: its connection closes without a word, and it does not come back. */
  die(): void {
    const { record, name } = this.#options;
    this.#isDead = true;
    clearTimeout(this.#timer);
    record({ kind: "died", t: monotonicMs(), client: name });
    this.#socket?.destroy();
  }

  #nextRegistId(): string {
    return this.#options.nextRegistId?.() ?? crypto.randomUUID();
  }

  #called(registration: string, service: string, state: { version: number; token: string | null }): void {
    const { record, name } = this.#options;
    record({ kind: "call", t: monotonicMs(), client: name, registration, service, ...state });
  }

  #acknowledged({ registId, version, kind }: Registration): void {
    const registration = this.#names.get(registId);
    if (registration === undefined || kind !== "publisher") return;
    const { record, name } = this.#options;
    record({ kind: "ack", t: monotonicMs(), client: name, registration, version: Number(version) });
  }

  #pushed(subscriber: Subscriber, { version, zones }: SegmentPush): void {
    const subscription = this.#names.get(subscriber.registId);
    if (subscription === undefined) return;
    const boxes = [...zones.values()].flat();
    const tokens = boxes.map((box) => (box === null ? "" : stringOf(box)));
    const { record, name } = this.#options;
    const where = { client: name, subscription, connection: this.#connection };
    record({ kind: "push", t: monotonicMs(), ...where, version: String(version), tokens });
  }

  #connect(): void {
    const { sessions, first, settings, localAddress } = this.#options;
    const others = sessions.filter(({ name }) => name !== this.#session);
    const place =
      this.#session === undefined
        ? sessions.find(({ name }) => name === first)
        : others[Math.floor(Math.random() * others.length)];
    const to = place ?? sessions[0];
    if (to === undefined) return;
    this.#session = to.name;
    const local = localAddress === undefined ? {} : { localAddress };
    const socket = createConnection({ host: to.host, port: to.port, noDelay: true, ...local });
    socket.setTimeout(settings.connectTimeoutMs, () => socket.destroy());
    socket.once("connect", () => this.#connected(socket, to));
    socket.on("data", (chunk: Buffer) => {
      if (socket !== this.#socket) return;
      this.#client.received(chunk, Date.now());
      this.#arm();
    });
    // `close` follows and says all there is to say.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#closed(socket));
  }

  #connected(socket: Socket, to: SessionPlace): void {
    if (this.#isDead) {
      socket.destroy();
      return;
    }
    socket.setTimeout(0);
    this.#socket = socket;
    this.#connection++;
    const { record, name } = this.#options;
    const connection = this.#connection;
    record({ kind: "connected", t: monotonicMs(), client: name, connection, session: to.name });
    this.#client.connected(connectionOf(socket), Date.now());
    this.#arm();
  }

  #closed(socket: Socket): void {
    const { record, name, settings } = this.#options;
    const wasConnected = socket === this.#socket;
    if (this.#isDead) return;
    if (wasConnected) {
      this.#socket = undefined;
      record({ kind: "closed", t: monotonicMs(), client: name, connection: this.#connection });
      this.#client.closed(Date.now());
    }
    // The client's own wish for a connection (half a second, in `tick`) is not asked: here the settings decide.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), wasConnected ? settings.reconnectMs : settings.retryMs);
  }

  #arm(): void {
    if (this.#socket === undefined) return;
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, this.#client.nextWakeMs() - Date.now());
    if (Number.isFinite(delayMs)) this.#timer = setTimeout(() => this.#tick(), delayMs);
  }

  #tick(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#client.tick(Date.now());
    // It gave the connection up because nothing answered its heartbeats: no one would ever close the socket for us.
    if (this.#client.isConnected) this.#arm();
    else socket.destroy();
  }
}

function serviceName(dataId: string): ServiceName {
  return { dataId, instanceId: "DEFAULT_INSTANCE_ID", group: "DEFAULT_GROUP" };
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
      // A socket that has ended takes no more; `close` is on its way.
      if (!socket.destroyed) for (const part of parts) socket.write(part);
    },
    close: () => socket.destroy(),
  };
}
