// The requests about configurations and locks by gRPC.

import { InvariantError } from "../../../base/assert.ts";
import { fail, RegistryError } from "../../../base/errors.ts";
import {
  fieldsOf,
  flagField,
  type JsonFields,
  listField,
  textField,
  textsField,
  wholeField,
} from "../../../encoding/json/fields.ts";
import type { NacosRequest, RequestHandlers, Responder } from "../part.ts";
import { allowedFor, checkValues, editorOf, valueKeyOf } from "./configAccess.ts";
import { type ConfigKey, checkedName, configKeyOf } from "./configKey.ts";
import type { ConfigListeners, Listened } from "./configListeners.ts";
import type { GrayRule } from "./configRecord.ts";
import type { Asker, ConfigStore } from "./configStore.ts";
import { type ConfigWriter, type Edit, grayNameOf } from "./configWriter.ts";
import type { FuzzyWatches } from "./fuzzyWatches.ts";
import { LOCK_TYPE, type Locks } from "./locks.ts";
import { betaIpsIn, typeOf } from "./readEdit.ts";

export interface ConfigParts {
  readonly store: ConfigStore;
  readonly writer: ConfigWriter;
  readonly listeners: ConfigListeners;
  readonly fuzzy: FuzzyWatches;
  readonly locks: Locks;
}

/** The handlers, by the type of the request. */
export function configRequests(parts: ConfigParts): RequestHandlers {
  const config = new ConfigRequests(parts);
  return {
    ConfigQueryRequest: { answer: "ConfigQueryResponse", asks: "fetch", handle: (...asked) => config.query(...asked) },
    ConfigPublishRequest: {
      ...{ answer: "ConfigPublishResponse", asks: "store" },
      handle: (...asked) => config.publish(...asked),
    },
    ConfigRemoveRequest: {
      answer: "ConfigRemoveResponse",
      asks: "store",
      handle: (...asked) => config.remove(...asked),
    },
    ConfigBatchListenRequest: {
      ...{ answer: "ConfigChangeBatchListenResponse", asks: "fetch" },
      handle: (...asked) => config.listen(...asked),
    },
    ConfigFuzzyWatchRequest: {
      ...{ answer: "ConfigFuzzyWatchResponse", asks: "fetch" },
      handle: (...asked) => config.watch(...asked),
    },
    LockOperationRequest: {
      answer: "LockOperationResponse",
      asks: "store",
      handle: (...asked) => config.lock(...asked),
    },
  };
}

/** `ConfigQueryResponse.CONFIG_NOT_FOUND`, and the code of patterns that match too much. */
const NOT_FOUND = 300;
const FUZZY_OVER_LIMIT = 50_311;
const CAS_FAILED = 500;

// More than the real client's 3,000 in one request.
const CONTEXTS_MAX = 20_000;
const ADDITIONS_MAX = 50;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

class ConfigRequests {
  readonly #parts: ConfigParts;

  constructor(parts: ConfigParts) {
    this.#parts = parts;
  }

