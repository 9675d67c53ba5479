// The history of configurations, in all versions.

import { nacosError } from "../../errorTable.ts";
import { allowedFor } from "../configAccess.ts";
import { namespaceOf } from "../configKey.ts";
import type { HistoryEntry } from "../history.ts";
import type { Asked, ConfigPath, Form } from "./configRoute.ts";
import {
  configBasicInfo,
  configNames,
  historyBasicInfo,
  historyDetailInfo,
  historyInfo,
  pageDocument,
  pageOf,
} from "./documents.ts";
import type { HttpParts } from "./httpParts.ts";
import { aboutIn, configKeyIn, V1_WORDS, V2_WORDS, V3_WORDS, type Words } from "./readConfigRequest.ts";

interface Version {
  readonly form: Form;
  readonly path: string;
  readonly words: Words;
  readonly document: (entry: HistoryEntry) => object;
  readonly detail: (entry: HistoryEntry, content: Uint8Array) => object;
}

const V1: Version = { form: "v1", path: "/v1/cs/history", words: V1_WORDS, document: historyInfo, detail: historyInfo };
const V2: Version = {
  form: "result",
  path: "/v2/cs/history",
  words: V2_WORDS,
  document: historyInfo,
  detail: historyInfo,
};
const V3: Version = {
  form: "result",
  path: "/v3/admin/cs/history",
  words: V3_WORDS,
  document: historyBasicInfo,
  detail: historyDetailInfo,
};

const ID = { min: 0, max: Number.MAX_SAFE_INTEGER } as const;

export function historyPaths(parts: HttpParts): readonly ConfigPath[] {
  const all = [V1, V2, V3].flatMap((version): ConfigPath[] => {
    const { form, path, words } = version;
    const wish = { asks: "fetch", of: aboutIn(words) } as const;
    const entry = (asked: Asked) => entryOf(parts, asked, version);
    return [
      {
        form,
        method: "GET",
        path,
        ...wish,
        // Version 1 has lists at the same path.
        handle: (asked) => (asked.params.has("search") ? listOf(parts, asked, version) : entry(asked)),
      },
      { form, method: "GET", path: `${path}/previous`, ...wish, handle: (asked) => previousOf(parts, asked, version) },
      {
        form,
        method: "GET",
        path: `${path}/configs`,
        asks: "fetch",
        of: "each",
        handle: (asked) => configsOf(parts, asked, version),
      },
    ];
  });
  const lists = [V2, V3].map((version): ConfigPath => {
    const { form, path, words } = version;
    const wish = { asks: "fetch", of: aboutIn(words) } as const;
    return { form, method: "GET", path: `${path}/list`, ...wish, handle: (asked) => listOf(parts, asked, version) };
  });
  const wish = { asks: "fetch", of: aboutIn(V2_WORDS) } as const;
  const detail = (asked: Asked) => entryOf(parts, asked, V2);
  return [...all, ...lists, { form: "result", method: "GET", path: `${V2.path}/detail`, ...wish, handle: detail }];
}

async function listOf({ history }: HttpParts, { params }: Asked, { words, document }: Version): Promise<object> {
  const entries = await history.entries(configKeyIn(params, words));
  return pageDocument(pageOf(entries, params), document);
}

async function entryOf({ history }: HttpParts, { params }: Asked, { words, detail }: Version): Promise<object> {
  params.needed("nid");
  const entry = await history.entry(configKeyIn(params, words), params.whole("nid", ID) ?? 0);
  if (entry === undefined) throw nacosError("NACOS_CONFIG_UNKNOWN", { nid: params.text("nid") });
  return detail(entry, entry.content);
}

async function previousOf({ history }: HttpParts, { params }: Asked, { words, detail }: Version): Promise<object> {
  params.needed("id");
  const [key, id] = [configKeyIn(params, words), params.whole("id", ID) ?? 0];
  const before = (await history.entries(key)).find(({ head }) => head.id < id);
  const entry = before === undefined ? undefined : await history.entry(key, before.head.id);
  if (entry === undefined) throw nacosError("NACOS_CONFIG_UNKNOWN", { id });
  return detail(entry, entry.content);
}

/** All configurations of a namespace, without their contents, as at the real server. */
function configsOf({ store }: HttpParts, { params, caller }: Asked, { words, form }: Version): object {
  const namespace = namespaceOf(params.text(words.namespace));
  const isAllowed = allowedFor(caller, "fetch");
  const found = [...store.all(namespace)].filter(({ key }) => isAllowed(key));
  return found.map(form === "v1" || words === V2_WORDS ? configNames : configBasicInfo);
}
