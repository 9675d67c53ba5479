// Long polls, and who listens to what.

import { fail } from "../../../../base/errors.ts";
import { textResponse } from "../../../../base/http.ts";
import { headerOf, type Params } from "../../params.ts";
import { allowedFor, valueKeyOf } from "../configAccess.ts";
import { configKeyOf, keyOfPath, namespaceOf } from "../configKey.ts";
import type { Polled } from "../longPolls.ts";
import type { Asked, ConfigPath, Form } from "./configRoute.ts";
import { listenerInfo } from "./documents.ts";
import type { HttpParts } from "./httpParts.ts";
import { aboutIn, askerIn, configKeyIn, V1_WORDS, V3_WORDS, type Words } from "./readConfigRequest.ts";

const WORD_END = "\u0002";
const LINE_END = "\u0001";
// More than the 3,000 of one request of the real client.
const POLLED_MAX = 20_000;
// Three thousand of the longest names, with their escapes.
const POLL_BYTES_MAX = 8 * 1024 * 1024;
// The real server answers so much before the caller's time is over, and waits for this at least and at most.
const BEFORE_MS = 500;
const WAIT_MS_MIN = 10_000;
const WAIT_MS_MAX = 120_000;
const WAIT_MS = 29_500;

export function listenerPaths(parts: HttpParts): readonly ConfigPath[] {
  const ofConfig = (form: Form, path: string, words: Words): ConfigPath => ({
    form,
    method: "GET",
    path,
    asks: "fetch",
    of: aboutIn(words),
    handle: ({ params }) => {
      const key = configKeyIn(params, words);
      const found = new Map([...parts.listeners.listenersOf(key), ...parts.polls.listenersOf(key)]);
      return listenerInfo(found, "config")[form];
    },
  });
  const ofAddress = (form: Form, path: string, words: Words): ConfigPath => ({
    form,
    method: "GET",
    path,
    asks: "fetch",
    of: "each",
    handle: (asked) => listenerInfo(listenedAt(parts, asked, words), "ip")[form],
  });
  return [
    {
      form: "v1",
      method: "POST",
      path: "/v1/cs/configs/listener",
      bodyBytesMax: POLL_BYTES_MAX,
      asks: "fetch",
      of: (params) => polledIn(params).map(({ key }) => valueKeyOf(key)),
      handle: (asked) => poll(parts, asked),
    },
    ofConfig("v1", "/v1/cs/configs/listener", V1_WORDS),
    ofConfig("result", "/v3/admin/cs/config/listener", V3_WORDS),
    ofAddress("v1", "/v1/cs/listener", V1_WORDS),
    ofAddress("result", "/v3/admin/cs/listener", V3_WORDS),
  ];
}

/** Answers later, by itself. */
function poll({ polls, nowMs }: HttpParts, { params, exchange }: Asked): undefined {
  const polled = polledIn(params);
  const answer = (changed: readonly string[]) => exchange.respond(textResponse(changedText(changed)));
  const isHanging = headerOf(exchange, "long-pulling-timeout-no-hangup") !== "true";
  const untilMs = isHanging ? nowMs() + waitMsOf(headerOf(exchange, "long-pulling-timeout")) : 0;
  const gone = polls.add({ polled, asker: askerIn(params, exchange), untilMs, answer });
  exchange.onGone(gone);
  if (!isHanging) polls.check(0);
  return undefined;
}

function waitMsOf(header: string): number {
  const wanted = Number(header);
  if (header === "" || !Number.isFinite(wanted)) return WAIT_MS;
  return Math.min(WAIT_MS_MAX, Math.max(WAIT_MS_MIN, wanted - BEFORE_MS));
}

/** `dataId^2group^2md5[^2tenant]^1`, again and again. Throws FIELD_INVALID or NACOS_PARAMETER_MISSING. */
function polledIn(params: Params): readonly Polled[] {
  const lines = params
    .needed("Listening-Configs")
    .split(LINE_END)
    .filter((line) => line !== "");
  if (lines.length > POLLED_MAX) {
    throw fail("FIELD_INVALID", { field: "Listening-Configs", value: lines.length, expected: `${POLLED_MAX} or less` });
  }
  return lines.map((line) => {
    const [dataId, group, md5, namespace = "", more] = line.split(WORD_END);
    if (dataId === undefined || group === undefined || md5 === undefined || more !== undefined) {
      const expected = "dataId^2group^2md5[^2tenant]^1";
      throw fail("FIELD_INVALID", { field: "Listening-Configs", value: line.slice(0, 100), expected });
    }
    const words = [dataId, group, ...(namespace === "" ? [] : [namespace])].join(WORD_END);
    return { key: configKeyOf({ dataId, group, namespace }), md5, words };
  });
}

/** Empty if nothing has changed. One line: clients take a line end within it for part of a name. */
function changedText(changed: readonly string[]): string {
  return changed.length === 0 ? "" : `${encodeURIComponent(changed.map((words) => words + LINE_END).join(""))}\n`;
}

/** The configurations that clients at an address listen to, as `dataId+group[+namespace]`. */
function listenedAt({ listeners, polls }: HttpParts, { params, caller }: Asked, words: Words): Map<string, string> {
  const ip = params.needed("ip");
  const wanted = params.text("all") === "true" ? undefined : namespaceOf(params.text(words.namespace));
  const isAllowed = allowedFor(caller, "fetch");
  const listened = new Map<string, string>();
  for (const [path, md5] of [...listeners.listenedAt(ip), ...polls.listenedAt(ip)]) {
    const key = keyOfPath(path);
    const { namespace, group, dataId } = key;
    const isWanted = wanted === undefined || namespace === wanted;
    if (isWanted && isAllowed(key)) listened.set(`${dataId}+${group}+${namespace}`, md5);
  }
  return listened;
}
