// The session role's interface: its options, its events and its effects.

import type { MemberAddress, MemberToMeta, MetaToMember } from "../cluster/messages/membership.ts";
import type { DataToSession, SessionToData } from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import type { Rule } from "../model/rule.ts";
import type { AddressEvent } from "../registry/address.ts";
import type { AppEvent } from "../registry/apps.ts";
import type { CatalogueEvent } from "../registry/catalogue.ts";
import type { LeaseEvent } from "../registry/lease.ts";
import type { ClientEvent, GroupEvent, QueryEvent } from "../registry/registry.ts";
import type { SurveyEvent } from "../registry/survey.ts";
import type { PushOptions } from "./pusher.ts";

/** Settings, each a key of the configuration; all times in milliseconds. Those of model/dynamicKeys.ts may change. */
export interface SessionOptions extends PushOptions {
  readonly id: NodeId;
  /** The address for other nodes: `host:port`. */
  readonly address: string;
  readonly zone: string;
  readonly clientReturnGraceMs: number;
  readonly clientRegistrationsMax: number;
  /** The process has the role data too, and keeps its clients' publications a second time. */
  readonly isDataHere: boolean;
  /** The bound for the list of one service, in the bytes of model/listBytes.ts. */
  readonly serviceBytesMax: number;
  readonly versionScanIntervalMs: number;
  readonly digestIntervalMs: number;
}

/** The effects of a step towards other nodes; effects for clients go through their channels. */
export interface SessionOutput {
  toData(node: NodeId, message: SessionToData): void;
  /** To every meta node. */
  toMeta(message: MemberToMeta): void;
  /** The data nodes of the cluster: keep links to exactly these. */
  linkData(nodes: readonly MemberAddress[]): void;
  /** The cluster refuses this node; its process must end with the reason. */
  refused(reason: string): void;
}

/** The events that a session is stepped with: of clients and askers, messages, links made and lost. */
export type SessionEvent =
  | ClientEvent
  | QueryEvent
  | CatalogueEvent
  | GroupEvent
  | AddressEvent
  | AppEvent
  | SurveyEvent
  | LeaseEvent
  | { readonly kind: "fromData"; readonly from: NodeId; readonly message: DataToSession }
  | { readonly kind: "dataUp"; readonly node: NodeId }
  | { readonly kind: "dataDown"; readonly node: NodeId }
  | { readonly kind: "fromMeta"; readonly message: MetaToMember }
  /** A link to a meta node was made. */
  | { readonly kind: "metaUp" }
  /** A rule for this session alone, until meta changes the rule of the same name. */
  | { readonly kind: "setOwnRule"; readonly rule: Rule }
  /** The node is about to stop: clients that leave now come back elsewhere. */
  | { readonly kind: "drain" }
  | { readonly kind: "woken" };
