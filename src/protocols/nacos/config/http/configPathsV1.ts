// Configurations in version 1: one path, whose params say what is asked.

import type { ValueKey } from "../../../../access/policy.ts";
import { textResponse } from "../../../../base/http.ts";
import { nacosError } from "../../errorTable.ts";
import type { Params } from "../../params.ts";
import { allowedFor, editorOf } from "../configAccess.ts";
import { checkedName } from "../configKey.ts";
import { grayNameOf } from "../configWriter.ts";
import { contentTypeOf } from "../readEdit.ts";
import { type Asked, type ConfigPath, WholeAnswer } from "./configRoute.ts";
import { betaInfo, configAllInfo, contentsDocument, idOf, pageOf } from "./documents.ts";
import type { HttpParts } from "./httpParts.ts";
import { aboutIn, askerIn, configKeyIn, editIn, idsIn, V1_WORDS } from "./readConfigRequest.ts";
import { foundConfigs } from "./search.ts";

const PATH = "/v1/cs/configs";
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
/** Requests that version 1 has and this server does not: they carry archives. */
const ARCHIVES = ["export", "exportV2", "import", "clone"] as const;

export function configPathsV1(parts: HttpParts): readonly ConfigPath[] {
  const v1 = new V1(parts);
  const { publishBytesMax: bodyBytesMax } = parts;
  const at = { path: PATH, form: "v1" } as const;
  return [
    { ...at, method: "GET", asks: "fetch", of: fetched, handle: (asked) => v1.get(asked) },
    { ...at, method: "POST", asks: "store", of: stored, bodyBytesMax, handle: (asked) => v1.post(asked) },
    { ...at, method: "DELETE", asks: "store", of: stored, handle: (asked) => v1.delete(asked) },
    {
      ...at,
      method: "GET",
      path: `${PATH}/catalog`,
      asks: "fetch",
      of: aboutIn(V1_WORDS),
      handle: (asked) => v1.catalog(asked),
    },
  ];
}

/** The configuration of a request; a search judges what it finds. */
function fetched(params: Params): readonly ValueKey[] {
  checkServed(params);
  return params.text("search") === "" ? aboutIn(V1_WORDS)(params) : [];
}

function stored(params: Params): readonly ValueKey[] {
  checkServed(params);
  return params.text("delType") === "ids" ? [] : aboutIn(V1_WORDS)(params);
}

function checkServed(params: Params): void {
  const asked = ARCHIVES.find((name) => params.text(name) === "true");
  if (asked !== undefined) throw nacosError("NACOS_REQUEST_UNKNOWN", { parameter: asked });
}

class V1 {
  readonly #parts: HttpParts;

  constructor(parts: HttpParts) {
    this.#parts = parts;
  }

  get(asked: Asked): unknown {
    const { params } = asked;
    if (params.text("search") !== "") return this.#search(asked);
    if (params.text("show") === "all") return this.#all(asked);
    return params.text("beta") === "true" ? this.#beta(asked) : this.#content(asked);
  }

  async post({ params, exchange, caller }: Asked): Promise<unknown> {
    await this.#parts.writer.publish(editIn(params, exchange, V1_WORDS), editorOf(caller, exchange.remoteAddress));
    return true;
  }

  async delete({ params, exchange, caller }: Asked): Promise<unknown> {
    const { store, writer } = this.#parts;
    const editor = editorOf(caller, exchange.remoteAddress);
    if (params.text("delType") === "ids") {
      const ids = idsIn(params);
      const isAllowed = allowedFor(caller, "store");
      const named = [...store.all()].filter(({ key, record }) => ids.has(idOf(record)) && isAllowed(key));
      for (const { key } of named) await writer.remove(key, editor);
      return { code: 200, message: null, data: true };
    }
    const key = configKeyIn(params, V1_WORDS);
    if (params.text("beta") === "true") {
      await writer.removeGray(key, "beta", editor);
      return { code: 200, message: "stop beta ok", data: true };
    }
    const tag = checkedName("tag", params.text("tag"));
    if (tag === "") await writer.remove(key, editor);
    else await writer.removeGray(key, grayNameOf({ kind: "tag", tag }), editor);
    return true;
  }

  catalog({ params }: Asked): unknown {
    const config = this.#parts.store.find(configKeyIn(params, V1_WORDS));
    if (config === undefined) throw nacosError("NACOS_CONFIG_UNKNOWN");
    const { createTime, modifyTime, createUser, createIp, desc, use, effect, schema, configTags } = configAllInfo(
      config,
    ) as Readonly<Record<string, unknown>>;
    const data = { createTime, modifyTime, createUser, createIp, desc, use, effect, schema, configTags };
    return { code: 200, message: null, data };
  }

  #search({ params, caller }: Asked): unknown {
    const search = params.text("search");
    const content = params.text("config_detail");
    const found = foundConfigs(this.#parts.store, params, {
      ...{ words: V1_WORDS, search, content, isAllowed: allowedFor(caller, "fetch") },
    });
    return contentsDocument(pageOf(found, params));
  }

  #all({ params }: Asked): unknown {
    const config = this.#parts.store.find(configKeyIn(params, V1_WORDS));
    // The real server's answer: nothing, and no error.
    return config === undefined ? new WholeAnswer(textResponse("")) : configAllInfo(config);
  }

  #beta({ params }: Asked): unknown {
    const key = configKeyIn(params, V1_WORDS);
    const gray = this.#parts.store.grays(key).find(({ name }) => name === "beta");
    if (gray === undefined) return { code: 200, message: "query beta ok", data: null };
    return { code: 200, message: "query beta ok", data: betaInfo({ key }, gray) };
  }

  #content({ params, exchange }: Asked): unknown {
    const key = configKeyIn(params, V1_WORDS);
    const shown = this.#parts.store.shown(key, askerIn(params, exchange));
    const isOfTag = params.text("tag") === "" || shown?.gray !== undefined;
    if (shown === undefined || !isOfTag) return new WholeAnswer(textResponse("config data not exist", 404));
    const { head, content, gray } = shown;
    const headers = {
      "content-type": contentTypeOf(head.type),
      "config-type": head.type,
      "content-md5": head.md5,
      "last-modified": httpDate(head.modifiedMs),
      "cache-control": "no-cache,no-store",
      pragma: "no-cache",
      ...(head.encryptedDataKey !== "" && { "encrypted-data-key": encodeURIComponent(head.encryptedDataKey) }),
      ...(gray?.kind === "beta" && { isbeta: "true" }),
      ...(gray?.kind === "tag" && { tag: encodeURIComponent(gray.tag) }),
    };
    return new WholeAnswer({ status: 200, headers, body: DECODER.decode(content) });
  }
}

function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
