import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "../base/ports.ts";
import { nodeId } from "../model/ids.ts";
import { makeServiceKey } from "../model/serviceKey.ts";
import { warnOfUnlisted } from "./warnOfUnlisted.ts";

test("each publisher for which a list has no room is named, with what the list takes", () => {
  const lines: [string, LogFields | undefined][] = [];
  const nothing = () => undefined;
  const warn = (event: string, fields?: LogFields) => void lines.push([event, fields]);
  const log = { debug: nothing, info: nothing, warn, error: nothing };
  const serviceKey = makeServiceKey({ name: "orders", namespace: "I", group: "G" });
  const stamp = { version: 1n, registeredMs: 1 };
  warnOfUnlisted(log, nodeId("s1.a"), [{ serviceKey, registId: "r1", stamp, bytes: 70_000, bytesMax: 65_536 }]);
  assert.deepEqual(lines, [
    [
      "a publisher is not listed because the list of its service is full",
      { service: serviceKey, registId: "r1", session: "s1.a", bytes: 70_000, bytesMax: 65_536 },
    ],
  ]);
});
