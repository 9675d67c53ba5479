// A client of a session, as SOFARegistry's are: a Bolt connection that is made anew when it is lost, to another session
// if there is one. The project's own client does the protocol; this part gives it sockets and a clock.

import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { assert } from "../base/assert.ts";
import type { Connection } from "../base/ports.ts";
import { stringOf, type WireText } from "../base/text.ts";
import { BOLT_V1 } from "../encoding/bolt/frame.ts";
import type { ServiceKey } from "../model/ids.ts";
import { parseServiceKey } from "../model/serviceKey.ts";
import type { Publisher } from "../protocols/sofa/client/registration.ts";
import { SofaClient } from "../protocols/sofa/client/sofaClient.ts";
import type { ServiceName } from "../protocols/sofa/serviceName.ts";

const TICK_MS = 50;

export interface BoltClientOptions {
  readonly appName: string;
  readonly zone: string;
  /** The address of this machine to connect from; undefined for the one that the system chooses. */
  readonly from: string | undefined;
  /** The address of a session for the next connection: `host:port`. Another one after a failure, if there is one. */
  readonly nextSession: () => Promise<string>;
}

/** A registration of a publisher, as the client knows it. */
export type OwnPublisher = Publisher;

/** Reports of a client. */
export interface BoltClientEvents {
  /** The session has this version of the publisher, or knows that it is taken back. */
  acknowledged(publisher: OwnPublisher, session: string): void;
  /** The session refused a registration; it is sent again. */
  refused(message: string): void;
  /** A connection was lost, or not made; another one follows. */
  disconnected(session: string, reason: string): void;
  /** A newer list of a service that the client subscribes to. */
  pushed?(values: readonly string[]): void;
}

export class BoltClient {
  readonly #options: BoltClientOptions;
  readonly #events: BoltClientEvents;
  readonly #client: SofaClient;
  readonly #timer: NodeJS.Timeout;
  #requests = 0;
  #socket: Socket | undefined;
  #session = "";
  #isClosed = false;

  /** Connects. */
  constructor(options: BoltClientOptions, events: BoltClientEvents) {
    this.#options = options;
    this.#events = events;
    const { appName, zone } = options;
    const fixed = { acceptEncoding: null, mode: "serial", form: "hessian-draft", dialect: BOLT_V1 } as const;
    const identity = { appName, zone, dataCenter: "DefaultDataCenter", answersPushes: true, ...fixed };
    this.#client = new SofaClient(identity, this.#host(), Date.now());
    this.#timer = setInterval(() => this.#client.tick(Date.now()), TICK_MS);
  }

  publish(serviceKey: ServiceKey, boxes: readonly string[], registId: string = randomUUID()): OwnPublisher {
    return this.#client.publish(nameOf(serviceKey), boxes.map(wireText), Date.now(), { registId });
  }

  /** Changes what is published; its version grows by one. */
  republish(publisher: OwnPublisher, boxes: readonly string[]): void {
    this.#client.republish(publisher, boxes.map(wireText), Date.now());
  }

  subscribe(serviceKey: ServiceKey): void {
    this.#client.subscribe(nameOf(serviceKey), { scope: "dataCenter" }, Date.now());
  }

  /** Takes a publisher back; `acknowledged` follows when the session has answered. */
  unregister(publisher: OwnPublisher): void {
    this.#client.unregister(publisher, Date.now());
  }

  /** Ends the connection. May be called twice. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket?.destroy();
  }

  #host(): ConstructorParameters<typeof SofaClient>[1] {
    return {
      nextRequestId: () => ++this.#requests,
      nextRegistId: () => randomUUID(),
      connect: () => void this.#connect(),
      decompress: () => new Map(),
      onAcknowledged: (registration) => {
        if (registration.kind === "publisher") this.#events.acknowledged(registration, this.#session);
      },
      onRefused: (message) => this.#events.refused(message),
      onPush: (_, { zones }) => {
        const boxes = [...zones.values()].flat();
        this.#events.pushed?.(boxes.map((box) => (box === null ? "" : stringOf(box))));
      },
    };
  }

  async #connect(): Promise<void> {
    try {
      this.#session = await this.#options.nextSession();
    } catch (error) {
      return this.#refused(error instanceof Error ? error.message : String(error));
    }
    if (this.#isClosed) return;
    const { hostname, port } = new URL(`tcp://${this.#session}`);
    const { from } = this.#options;
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port),
      noDelay: true,
      ...(from !== undefined && { localAddress: from }),
    });
    this.#socket = socket;
    let reason = "the session closed the connection";
    socket.once("connect", () => this.#client.connected(connectionOf(socket), Date.now()));
    socket.on("data", (chunk: Buffer) => this.#client.received(chunk, Date.now()));
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.once("close", () => {
      if (this.#isClosed) return;
      if (!this.#client.isConnected) return this.#refused(reason);
      this.#client.closed(Date.now());
      this.#events.disconnected(this.#session, reason);
    });
  }

  #refused(reason: string): void {
    if (this.#isClosed) return;
    this.#client.refused(Date.now());
    this.#events.disconnected(this.#session, reason);
  }
}

function nameOf(serviceKey: ServiceKey): ServiceName {
  const { name: dataId, namespace: instanceId, group } = parseServiceKey(serviceKey);
  return { dataId, instanceId, group };
}

function wireText(value: string): WireText {
  return { utf8: new TextEncoder().encode(value), units: value.length };
}

function connectionOf(socket: Socket): Connection {
  assert(socket.remoteAddress !== undefined, "a connected socket has an address");
  return {
    remoteAddress: socket.remoteAddress,
    localAddress: socket.localAddress ?? "",
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
