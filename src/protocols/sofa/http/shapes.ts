// The objects of SOFARegistry's answers: publishers, subscribers and watchers with their addresses.

import { base64 } from "../../../base/base64.ts";
import { stringOf } from "../../../base/text.ts";
import { boxesOf } from "../../../model/content.ts";
import type { ClientId, ServiceKey } from "../../../model/ids.ts";
import type { Publication } from "../../../model/publication.ts";
import type { SubscriberRow, WatchRow } from "../../../model/survey.ts";
import { serviceNameOf } from "../serviceName.ts";

/** Hessian, as SOFARegistry numbers its serialisations. */
const SERIALIZER_INDEX = 1;

/** The two ends of a client's connection: `ip:port` of the client and of its session. */
export function endsOf(client: ClientId): readonly [source: string, target: string] {
  // The handler's own number of the connection follows.
  const [ends = ""] = client.split("#");
  const [source = "", target = ""] = ends.split("_");
  return [source, target];
}

/** SOFARegistry's URL. */
export function url(address: string): object {
  const at = address.lastIndexOf(":");
  const port = Number(address.slice(at + 1));
  const isPort = at >= 0 && Number.isInteger(port);
  return {
    protocol: null,
    ipAddress: isPort ? address.slice(0, at) : address,
    port: isPort ? port : 0,
    serializerIndex: SERIALIZER_INDEX,
  };
}

/** The fields of every registration. */
function storeData(row: {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly client: ClientId;
  readonly version: bigint;
  readonly appName: string;
  readonly zone: string;
  readonly registeredMs: number;
}): object {
  const [source, target] = endsOf(row.client);
  const { dataId, instanceId, group } = serviceNameOf(row.serviceKey);
  return {
    dataInfoId: row.serviceKey,
    dataId,
    clientId: null,
    instanceId,
    cell: row.zone,
    appName: row.appName,
    processId: source,
    registerId: row.registId,
    version: row.version,
    sourceAddress: url(source),
    targetAddress: url(target),
    clientVersion: "StoreData",
    group,
    registerTimestamp: row.registeredMs,
    clientRegisterTimestamp: row.registeredMs,
  };
}

export function publisherShape(publication: Publication): object {
  const { attributes } = publication;
  const dataList = boxesOf(publication).map((box) => ({
    bytes: box === null ? null : base64(javaString(stringOf(box))),
    serialization: SERIALIZER_INDEX,
    object: null,
  }));
  return {
    ...storeData({ ...publication, client: publication.owner.client }),
    attributes: Object.fromEntries(attributes),
    dataList,
    publishType: "NORMAL",
    publishSource: "CLIENT",
  };
}

export function subscriberShape(row: SubscriberRow): object {
  const { scope, pushedVersion, pushedMs, seenVersion } = row;
  return { ...storeData(row), attributes: {}, scope, pushedVersion, pushedTimestamp: pushedMs, seenVersion };
}

export function watcherShape(row: WatchRow, zone: string): object {
  return { ...storeData({ ...row, appName: "", zone, registeredMs: 0 }), attributes: {}, seenVersion: row.seenVersion };
}

/** A publisher as Java prints it: in `datum/api/get`. */
export function publisherText(publication: Publication): string {
  const { serviceKey, registId, version, zone, appName, owner, registeredMs, attributes } = publication;
  const [source] = endsOf(owner.client);
  const attributeText =
    attributes.size === 0 ? "null" : `{${[...attributes].map((pair) => pair.join("=")).join(", ")}}`;
  return (
    `PUBLISHER{dataInfoId='${serviceKey}', clientId='null', cell='${zone}', appName='${appName}', ` +
    `processId='${source}', registerId='${registId}', version=${version}, sourceAddress=URL{address='${source}'}, ` +
    `clientVersion=StoreData, registerTimestamp=${registeredMs}, clientRegisterTimestamp=${registeredMs}, ` +
    `otherInfo=dataList=${boxesOf(publication).length},publishType=NORMAL, attributes=${attributeText}}`
  );
}

const [SHORT_STRING, LONG_STRING] = [0x74, 0x7c];
const STREAM_HEAD = [0xac, 0xed, 0, 5];
const SHORT_MAX = 0xffff;

/** A string as Java's own serialisation writes it, which is what a box is in SOFARegistry. */
export function javaString(text: string): Uint8Array {
  const bytes: number[] = [];
  // Java's form of UTF-8: each UTF-16 unit on its own, and zero in two bytes.
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  const { length } = bytes;
  const head =
    length <= SHORT_MAX
      ? [SHORT_STRING, length >> 8, length & 0xff]
      : [LONG_STRING, 0, 0, 0, 0, (length >>> 24) & 0xff, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
  return Uint8Array.from([...STREAM_HEAD, ...head].concat(bytes));
}
