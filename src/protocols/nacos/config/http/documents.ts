// The answers of the paths, in the fields of the real server's: those of version 1, and those of the later ones.

import { fail } from "../../../../base/errors.ts";
import type { StoredRecord } from "../../../../records/records.ts";
import type { Params } from "../../params.ts";
import { PUBLIC } from "../configKey.ts";
import type { GrayConfig, StoredConfig } from "../configStore.ts";
import type { HistoryEntry } from "../history.ts";
import type { Namespace } from "../namespaces.ts";

/** A part of a list. */
export interface Page<Item> {
  readonly total: number;
  readonly number: number;
  readonly pages: number;
  readonly items: readonly Item[];
}

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const PAGE_MAX = 500;
const PAGE_SIZE = 100;
// Some tens of milliseconds, in which nothing else is served.
const CONTENTS_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_NUMBER_MAX = 10_000_000;
// The real server's column has ten characters, and clients cut the blanks off.
const OPERATION_CHARS = 10;
// The real server's word for a time that it does not keep there.
const NO_TIME = 0;

/** The page that a request asks for. Throws FIELD_INVALID. */
export function pageOf<Item>(items: Iterable<Item>, params: Params): Page<Item> {
  const number = params.whole("pageNo", { min: 1, max: PAGE_NUMBER_MAX }) ?? 1;
  const size = Math.min(PAGE_MAX, params.whole("pageSize", { min: 1, max: PAGE_NUMBER_MAX }) ?? PAGE_SIZE);
  const all = [...items];
  const shown = all.slice((number - 1) * size, number * size);
  return { total: all.length, number, pages: Math.ceil(all.length / size), items: shown };
}

export function pageDocument<Item>({ total, number, pages, items }: Page<Item>, document: (item: Item) => object) {
  return {
    totalCount: total,
    pageNumber: number,
    pagesAvailable: pages,
    pageItems: items.map((item) => document(item)),
  };
}

/** A page of configurations in version 1, with their contents. Throws FIELD_INVALID if that is too much. */
export function contentsDocument(page: Page<StoredConfig>): object {
  const bytes = page.items.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > CONTENTS_BYTES_MAX) {
    const expected = `pages of ${CONTENTS_BYTES_MAX} bytes of contents at most: ask for smaller ones`;
    throw fail("FIELD_INVALID", { field: "pageSize", value: page.items.length, expected });
  }
  return pageDocument(page, configInfo);
}

/** The names of a configuration, in version 1. */
export function configNames({ key, head, record }: Pick<StoredConfig, "key" | "head" | "record">): object {
  const { md5, encryptedDataKey, appName, type } = head;
  const { dataId, group, namespace } = key;
  return { id: idOf(record), dataId, group, md5, encryptedDataKey, tenant: tenantOf(namespace), appName, type };
}

/** A configuration in version 1, or a release of it. */
function configInfo(config: Pick<StoredConfig, "key" | "head" | "record" | "content">): object {
  return { ...configNames(config), content: DECODER.decode(config.content) };
}

/** All about a configuration, in version 1. */
export function configAllInfo(config: StoredConfig): object {
  const { head } = config;
  return {
    ...configInfo(config),
    createTime: head.createdMs,
    modifyTime: head.modifiedMs,
    createUser: head.createdBy || null,
    createIp: head.createdFrom,
    desc: head.desc || null,
    use: head.use || null,
    effect: head.effect || null,
    schema: head.schema || null,
    configTags: head.tags || null,
  };
}

export function configBasicInfo({ key, head, record }: StoredConfig): object {
  return {
    id: idOf(record),
    namespaceId: key.namespace,
    groupName: key.group,
    dataId: key.dataId,
    md5: head.md5,
    type: head.type,
    appName: head.appName,
    createTime: head.createdMs,
    modifyTime: head.modifiedMs,
  };
}

export function configDetailInfo(config: StoredConfig): object {
  const { head, content } = config;
  return {
    ...configBasicInfo(config),
    content: DECODER.decode(content),
    desc: head.desc || null,
    encryptedDataKey: head.encryptedDataKey,
    createUser: head.createdBy || null,
    createIp: head.createdFrom,
    configTags: head.tags || null,
  };
}

/** The release for some addresses, in version 1. */
export function betaInfo({ key }: Pick<StoredConfig, "key">, gray: GrayConfig): object {
  return { ...configInfo({ ...gray, key }), betaIps: ruleOf(gray.head.rule) };
}

export function grayInfo({ key }: Pick<StoredConfig, "key">, gray: GrayConfig): object {
  const { head } = gray;
  const expression = ruleOf(head.rule);
  return {
    ...configDetailInfo({ ...gray, key }),
    grayName: gray.name,
    grayRule: JSON.stringify({ type: head.rule.kind, version: "1.0.0", expr: expression, priority: 2_147_483_647 }),
  };
}

/** An entry of the history in version 1, and in version 2. */
export function historyInfo({ key, head }: HistoryEntry, content?: Uint8Array): object {
  return {
    id: String(head.id),
    lastId: -1,
    dataId: key.dataId,
    group: key.group,
    tenant: tenantOf(key.namespace),
    appName: head.appName,
    md5: head.md5,
    ...(content !== undefined && { content: DECODER.decode(content) }),
    srcIp: head.from,
    srcUser: head.by || null,
    opType: head.operation.padEnd(OPERATION_CHARS),
    publishType: head.grayName === "" ? "formal" : "gray",
    grayName: head.grayName || null,
    createdTime: head.atMs,
    lastModifiedTime: head.atMs,
    encryptedDataKey: head.encryptedDataKey,
  };
}

export function historyBasicInfo({ key, head }: HistoryEntry): object {
  return {
    id: String(head.id),
    namespaceId: key.namespace,
    groupName: key.group,
    dataId: key.dataId,
    md5: head.md5,
    type: head.type,
    appName: head.appName,
    createTime: NO_TIME,
    modifyTime: head.atMs,
    srcIp: head.from,
    srcUser: head.by || null,
    opType: head.operation.padEnd(OPERATION_CHARS),
    publishType: head.grayName === "" ? "formal" : "gray",
  };
}

export function historyDetailInfo(entry: HistoryEntry, content: Uint8Array): object {
  const { encryptedDataKey, grayName } = entry.head;
  const text = DECODER.decode(content);
  return { ...historyBasicInfo(entry), content: text, encryptedDataKey, grayName: grayName || null, extInfo: null };
}

// The real server's quota, which it does not enforce either.
const QUOTA = 200;

export function namespaceInfo({ id, name, desc, configs, isDefault }: Namespace): object {
  return {
    namespace: id,
    namespaceShowName: name,
    namespaceDesc: desc || null,
    quota: QUOTA,
    configCount: configs,
    type: isDefault ? 0 : 1,
  };
}

/** The listeners of a configuration, by address: version 1 has other names than the later ones. */
export function listenerInfo(
  listeners: ReadonlyMap<string, string>,
  queryType: "config" | "ip",
): { readonly v1: object; readonly result: object } {
  const status = Object.fromEntries(listeners);
  return {
    v1: { collectStatus: 200, lisentersGroupkeyStatus: status },
    result: { queryType, listenersStatus: status },
  };
}

/** The number of a configuration: that of the commit that made it. */
export function idOf({ createdRevision }: StoredRecord): string {
  return String(createdRevision);
}

/** Version 1 knows the default namespace by an empty text. */
function tenantOf(namespace: string): string {
  return namespace === PUBLIC ? "" : namespace;
}

function ruleOf(rule: GrayConfig["head"]["rule"]): string {
  return rule.kind === "beta" ? rule.ips.join(",") : rule.tag;
}
