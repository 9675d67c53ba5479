// Configurations in the versions 2 and 3: answers with a code, a message and the data.

import { nacosError } from "../../errorTable.ts";
import { allowedFor, editorOf } from "../configAccess.ts";
import { checkedName } from "../configKey.ts";
import { grayNameOf } from "../configWriter.ts";
import type { Asked, ConfigPath } from "./configRoute.ts";
import {
  configBasicInfo,
  configDetailInfo,
  contentsDocument,
  grayInfo,
  idOf,
  pageDocument,
  pageOf,
} from "./documents.ts";
import type { HttpParts } from "./httpParts.ts";
import {
  aboutIn,
  askerIn,
  configKeyIn,
  editIn,
  idsIn,
  V1_WORDS,
  V2_WORDS,
  V3_WORDS,
  type Words,
} from "./readConfigRequest.ts";
import { foundConfigs } from "./search.ts";

const V2 = "/v2/cs/config";
const CLIENT = "/v3/client/cs/config";
const ADMIN = "/v3/admin/cs/config";
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

export function configPathsV2(parts: HttpParts): readonly ConfigPath[] {
  const paths = new Paths(parts);
  const result = { form: "result" } as const;
  return [
    {
      ...result,
      method: "GET",
      path: V2,
      asks: "fetch",
      of: aboutIn(V2_WORDS),
      handle: (asked) => paths.content(asked),
    },
    ...[
      { path: V2, words: V2_WORDS },
      { path: ADMIN, words: V3_WORDS },
    ].flatMap(({ path, words }): ConfigPath[] => {
      const wish = { asks: "store", of: aboutIn(words) } as const;
      const { publishBytesMax: bodyBytesMax } = parts;
      return [
        { ...result, method: "POST", path, bodyBytesMax, ...wish, handle: (asked) => paths.publish(asked, words) },
        { ...result, method: "DELETE", path, ...wish, handle: (asked) => paths.remove(asked, words) },
      ];
    }),
    {
      form: "v1",
      method: "GET",
      path: `${V2}/searchDetail`,
      asks: "fetch",
      of: "each",
      handle: ({ params, caller }) => {
        const search = params.text("search") || "blur";
        const isAllowed = allowedFor(caller, "fetch");
        const asked = { words: V1_WORDS, search, content: params.needed("config_detail"), isAllowed };
        return contentsDocument(pageOf(foundConfigs(parts.store, params, asked), params));
      },
    },
    {
      ...result,
      method: "GET",
      path: CLIENT,
      asks: "fetch",
      of: aboutIn(V3_WORDS),
      handle: (asked) => paths.shown(asked),
    },
    {
      ...result,
      method: "GET",
      path: ADMIN,
      asks: "fetch",
      of: aboutIn(V3_WORDS),
      handle: (asked) => paths.detail(asked),
    },
    {
      ...result,
      method: "GET",
      path: `${ADMIN}/list`,
      asks: "fetch",
      of: "each",
      handle: (asked) => paths.list(asked),
    },
    {
      ...result,
      method: "GET",
      path: `${ADMIN}/beta`,
      asks: "fetch",
      of: aboutIn(V3_WORDS),
      handle: (asked) => paths.beta(asked),
    },
    {
      ...result,
      method: "DELETE",
      path: `${ADMIN}/beta`,
      asks: "store",
      of: aboutIn(V3_WORDS),
      handle: (asked) => paths.removeGray(asked, "beta"),
    },
    {
      ...result,
      method: "DELETE",
      path: `${ADMIN}/batch`,
      asks: "store",
      of: "each",
      handle: (asked) => paths.removeAll(asked),
    },
  ];
}

class Paths {
  readonly #parts: HttpParts;

  constructor(parts: HttpParts) {
    this.#parts = parts;
  }

  content({ params, exchange }: Asked): unknown {
    const shown = this.#parts.store.shown(configKeyIn(params, V2_WORDS), askerIn(params, exchange));
    const isOfTag = params.text("tag") === "" || shown?.gray !== undefined;
    if (shown === undefined || !isOfTag) throw notThere();
    return DECODER.decode(shown.content);
  }

  shown({ params, exchange }: Asked): unknown {
    const shown = this.#parts.store.shown(configKeyIn(params, V3_WORDS), askerIn(params, exchange));
    const isOfTag = params.text("tag") === "" || shown?.gray !== undefined;
    if (shown === undefined || !isOfTag) throw notThere();
    const { head, content, gray } = shown;
    return {
      resultCode: 200,
      errorCode: 0,
      message: null,
      requestId: null,
      content: DECODER.decode(content),
      encryptedDataKey: head.encryptedDataKey,
      contentType: head.type,
      md5: head.md5,
      lastModified: head.modifiedMs,
      tag: gray?.kind === "tag" ? gray.tag : null,
      beta: gray?.kind === "beta",
      success: true,
    };
  }

  detail({ params }: Asked): unknown {
    const config = this.#parts.store.find(configKeyIn(params, V3_WORDS));
    if (config === undefined) throw notThere();
    return configDetailInfo(config);
  }

  async publish({ params, exchange, caller }: Asked, words: Words): Promise<true> {
    await this.#parts.writer.publish(editIn(params, exchange, words), editorOf(caller, exchange.remoteAddress));
    return true;
  }

  async remove(asked: Asked, words: Words): Promise<true> {
    const { params, exchange, caller } = asked;
    const tag = checkedName("tag", params.text("tag"));
    const key = configKeyIn(params, words);
    const editor = editorOf(caller, exchange.remoteAddress);
    if (tag === "") await this.#parts.writer.remove(key, editor);
    else await this.#parts.writer.removeGray(key, grayNameOf({ kind: "tag", tag }), editor);
    return true;
  }

  async removeGray({ params, exchange, caller }: Asked, name: string): Promise<true> {
    const editor = editorOf(caller, exchange.remoteAddress);
    await this.#parts.writer.removeGray(configKeyIn(params, V3_WORDS), name, editor);
    return true;
  }

  async removeAll({ params, exchange, caller }: Asked): Promise<true> {
    const { store, writer } = this.#parts;
    const ids = idsIn(params);
    const isAllowed = allowedFor(caller, "store");
    const named = [...store.all()].filter(({ key, record }) => ids.has(idOf(record)) && isAllowed(key));
    for (const { key } of named) await writer.remove(key, editorOf(caller, exchange.remoteAddress));
    return true;
  }

  list({ params, caller }: Asked): unknown {
    const search = params.text("search") || "blur";
    const isAllowed = allowedFor(caller, "fetch");
    const asked = { words: V3_WORDS, search, content: params.text("configDetail"), isAllowed };
    return pageDocument(pageOf(foundConfigs(this.#parts.store, params, asked), params), configBasicInfo);
  }

  beta({ params }: Asked): unknown {
    const key = configKeyIn(params, V3_WORDS);
    const gray = this.#parts.store.grays(key).find(({ name }) => name === "beta");
    if (gray === undefined) throw notThere();
    return grayInfo({ key }, gray);
  }
}

function notThere() {
  return nacosError("NACOS_CONFIG_UNKNOWN", { reason: "config data not exist" });
}
