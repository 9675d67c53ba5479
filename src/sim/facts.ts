// What can be seen of a run from outside its roles: what clients did and were shown, what crossed the network, what
// broke. Checkers judge by these facts alone.

import type { DataToSession, PublishItem, SessionToData } from "../messages/sessionData.ts";
import type { DataInfoId } from "../model/ids.ts";
import type { Scope } from "../model/scope.ts";

/** One object of one client. `registId` may be shared by two clients, on purpose. */
interface OfRegistration {
  readonly client: string;
  readonly service: DataInfoId;
  readonly registId: string;
}

/** A client's connections are counted up. */
interface OnConnection {
  readonly session: string;
  readonly connection: number;
}

/** Clients are named `c1`, sessions `session-1#2`: the second life of a node. */
export type Fact =
  /** A client began to publish, or publishes something else. `token` is what subscribers should see. */
  | ({
      readonly kind: "published";
      readonly version: bigint;
      readonly token: string;
      readonly zone: string;
    } & OfRegistration)
  | ({ readonly kind: "unpublished"; readonly version: bigint } & OfRegistration)
  | ({ readonly kind: "subscribed"; readonly scope: Scope; readonly zone: string } & OfRegistration)
  | ({ readonly kind: "unsubscribed" } & OfRegistration)
  /** The session has acknowledged this version of a publisher. */
  | ({ readonly kind: "acknowledged"; readonly version: bigint } & OfRegistration & OnConnection)
  /** A list arrived at a subscriber; `isTaken`: it was newer than the last one. Entries are `zone/token`, sorted. */
  | ({ readonly kind: "pushed"; readonly version: bigint; readonly session: string } & {
      readonly scope: Scope;
      readonly zone: string;
      readonly isTaken: boolean;
      readonly entries: readonly string[];
    } & OfRegistration)
  | ({ readonly kind: "connected"; readonly client: string } & OnConnection)
  /** That side of a connection has ended, or has learned of the end. */
  | ({ readonly kind: "lost"; readonly client: string; readonly side: "client" | "server" } & OnConnection)
  /** A client's process is gone for ever. */
  | { readonly kind: "died"; readonly client: string; readonly how: "killed" | "vanished" }
  /** `isLost`: the connection is gone, and the session does not know it yet. */
  | {
      readonly kind: "asked";
      readonly from: string;
      readonly to: string;
      readonly message: SessionToData;
      readonly isLost: boolean;
    }
  | { readonly kind: "told"; readonly from: string; readonly to: string; readonly message: DataToSession }
  /** A session wrote to a client; `bytes` wait now for the client to read. */
  | { readonly kind: "buffered"; readonly client: string; readonly bytes: number; readonly written: number }
  | { readonly kind: "started"; readonly node: string; readonly role: Role }
  | { readonly kind: "stopped"; readonly node: string; readonly role: Role }
  | { readonly kind: "linkLost"; readonly session: string; readonly data: string }
  | { readonly kind: "linkMade"; readonly session: string; readonly data: string }
  | { readonly kind: "fault"; readonly what: string }
  /** A role or a connection met a bug of its own. */
  | { readonly kind: "bug"; readonly where: string; readonly what: string }
  /** The world is whole again, or the last look is due. */
  | { readonly kind: "healed" }
  | { readonly kind: "over"; readonly live: readonly LiveClient[] };

export type Role = "meta" | "data" | "session";

/** A client that lives at the end, as it sees itself. */
export interface LiveClient {
  readonly client: string;
  readonly isConnected: boolean;
  /** Registrations that are not acknowledged. */
  readonly undone: number;
}

/** One line of a fact for people, and for the hash of the run. */
export function describe(fact: Fact): string {
  switch (fact.kind) {
    case "told":
      return `${fact.from} -> ${fact.to} ${describeMessage(fact.message)}`;
    case "asked":
      return `${fact.from} -> ${fact.to}${fact.isLost ? " (lost)" : ""} ${describeMessage(fact.message)}`;
    case "pushed": {
      const { client, service, version, session, entries, isTaken, scope } = fact;
      const list = entries.map(shortened).join(" ");
      const kind = isTaken ? scope : `${scope} (dropped)`;
      return `${session} => ${client} ${shortService(service)} v${version} ${kind} [${list}]`;
    }
    case "over":
      return "over";
    default:
      return Object.values(fact)
        .map((value) => shortened(String(value)))
        .join(" ");
  }
}

/** The services that a fact is about; undefined if it may touch any. */
export function servicesOf(fact: Fact): readonly DataInfoId[] | undefined {
  if ("service" in fact) return [fact.service];
  if (fact.kind === "buffered") return [];
  if (fact.kind !== "told" && fact.kind !== "asked") return undefined;
  const { message } = fact;
  switch (message.kind) {
    case "publish":
      return message.items.map((item) => (item.kind === "put" ? item.publication : item.removal).dataInfoId);
    case "scan":
      return message.versions.map(([dataInfoId]) => dataInfoId);
    case "release":
      return message.dataInfoIds;
    case "taken":
    case "moved":
      return [];
    case "snapshot":
      return [message.datum.dataInfoId];
    case "delta":
      return [message.delta.dataInfoId];
    default:
      return [message.dataInfoId];
  }
}

function describeMessage(message: SessionToData | DataToSession): string {
  switch (message.kind) {
    case "publish": {
      const items = message.items.map(describeItem);
      return `publish #${message.batch} ${items.join(", ")}`;
    }
    case "snapshot": {
      const { dataInfoId, version, publications } = message.datum;
      return `snapshot ${shortService(dataInfoId)} v${version} [${publications.map(stampText).join(" ")}]`;
    }
    case "delta": {
      const { dataInfoId, base, version, changes } = message.delta;
      const texts = changes.map((change) =>
        change.kind === "put" ? `+${stampText(change.publication)}` : `-${change.registId}`,
      );
      return `delta ${shortService(dataInfoId)} v${base}..v${version} [${texts.join(" ")}]`;
    }
    case "scan":
      return `scan ${message.versions.map(([id, version]) => `${shortService(id)} v${version}`).join(", ")}`;
    case "fetch":
      return `fetch ${shortService(message.dataInfoId)} have v${message.have}`;
    case "changed":
      return `changed ${shortService(message.dataInfoId)} v${message.version}`;
    case "release":
      return `release ${message.dataInfoIds.map(shortService).join(", ")}`;
    case "taken":
    case "moved":
      return `${message.kind} #${message.batch}`;
    default:
      return `${message.kind} ${shortService(message.dataInfoId)}`;
  }
}

function describeItem(item: PublishItem): string {
  if (item.kind === "put") return `put ${stampText(item.publication)} ${shortService(item.publication.dataInfoId)}`;
  const { cause, registId, stamp, dataInfoId } = item.removal;
  return `${cause} ${stampText({ registId, ...stamp })} ${shortService(dataInfoId)}`;
}

function stampText({
  registId,
  version,
  registeredMs,
}: {
  registId: string;
  version: bigint;
  registeredMs: number;
}): string {
  return `${registId}/${version}@${registeredMs % 1_000_000}`;
}

function shortService(service: DataInfoId): string {
  return service.slice(0, service.indexOf("#"));
}

const TEXT_CHARS_MAX = 60;

function shortened(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}…`;
}
