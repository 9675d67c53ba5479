import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous } from "../../../access/principal.ts";
import { fieldsOf, parseJson } from "../../../encoding/json/fields.ts";
import { OPEN_ACCESS } from "../../kit/clientAccess.ts";
import { Caller } from "../../kit/judgedRoutes.ts";
import type { NacosRequest, Responder } from "../part.ts";
import { type ConfigParts, configRequests } from "./requests.ts";

const REQUESTS = [
  ["ConfigBatchListenRequest", { configListenContexts: [{ dataId: "d", group: "g", md5: "" }] }],
  ["ConfigFuzzyWatchRequest", { watchType: "WATCH", groupKeyPattern: "public>>*>>*" }],
] as const;

for (const [type, body] of REQUESTS) {
  test(`of a client that goes while the configurations are read, nothing is kept: ${type}`, () => {
    const reads: (() => void)[] = [];
    const kept: string[] = [];
    const parts = {
      store: { whenRead: (read: () => void) => void reads.push(read), md5Shown: () => "" },
      listeners: { add: () => void kept.push("listener") },
      fuzzy: { watch: () => kept.push("watch") === 0 },
    } as unknown as ConfigParts;
    const client = { address: "10.0.0.1", isEnded: false };
    const caller = new Caller(anonymous("10.0.0.1"), OPEN_ACCESS);
    const fields = fieldsOf(parseJson(JSON.stringify(body)), "body");
    const request = { type, fields, headers: new Map(), client, caller, nowMs: 0 } as unknown as NacosRequest;
    const responder = { answer: () => undefined } as unknown as Responder;
    const handler = configRequests(parts)[type];
    for (const isEnded of [true, false]) {
      handler?.handle(request, responder);
      client.isEnded = isEnded;
      reads.shift()?.();
      assert.equal(kept.length, isEnded ? 0 : 1);
    }
  });
}