  query(request: NacosRequest, responder: Responder): void {
    const { store } = this.#parts;
    const { fields } = request;
    const key = keyIn(fields);
    const tag = textField(fields, "tag") ?? "";
    checkValues(request.caller, "fetch", [valueKeyOf(key)]);
    this.#whenRead(responder, () => {
      const asker = askerOf(request, tag);
      const shown = store.shown(key, asker);
      // A tag that the client names has to be there.
      if (shown === undefined || (tag !== "" && shown.gray === undefined)) {
        const rest = { lastModified: 0, beta: false, ...(tag !== "" && shown !== undefined && { tag }) };
        return responder.refuseWith(NOT_FOUND, "config data not exist", rest);
      }
      const { head, content, gray } = shown;
      responder.answer({
        content: DECODER.decode(content),
        encryptedDataKey: head.encryptedDataKey,
        contentType: head.type,
        md5: head.md5,
        lastModified: head.modifiedMs,
        ...(gray?.kind === "tag" && { tag: encodeURIComponent(gray.tag) }),
        beta: gray?.kind === "beta",
      });
    });
  }

  publish(request: NacosRequest, responder: Responder): void {
    const { writer } = this.#parts;
    const edit = editIn(request.fields);
    checkValues(request.caller, "store", [valueKeyOf(edit.key)]);
    this.#whenRead(responder, () => {
      const editor = editorOf(request.caller, request.client.address);
      settle(writer.publish(edit, editor), responder);
    });
  }

  remove(request: NacosRequest, responder: Responder): void {
    const { writer } = this.#parts;
    const { fields } = request;
    const key = keyIn(fields);
    const tag = checkedName("tag", textField(fields, "tag") ?? "");
    checkValues(request.caller, "store", [valueKeyOf(key)]);
    this.#whenRead(responder, () => {
      const editor = editorOf(request.caller, request.client.address);
      const removed =
        tag === "" ? writer.remove(key, editor) : writer.removeGray(key, grayNameOf({ kind: "tag", tag }), editor);
      settle(removed, responder);
    });
  }

  listen(request: NacosRequest, responder: Responder): void {
    const { store, listeners } = this.#parts;
    const { fields, client } = request;
    const isWanted = flagField(fields, "listen") ?? true;
    const listened = listField(fields, "configListenContexts", CONTEXTS_MAX).map((each) => {
      const context = fieldsOf(each, "configListenContexts");
      const tenant = textField(context, "tenant") ?? "";
      return { key: keyIn(context), tenant, md5: textField(context, "md5") ?? "" };
    });
    const about = listened.map(({ key }) => valueKeyOf(key));
    checkValues(request.caller, "fetch", about);
    this.#whenRead(responder, () => {
      if (client.isEnded) return;
      const asker = askerOf(request, "");
      const changedConfigs: object[] = [];
      for (const each of listened) {
        if (!isWanted) {
          listeners.remove(client, each.key);
          continue;
        }
        listeners.add(client, each);
        if (store.md5Shown(each.key, asker) !== each.md5) changedConfigs.push(contextOf(each));
      }
      responder.answer({ changedConfigs });
    });
  }

  watch(request: NacosRequest, responder: Responder): void {
    const { fuzzy } = this.#parts;
    const { fields, client } = request;
    const pattern = textField(fields, "groupKeyPattern") ?? "";
    const type = textField(fields, "watchType") ?? "";
    if (type === "CANCEL_WATCH") {
      fuzzy.cancel(client, pattern);
      return responder.answer();
    }
    if (type !== "WATCH") {
      throw fail("FIELD_INVALID", { field: "watchType", value: type.slice(0, 100), expected: "WATCH or CANCEL_WATCH" });
    }
    const received = new Set(listField(fields, "receivedGroupKeys", CONTEXTS_MAX).map(String));
    const isInitializing = flagField(fields, "initializing") ?? false;
    const isAllowed = allowedFor(request.caller, "fetch");
    this.#whenRead(responder, () => {
      if (client.isEnded) return;
      const isOver = fuzzy.watch(client, { pattern, received, isInitializing, isAllowed });
      if (isOver) responder.refuseWith(FUZZY_OVER_LIMIT, "fuzzy watch pattern matched count over limit");
      else responder.answer();
    });
  }

  lock(request: NacosRequest, responder: Responder): void {
    const { locks } = this.#parts;
    const { fields } = request;
    const instance = fieldsOf(fields.get("lockInstance"), "lockInstance");
    const name = { type: textField(instance, "lockType") ?? LOCK_TYPE, key: textField(instance, "key") ?? "" };
    const forMs = wholeField(instance, "expiredTime", { min: -1, max: Number.MAX_SAFE_INTEGER }) ?? -1;
    const operation = textField(fields, "lockOperationEnum") ?? "";
    if (operation !== "ACQUIRE" && operation !== "RELEASE") {
      const expected = "ACQUIRE or RELEASE";
      throw fail("FIELD_INVALID", { field: "lockOperationEnum", value: operation.slice(0, 100), expected });
    }
    const about = [{ namespace: "", group: name.type, name: name.key }];
    checkValues(request.caller, "store", about);
    this.#whenRead(responder, () => {
      const done = operation === "ACQUIRE" ? locks.acquire(name, forMs) : locks.release(name);
      done.then((result) => responder.answer({ result }), refuseIn(responder));
    });
  }

  /** Has a request handled when the configurations were read. */
  #whenRead(responder: Responder, handle: () => void): void {
    this.#parts.store.whenRead(handle, refuseIn(responder));
  }
}

/** The configuration that a request or a part of it names. */
function keyIn(fields: JsonFields): ConfigKey {
  return configKeyOf({
    namespace: textField(fields, "tenant") ?? "",
    group: textField(fields, "group") ?? "",
    dataId: textField(fields, "dataId") ?? "",
  });
}

function askerOf({ client, headers }: NacosRequest, tag: string): Asker {
  return { ip: client.address, tag: tag === "" ? (headers.get("Vipserver-Tag") ?? "") : tag };
}

function editIn(fields: JsonFields): Edit {
  const additions = textsField(fields, "additionMap", ADDITIONS_MAX) ?? new Map<string, string>();
  const addition = (name: string) => additions.get(name) ?? "";
  const content = textField(fields, "content") ?? "";
  if (content === "")
    throw fail("FIELD_INVALID", { field: "content", value: "", expected: "a text that is not empty" });
  return {
    key: keyIn(fields),
    content: ENCODER.encode(content),
    type: typeOf(addition("type")),
    appName: addition("appName"),
    desc: addition("desc"),
    tags: addition("config_tags"),
    encryptedDataKey: addition("encryptedDataKey"),
    use: addition("use"),
    effect: addition("effect"),
    schema: addition("schema"),
    gray: grayIn(addition("betaIps"), addition("tag")),
    casMd5: textField(fields, "casMd5") ?? "",
  };
}

/** A release for some addresses goes before one for a tag. */
function grayIn(betaIps: string, tag: string): GrayRule | undefined {
  if (betaIps !== "") return { kind: "beta", ips: betaIpsIn(betaIps) };
  return tag === "" ? undefined : { kind: "tag", tag: checkedName("tag", tag) };
}

/** As the client has named it: it compares texts. */
function contextOf({ key: { group, dataId }, tenant }: Listened): object {
  return { group, dataId, tenant };
}

function settle(done: Promise<void>, responder: Responder): void {
  done.then(() => responder.answer(), refuseIn(responder));
}

function refuseIn(responder: Responder) {
  return (error: unknown) => {
    if (error instanceof RegistryError && error.code === "NACOS_CAS_FAILED") {
      return responder.refuseWith(CAS_FAILED, "Cas publish fail, server md5 may have changed.");
    }
    responder.refuse(error instanceof Error ? error : new InvariantError(String(error)));
  };
}
