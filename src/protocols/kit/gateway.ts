// A client protocol as the server sees it. A protocol is a folder beside this one and a line in the server's list of
// gateways. Its settings, errors and metrics are rows of tables, its code is loaded when a node starts, and the server
// opens the listeners and HTTP paths that the code requests, without knowing their protocol.

import type { Budget } from "../../base/budget.ts";
import type { ErrorTable, RegistryError } from "../../base/errors.ts";
import type { HttpRouteTable } from "../../base/http.ts";
import type { Http2Acceptor } from "../../base/http2.ts";
import type { HttpSender } from "../../base/httpSender.ts";
import type { KeySpec } from "../../base/keySpec.ts";
import type { MetricAliases } from "../../base/metricAlias.ts";
import type { Metrics, MetricTable } from "../../base/metrics.ts";
import type { Acceptor, Compression, DatagramOpener, Log, Secrets, Timers } from "../../base/ports.ts";
import type { XmlReader } from "../../base/xml.ts";
import type { DynamicValues } from "../../model/dynamicKeys.ts";
import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Publication, Registration } from "../../model/publication.ts";
import type { Rule, RuleEdit } from "../../model/rule.ts";
import type { RuleSet } from "../../model/ruleSet.ts";
import type { SlotOwner, SlotTable } from "../../model/slot.ts";
import type { GatewayRecords } from "../../records/gatewayRecords.ts";
import type { AppsListed } from "../../registry/apps.ts";
import type { OwnClients } from "../../registry/ownClients.ts";
import type { PersistentRegistrations } from "../../registry/persistent.ts";
import type { Registry } from "../../registry/registry.ts";
import type { GatewayAudit } from "./audit.ts";
import type { ClientAccess, GatewayRequest } from "./clientAccess.ts";

/**
 * A protocol. `Config` is the part of the node's configuration that its code reads, `Counts` the port for its metrics.
 */
export interface Gateway<in Config, in Counts = Metrics> {
  /** The name of its folder, and its label in metrics. */
  readonly name: string;
  /** Its own keys of the configuration. One whose unit is `port`, and whose name ends with `-port`, is a listener's. */
  readonly configKeys: Readonly<Record<string, KeySpec>>;
  readonly errors: ErrorTable;
  /** Metrics of this protocol alone. */
  readonly metrics: MetricTable;
  /** Figures under the names of the protocol's own servers; `isOn` says whether the configuration wants them. */
  readonly metricAliases?: { readonly table: MetricAliases; readonly isOn: (config: Config) => boolean };
  /** Loads the code; a command that only reads the tables does without it. */
  load(): Promise<GatewayCode<Config, Counts>>;
}

/** A protocol's part in a node, by the node's roles. */
export interface GatewayCode<in Config, in Counts = Metrics> {
  /** Serves clients, in a node with the role session. */
  open(environment: GatewayEnvironment<Config, Counts>): OpenGateway;
  /** The protocol's paths at the HTTP port of the role data. */
  dataRoutes?(node: DataNodeView, others: OtherNodes, environment: PortEnvironment<Config>): HttpRouteTable;
  /** The protocol's paths at the HTTP port of the role meta. */
  metaRoutes?(node: MetaNodeView, others: OtherNodes, environment: PortEnvironment<Config>): HttpRouteTable;
  /** Answers a question that the protocol asks at another node, in a node with the role meta. */
  metaAnswer?(node: MetaNodeView, asked: AskedNode): Promise<unknown>;
  /**
   * The reason why operators may not set this configuration value: the protocol takes its key for something of its own.
   * Undefined if they may.
   */
  configRefusal?(serviceKey: ServiceKey, data: string): RegistryError | undefined;
}

/** The surroundings of paths at an HTTP port. */
export interface PortEnvironment<out Config> {
  readonly config: Config;
  /** Judges what callers want. */
  readonly access: ClientAccess;
  readonly audit: GatewayAudit;
}

export interface GatewayEnvironment<out Config, out Counts = Metrics> {
  readonly config: Config;
  readonly registry: Registry;
  /** Registrations that stay until they are taken back, and their checks. */
  readonly persistent: PersistentRegistrations;
  /** The durable store: this protocol's part of it is under `gatewayPrefix(name)`. See records/recordCopy.ts. */
  readonly records: GatewayRecords;
  readonly node: SessionNodeView;
  readonly others: OtherNodes;
  /** Judges what clients want. */
  readonly access: ClientAccess;
  /** Records changes by operators. */
  readonly audit: GatewayAudit;
  readonly budget: Budget;
  readonly compression: Compression;
  readonly readXml: XmlReader;
  /** Sends requests to servers that the configuration names: no caller's word may lead to one. */
  readonly sendHttp: HttpSender;
  /** Random bytes that can't be predicted, and what is made with them. */
  readonly secrets: Secrets;
  /**
   * Runs soon, after the present step of the registry and what else waits: the registry's answers come within a step,
   * and may not begin another one.
   */
  readonly later: (run: () => void) => void;
  /** For the ends that must not wait for the next `check`. */
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: Counts;
}

