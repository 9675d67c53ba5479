// A publisher at a session, as a SOFARegistry client is one: a Bolt connection that is made anew when it is lost, to
// another session if there is one. The project's own client does the protocol; this part gives it sockets and a clock.

import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { assert } from "../base/assert.ts";
import type { Connection } from "../base/ports.ts";
import type { WireText } from "../base/text.ts";
import { BOLT_V1 } from "../encoding/bolt/frame.ts";
import type { ServiceKey } from "../model/ids.ts";
import { parseServiceKey } from "../model/serviceKey.ts";
import type { Publisher } from "../protocols/sofa/client/registration.ts";
import { SofaClient } from "../protocols/sofa/client/sofaClient.ts";

const TICK_MS = 50;

export interface PublisherOptions {
  readonly serviceKey: ServiceKey;
  readonly boxes: readonly string[];
  readonly appName: string;
  readonly zone: string;
  /** Whether to subscribe to the service too, as clients do that call it. */
  readonly isSubscriber: boolean;
  /** The address of this machine to connect from; undefined for the one that the system chooses. */
  readonly from: string | undefined;
  /** The address of a session for the next connection: `host:port`. Another one after a failure, if there is one. */
  readonly nextSession: () => Promise<string>;
}

/** Reports of a publisher. */
export interface PublisherEvents {
  /** The session has the registration. */
  registered(session: string): void;
  unregistered(): void;
  /** The session refused it; it is sent again. */
  refused(message: string): void;
  /** A connection was lost, or not made; another one follows. */
  disconnected(session: string, reason: string): void;
}

export class BoltPublisher {
  readonly registId = randomUUID();
  readonly #options: PublisherOptions;
  readonly #events: PublisherEvents;
  readonly #client: SofaClient;
  readonly #publisher: Publisher;
  readonly #timer: NodeJS.Timeout;
  #requests = 0;
  #socket: Socket | undefined;
  #session = "";
  #isClosed = false;

  /** Connects and publishes. */
  constructor(options: PublisherOptions, events: PublisherEvents) {
    this.#options = options;
    this.#events = events;
    const { appName, zone, serviceKey, boxes } = options;
    const fixed = { acceptEncoding: null, mode: "serial", form: "hessian-draft", dialect: BOLT_V1 } as const;
    const identity = { appName, zone, dataCenter: "DefaultDataCenter", answersPushes: true, ...fixed };
    this.#client = new SofaClient(identity, this.#host(), Date.now());
    const { name: dataId, namespace: instanceId, group } = parseServiceKey(serviceKey);
    const service = { dataId, instanceId, group };
    this.#publisher = this.#client.publish(service, boxes.map(wireText), Date.now(), { registId: this.registId });
    if (options.isSubscriber) this.#client.subscribe(service, { scope: "dataCenter" }, Date.now());
    this.#timer = setInterval(() => this.#client.tick(Date.now()), TICK_MS);
  }

  /** Takes the registration back; `unregistered` follows when the session has answered. */
  unregister(): void {
    this.#client.unregister(this.#publisher, Date.now());
  }

  /** Ends the connection. May be called twice. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket?.destroy();
  }

  #host() {
    return {
      nextRequestId: () => ++this.#requests,
      nextRegistId: () => randomUUID(),
      connect: () => void this.#connect(),
      decompress: () => new Map(),
      onAcknowledged: ({ kind, isRegistered }: { readonly kind: string; readonly isRegistered: boolean }) => {
        if (kind !== "publisher") return;
        if (isRegistered) this.#events.registered(this.#session);
        else this.#events.unregistered();
      },
      onRefused: (message: string) => this.#events.refused(message),
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
