// The messages between SOFARegistry's clients and a session, independent of their encoding. One type serves the three
// forms. A Java null is null here; protobuf has no null, so there it arrives as "" or 0 and is not written.

import type { WireText } from "../../../base/text.ts";
import type { AppMessage } from "./appMessages.ts";

/**
 * The encoding of a content: the Hessian draft that SOFAHessian writes, the final Hessian 2.0 that a client with
 * Caucho's own library writes, or protobuf.
 */
export type WireForm = "hessian-draft" | "hessian-final" | "protobuf";

/** The payload of one address; null is a box without data, which only Hessian can express. */
export type Box = WireText | null;

/** Stands for a list that Java left null or absent. Tell it from an empty list by identity; encoders write null. */
export const ABSENT_LIST: readonly never[] = Object.freeze([]);

/** Stands for a map that Java left null or absent. Tell it from an empty map by identity; encoders write null. */
export const ABSENT_MAP: ReadonlyMap<string, never> = new Map<string, never>();

/**
 * The fields of every registration. Versions and times are Java longs: always bigint. dataId, group and registId are
 * empty if the client sent none, in every form; the receiver of the message refuses that.
 */
export interface BaseRegister {
  readonly instanceId: string | null;
  readonly zone: string | null;
  readonly appName: string | null;
  readonly dataId: string;
  readonly group: string;
  readonly processId: string | null;
  /** A UUID, stable for the life of the client's publisher or subscriber object. */
  readonly registId: string;
  readonly clientId: string | null;
  readonly dataInfoId: string | null;
  readonly ip: string | null;
  readonly port: number | null;
  /** "REGISTER" or "UNREGISTER"; the real server also answers success to anything else. */
  readonly eventType: string | null;
  readonly version: bigint;
  /** Milliseconds since 1970 in Java; the Go client of 2018 sent seconds. */
  readonly timestamp: bigint;
  /** ABSENT_MAP if the client sent none. Entries with a null value are left out. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** Registers or unregisters the addresses of one service. */
export interface PublisherRegister extends BaseRegister {
  readonly kind: "publisherRegister";
  /** ABSENT_LIST if the client sent none, as when it unregisters. */
  readonly dataList: readonly Box[];
}

/** Asks for the addresses of one service, or ends that. */
export interface SubscriberRegister extends BaseRegister {
  readonly kind: "subscriberRegister";
  /** "zone", "dataCenter" or "global". */
  readonly scope: string | null;
  /** Comma-separated, best first, as "zstd,gzip". Absent in 5.x clients, null in 6.5.6. */
  readonly acceptEncoding: string | null;
  readonly acceptMulti: boolean;
}

/** Has no protobuf form. */
export interface ConfiguratorRegister extends BaseRegister {
  readonly kind: "configuratorRegister";
}

/** Sent every 30 s by a client that has subscribers. */
export interface SyncConfigRequest {
  readonly kind: "syncConfigRequest";
  readonly dataCenter: string | null;
  readonly zone: string | null;
}

/** Answers every registration. */
export interface RegisterResponse {
  readonly kind: "registerResponse";
  readonly success: boolean;
  readonly registId: string | null;
  /** The request's version: the client repeats a request until the answer has its version. */
  readonly version: bigint;
  readonly refused: boolean;
  readonly message: string | null;
}

/** Answers a SyncConfigRequest. */
export interface SyncConfigResponse {
  readonly kind: "syncConfigResponse";
  readonly success: boolean;
  readonly message: string | null;
  /** Milliseconds until the next request, if that is more than the client's own interval. */
  readonly retryInterval: number;
  /** If not empty, the client hides all other segments. */
  readonly availableSegments: readonly string[];
}

/** Answers every push. */
export interface Result {
  readonly kind: "result";
  readonly success: boolean;
  readonly message: string | null;
}

/** The addresses of one service in one segment. */
export interface ReceivedData {
  readonly kind: "receivedData";
  readonly dataId: string;
  readonly group: string;
  readonly instanceId: string | null;
  readonly segment: string | null;
  readonly scope: string | null;
  readonly version: bigint;
  readonly localZone: string | null;
  readonly subscriberRegistIds: readonly string[];
  /** Boxes by zone. The client ignores a push whose map is null. */
  readonly data: ReadonlyMap<string, readonly Box[]> | null;
  /** Addresses by zone; null from servers before 6.x. */
  readonly dataCount: ReadonlyMap<string, number> | null;
  /** Protobuf only: the compressed form of `data`, which is then empty. */
  readonly compressed: CompressedBoxes | null;
}

/** A compressed ReceivedDataBodyPb. */
export interface CompressedBoxes {
  /** "zstd" or "gzip". */
  readonly encoding: string;
  readonly body: Uint8Array;
  /** The length of the body before compression, in bytes. MultiSegmentDataPb doesn't carry it: 0 there. */
  readonly originBodySize: number;
}

/** The value of one configuration key. */
export interface ReceivedConfigData {
  readonly kind: "receivedConfigData";
  readonly dataId: string;
  readonly group: string;
  readonly instanceId: string | null;
  readonly version: bigint;
  readonly configuratorRegistIds: readonly string[];
  /** Null if the key has no value. */
  readonly dataBox: Box;
}

/** The addresses of one service in several segments; only for clients that accept it. */
export interface MultiReceivedData {
  readonly kind: "multiReceivedData";
  readonly dataId: string;
  readonly group: string;
  readonly instanceId: string | null;
  readonly scope: string | null;
  readonly subscriberRegistIds: readonly string[];
  readonly localSegment: string | null;
  readonly localZone: string | null;
  readonly multiData: ReadonlyMap<string, MultiSegmentData>;
}

/** The content of one segment: boxes by zone, or the same compressed. */
export interface MultiSegmentData {
  readonly segment: string | null;
  readonly encoding: string | null;
  readonly version: bigint;
  /** A compressed ReceivedDataBodyPb. */
  readonly zipData: Uint8Array | null;
  readonly unzipData: ReadonlyMap<string, readonly Box[]> | null;
  readonly dataCount: ReadonlyMap<string, number> | null;
}

/** The content of a response with status SERVER_EXCEPTION. */
export interface RpcServerException {
  readonly kind: "rpcServerException";
  readonly message: string | null;
}

/** The messages for registration and discovery of one service, and their answers. */
export type ServiceMessage =
  | PublisherRegister
  | SubscriberRegister
  | ConfiguratorRegister
  | SyncConfigRequest
  | RegisterResponse
  | SyncConfigResponse
  | Result
  | ReceivedData
  | ReceivedConfigData
  | MultiReceivedData
  | RpcServerException;

/** A registration of one kind or another. */
export type Register = PublisherRegister | SubscriberRegister | ConfiguratorRegister;

/** Every message of the protocol. */
export type SofaMessage = ServiceMessage | AppMessage;