/** A gateway that serves clients. */
export interface OpenGateway {
  readonly listeners: readonly GatewayListener[];
  /** Its paths at the HTTP port of the role session, which all protocols share. */
  readonly routes?: HttpRouteTable;
  /**
   * Every kind of request that its listeners without routes take, with what it asks for: the code judges them by that.
   */
  readonly requests?: readonly GatewayRequest[];
  /** Answers a question that the protocol asks at another node, in a node with the role session. */
  readonly answer?: AnswerNode;
  /** Checks its clients; called twice a second. */
  check?(nowMs: number): void;
  /**
   * The process stood still for `awayMs`: clients' input from that time may still be unread. The next check comes
   * later.
   */
  resumed?(awayMs: number, nowMs: number): void;
}

/**
 * A port of the gateway's own. `key` is one of its configuration keys: `bolt-port`. A TCP and a UDP listener may have
 * one key, the TCP one first: they get the same number.
 */
export type GatewayListener =
  | { readonly kind: "tcp"; readonly key: string; readonly accept: Acceptor }
  | { readonly kind: "http2"; readonly key: string; readonly accept: Http2Acceptor }
  | { readonly kind: "http"; readonly key: string; readonly routes: HttpRouteTable }
  | { readonly kind: "udp"; readonly key: string; readonly open: DatagramOpener };

/** A question of a protocol to its own code at another node. The parameters and the answer are values of JSON. */
export interface AskedNode {
  readonly name: string;
  readonly parameters: unknown;
}

/** Throws, or rejects with, a RegistryError to refuse. The parameters may be those of another release. */
export type AnswerNode = (asked: AskedNode) => Promise<unknown>;

export interface NodeQuestion extends AskedNode {
  /** The time that the answer may take. */
  readonly waitMs: number;
}

/**
 * The same protocol at other nodes. Questions travel by meta nodes, whether one of them leads or not. Rejects with the
 * answerer's RegistryError, or with NODE_ASKED_UNREACHABLE.
 */
export interface OtherNodes {
  /** Asks the leading meta node, which may be this node. */
  askLeader(question: NodeQuestion): Promise<unknown>;
  askSession(session: NodeId, question: NodeQuestion): Promise<unknown>;
}

/** The view of the process that a protocol's health checks need. */
export interface NodeHealth {
  readonly isStopping: () => boolean;
  /** The reason why the role does not work; undefined if it works. */
  readonly notReady: () => string | undefined;
  readonly hasSlotTable: () => boolean;
}

/** A node that an operator may have blocked. */
export interface MemberNode extends NodeHealth {
  /** The reason why the node is blocked; undefined if it is not. */
  readonly blocked: () => string | undefined;
}

/** A node of the cluster, once for each of its roles. */
export interface ClusterNode {
  /** Undefined for a meta node that is known by its address only. */
  readonly id: NodeId | undefined;
  readonly role: "meta" | "data" | "session";
  /** Its address for other nodes, `host:port`, and the host in it. */
  readonly address: string;
  readonly host: string;
  /** Sessions: the number of clients, if it is known. */
  readonly clients?: number | undefined;
}

/** The cluster as this node knows it. */
export interface ClusterView {
  readonly dataCenter: string;
  /** The zone of this node. */
  readonly zone: string;
  /** The release of this program. */
  readonly version: string;
  readonly nodes: () => readonly ClusterNode[];
  readonly slotTable: () => SlotTable | undefined;
  /** There are fewer data nodes than the cluster needs: the slot table stays as it is. Known to the role meta only. */
  readonly isFrozen: () => boolean;
}

/** A slot at a node that keeps it. */
export interface SlotState {
  readonly slot: number;
  readonly leaderEpoch: bigint;
  readonly node: NodeId;
  readonly duty: "lead" | "follow";
  /** A leader serves it; a follower has the whole of it. */
  readonly isHealthy: boolean;
  /** The epoch of the node's slot table. */
  readonly tableEpoch: bigint;
}

/** A service at a data node. It is valid during the call that passes or returns it. */
export interface DatumView {
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  readonly size: number;
  publications(): Iterable<Publication>;
  /** Those of clients at these hosts. */
  publicationsAt(hosts: ReadonlySet<string>): Iterable<Publication>;
}

