import assert from "node:assert/strict";
import { test } from "node:test";
import { EUREKA_CONFIG_KEYS } from "../configKeys.ts";
import { peerUrlsIn } from "./peerUrls.ts";

const { pattern } = EUREKA_CONFIG_KEYS["eureka-peers"];

const BATCH = "http://eureka-1:8761/eureka/peerreplication/batch/";

test("a peer's URL ends with a slash or not, and credentials are shown nowhere", () => {
  for (const [url, authorization] of [
    ["http://eureka-1:8761/eureka/", undefined],
    ["http://eureka-1:8761/eureka", undefined],
    ["http://me:secret@eureka-1:8761/eureka/", "Basic bWU6c2VjcmV0"],
    ["http://me:p%40ss@eureka-1:8761/eureka/", "Basic bWU6cEBzcw=="],
  ] as const) {
    assert.match(url, pattern);
    const shown = "http://eureka-1:8761/eureka/";
    assert.deepEqual(peerUrlsIn(url), [{ shown, batchUrl: BATCH, authorization }]);
  }
});

test("several are separated by commas, and each is told once", () => {
  const setting = "http://a/eureka/, https://b:8761/eureka/v2/,http://a/eureka";
  assert.match(setting, pattern);
  assert.deepEqual(
    peerUrlsIn(setting).map(({ shown }) => shown),
    ["http://a/eureka/", "https://b:8761/eureka/v2/"],
  );
  assert.match("", pattern);
  assert.deepEqual(peerUrlsIn(""), []);
});

test("what is no URL is refused at the start", () => {
  for (const setting of [
    "eureka-1:8761",
    "ftp://a/",
    "http://",
    "http://a b/",
    "http://a/?x=1",
    "http://a/,",
    ",http://a/",
  ]) {
    assert.doesNotMatch(setting, pattern, setting);
  }
});
