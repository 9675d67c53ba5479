// A client's registrations as messages of the protocol, and a subscriber's view of a push.

import type {
  Box,
  ConfiguratorRegister,
  MultiReceivedData,
  PublisherRegister,
  ReceivedData,
  SubscriberRegister,
} from "../codec/messages.ts";
import { ABSENT_LIST, ABSENT_MAP } from "../codec/messages.ts";
import type { Registration } from "./registration.ts";

/** The identity of the client. */
export interface ClientIdentity {
  readonly appName: string;
  readonly zone: string;
  /** Comma-separated compressions that the client understands, best first; null for none. */
  readonly acceptEncoding: string | null;
}

/** The pushed content of one segment. Boxes are views of the received bytes: copy those that are kept. */
export interface SegmentPush {
  readonly segment: string;
  readonly version: bigint;
  readonly localZone: string;
  readonly zones: ReadonlyMap<string, readonly Box[]>;
}

/** Turns a compressed push body back into boxes; the host knows the algorithms. */
export type Decompress = (encoding: string, body: Uint8Array) => ReadonlyMap<string, readonly Box[]>;

/** The request that reports a registration's present state to the server. */
export function registerMessage(
  registration: Registration,
  identity: ClientIdentity,
): PublisherRegister | SubscriberRegister | ConfiguratorRegister {
  const { registId, service, version, timestampMs, isRegistered } = registration;
  const base = {
    ...service,
    zone: identity.zone,
    appName: identity.appName,
    processId: null,
    registId,
    clientId: null,
    dataInfoId: null,
    ip: null,
    port: null,
    eventType: isRegistered ? "REGISTER" : "UNREGISTER",
    version,
    timestamp: BigInt(Math.floor(timestampMs)),
    attributes: ABSENT_MAP,
  };
  switch (registration.kind) {
    case "publisher":
      return {
        ...base,
        kind: "publisherRegister",
        attributes: registration.attributes,
        dataList: isRegistered ? registration.boxes : ABSENT_LIST,
      };
    case "subscriber": {
      const { scope, acceptMulti } = registration;
      return { ...base, kind: "subscriberRegister", scope, acceptEncoding: identity.acceptEncoding, acceptMulti };
    }
    case "configurator":
      return { ...base, kind: "configuratorRegister" };
  }
}

/** The segments of a push. A segment without a map is ignored, as in the Java client. */
export function segmentsOf(message: ReceivedData | MultiReceivedData, decompress: Decompress): SegmentPush[] {
  const localZone = message.localZone ?? "";
  if (message.kind === "receivedData") {
    const { compressed } = message;
    const zones = compressed === null ? message.data : decompress(compressed.encoding, compressed.body);
    if (zones === null) return [];
    return [{ segment: message.segment ?? "", version: message.version, localZone, zones }];
  }
  return [...message.multiData].flatMap(([segment, { version, zipData, encoding, unzipData }]) => {
    const isZipped = zipData !== null && zipData.length > 0;
    const zones = isZipped ? decompress(encoding ?? "", zipData) : unzipData;
    return zones === null ? [] : [{ segment, version, localZone, zones }];
  });
}