/** The view of a node with the role session that paths need. */
export interface SessionNodeView extends MemberNode {
  readonly id: NodeId;
  readonly nowMs: () => number;
  readonly cluster: ClusterView;
  /** The clients of this session. */
  readonly own: OwnClients;
  /** The configured address for clients; empty for the address by which the client came in. */
  readonly advertiseAddress: string;
  /** The port of one of the gateway's listeners. Called when all are open. */
  readonly port: (key: string) => number;
  /** The number of clients of this node, of all protocols. */
  readonly connections: () => number;
  /** Whether operators let it take clients. */
  readonly servesClients: () => boolean;
  /** The other sessions, as clients of this listener reach them. */
  readonly otherSessions: (key: string) => readonly OtherSession[];
  /** The slot of a service; undefined while there is no slot table. */
  readonly slot: (serviceKey: ServiceKey) => ({ readonly id: number } & SlotOwner) | undefined;
  /** The names of all revisions, and all services with their applications. Rejects with a RegistryError. */
  readonly listApps: () => Promise<AppsListed>;
  /** The operators' rules that hold at this session. */
  readonly rules: () => RuleSet;
  /** Resolves to true when the rules that meta has told have this epoch or a later one; to false after `waitMs`. */
  readonly hasRules: (epoch: bigint, waitMs: number) => Promise<boolean>;
  /** Puts a rule in force at this session alone, until meta changes the rule of its name. */
  readonly setOwnRule: (rule: Rule) => void;
  /** A data node's address for other nodes: `host:port`; undefined if it is not a member. */
  readonly nodeAddress: (node: NodeId) => string | undefined;
}

/** Another session. */
export interface OtherSession {
  /** Its address for clients: `host:port`; empty while it takes none. */
  readonly clientAddress: string;
  /** The number of its clients; undefined while that is not known. */
  readonly clients: number | undefined;
  /** Undefined for a session of an earlier release. */
  readonly zone: string | undefined;
}

/** The view of a node with the role data that paths need. */
export interface DataNodeView extends MemberNode {
  readonly id: NodeId;
  readonly cluster: ClusterView;
  /** The slots that it leads and follows. */
  readonly slotStates: () => readonly SlotState[];
  /** A service of a slot that it leads or follows; undefined if it knows none of that name. */
  readonly datum: (serviceKey: ServiceKey) => DatumView | undefined;
  /** Visits every service of the slots that it leads, the services of each slot in a turn of their own. */
  readonly eachDatum: (visit: (datum: DatumView) => void) => Promise<void>;
  readonly nowMs: () => number;
  /** Whether it leads the service's slot. */
  readonly leads: (serviceKey: ServiceKey) => boolean;
  /** Takes a publication that no client makes, and that ends by itself; ignored if a client has the registration. */
  readonly putPublication: (publication: Publication) => void;
  /** Removes a registration. A client that is connected and has it registers it again. */
  readonly removePublication: (registration: Registration) => void;
  readonly slotsLed: () => number;
  readonly isServing: () => boolean;
}

/** A configuration value that was set, or removed (null). */
export interface StoredConfig {
  readonly version: bigint;
  readonly data: string | null;
}

/** A node that operators have blocked. Its host and roles are undefined if it was no member when it was blocked. */
export interface BlockedNodeView {
  readonly node: string;
  readonly host?: string;
  readonly roles?: readonly ClusterNode["role"][];
}

/** The view of a node with the role meta that paths need. */
export interface MetaNodeView extends NodeHealth {
  readonly isLeading: () => boolean;
  readonly isStoreReachable: () => boolean;
  /** The HTTP address of the leading meta node; undefined if none is known to lead. */
  readonly leaderAddress: () => string | undefined;
  readonly cluster: ClusterView;
  /** The lease of the leading meta node, and its host. */
  readonly leader: () => { readonly epoch: bigint; readonly host: string } | undefined;
  /** The slots of all data nodes, by their last reports. */
  readonly slotStates: () => readonly SlotState[];
  /** The nodes that operators have blocked, as the leading meta node has them. */
  readonly blockedNodes: () => readonly BlockedNodeView[];
  /** Blocks a node by its name, or ends the block. Rejects with a RegistryError. */
  readonly blockNode: (node: string, isBlocked: boolean) => Promise<void>;
  /** Gives the lead to another meta node. Rejects with NOT_META_LEADER or NODE_NEEDED. */
  readonly stepDown: () => Promise<void>;
  /** The pause of the arrangement of slots, as the leading meta node has it; undefined while they are arranged. */
  readonly slotPause: () => object | undefined;
  /** Begins a pause in an operator's name, or ends it (undefined). Rejects with a RegistryError. */
  readonly pauseSlots: (pause: { readonly setBy: string; readonly reason: string } | undefined) => Promise<void>;
  /** Arranges slots now, in a pause, too. Rejects with SLOTS_FROZEN. */
  readonly arrangeSlots: () => Promise<void>;
  readonly configValueBytesMax: number;
  readonly config: (serviceKey: ServiceKey) => StoredConfig | undefined;
  /** Stores a value, or removes it with null. Rejects with a RegistryError. */
  readonly putConfig: (serviceKey: ServiceKey, data: string | null) => Promise<void>;
  /** The settings that operators can change, as they are in force at a data node or session configured like this. */
  readonly settings: () => DynamicValues;
  /** The operators' rules, as the leading meta node has them. */
  readonly rules: () => RuleSet;
  /** Puts and removes rules at once, or none of them. Rejects with a RegistryError. */
  readonly changeRules: (edit: RuleEdit) => Promise<void>;
  /** Compares the services of applications with their revisions, some time soon. */
  readonly compareServices: () => void;
}
