// One client's connection as the files around it see it.

import type { PeerCertificate } from "../../base/ports.ts";
import type { ConnectionAccount } from "../kit/connectionAccount.ts";
import type { NacosEnvironment } from "./environment.ts";
import type { PushBodies } from "./naming/pushBodies.ts";
import type { ClientSetup, JsonObject, NacosClient, RequestHandlers, SharedField } from "./part.ts";

export interface ConnectionEnvironment
  extends Pick<NacosEnvironment, "config" | "registry" | "access" | "log" | "metrics" | "later"> {
  /** The account is already charged for the connection. */
  readonly account: ConnectionAccount;
  readonly requests: RequestHandlers;
  readonly bodies: PushBodies;
  /** The abilities of this server, in Nacos' words. */
  readonly abilities: Readonly<Record<string, boolean>>;
  /** While it is false, clients are told to try another server. */
  readonly isServing: () => boolean;
  readonly drained: (client: NacosClient, nowMs: number) => void;
  readonly ended: (nowMs: number) => void;
  readonly nowMs: () => number;
  /** The number of this connection among all that the gateway has accepted. */
  readonly number: number;
}

/** A connection, set up or not. */
export interface ClientConnection extends NacosClient {
  readonly environment: ConnectionEnvironment;
  /** Undefined until the client has set the connection up. */
  readonly known: { readonly setup: ClientSetup } | undefined;
  /** The certificate that it has shown; undefined without one. */
  readonly certificate: PeerCertificate | undefined;
  /** The time of its last sign of life. */
  readonly heardMs: number;
  /** The client has answered a request of the server. */
  readonly hasAnswered: boolean;
  /** It has too much unread output. */
  readonly isBlocked: boolean;
  /** Bytes written to its stream so far, and those of all calls that have not left this process. */
  readonly output: { readonly writtenBytes: number; readonly bufferedBytes: number };
  /** Asks the client whether it is there. */
  ask(nowMs: number): void;
  isSilentSince(atMs: number): boolean;
  /** Writes a request of the server. Returns its length. */
  writeRequest(type: string, requestId: string, fields: JsonObject, last?: SharedField): number;
}
