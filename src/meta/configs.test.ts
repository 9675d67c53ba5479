import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../cluster/messages/membership.ts";
import { brandServiceKey, nodeId } from "../model/ids.ts";
import { Configs, type Put } from "./configs.ts";

const RULES = brandServiceKey("rules#@#I#@#G");
const OTHER = brandServiceKey("other#@#I#@#G");
const LIMITS = { configValuesMax: 3, configValueBytesMax: 10, configBytesMax: 25 };
const NOTHING: readonly Put[] = [];
const S1: Member = { id: nodeId("s1.a"), role: "session" };

test("versions grow, also by a clock that is behind what is stored", () => {
  const configs = new Configs(LIMITS);
  configs.load([{ serviceKey: RULES, version: 1n << 62n, data: "old" }]);
  const next = configs.next({ serviceKey: RULES, data: "new" }, 0);
  assert.ok(next.version > 1n << 62n);
  assert.ok(configs.next({ serviceKey: OTHER, data: "more" }, 0).version > next.version);
});

test("what was saved after the store was read stays", () => {
  const configs = new Configs(LIMITS);
  configs.saved({ serviceKey: RULES, version: 5n, data: "new" });
  const news = configs.load([
    { serviceKey: RULES, version: 4n, data: "old" },
    { serviceKey: OTHER, version: 1n, data: "first" },
  ]);
  assert.equal(configs.value(RULES)?.data, "new");
  assert.deepEqual(
    news.map(({ data }) => data),
    ["first"],
    "and the old one is told to nobody",
  );
});

test("a value that nobody has set is told with the lowest version, always the same", () => {
  const configs = new Configs(LIMITS);
  assert.deepEqual(configs.valueToTell(RULES), { serviceKey: RULES, version: 1n, data: null });
  assert.equal(configs.value(RULES), undefined);
});

test("a member watches until it says otherwise, or is gone", () => {
  const configs = new Configs(LIMITS);
  configs.watch(S1, [RULES, OTHER]);
  assert.deepEqual(configs.watchersOf(RULES), [S1]);
  configs.unwatch(S1, [RULES]);
  assert.deepEqual(configs.watchersOf(RULES), []);
  configs.ended(S1);
  assert.deepEqual(configs.watchersOf(OTHER), []);
});

/** A store with this value for each name. */
function configsWith(values: Record<string, string | null>): Configs {
  const configs = new Configs(LIMITS);
  for (const [at, [name, data]] of Object.entries(values).entries()) {
    configs.saved({ serviceKey: brandServiceKey(name), version: BigInt(at + 1), data });
  }
  return configs;
}

test("a value that is too large is refused, measured in UTF-8", () => {
  const configs = configsWith({});
  assert.equal(configs.refusal({ serviceKey: RULES, data: "é".repeat(5) }, NOTHING), undefined);
  const refused = configs.refusal({ serviceKey: RULES, data: "é".repeat(6) }, NOTHING);
  assert.deepEqual(
    [refused?.code, refused?.details],
    ["CONFIG_VALUE_TOO_LARGE", { valueBytes: 12, configValueBytesMax: 10 }],
  );
});

test("one value more than there may be is refused; one that was removed makes room", () => {
  const configs = configsWith({ a: "1", b: "2", c: "3" });
  assert.equal(configs.refusal({ serviceKey: OTHER, data: "4" }, NOTHING)?.code, "CONFIG_VALUES_EXHAUSTED");
  assert.equal(configs.refusal({ serviceKey: brandServiceKey("a"), data: "5" }, NOTHING), undefined);
  configs.saved({ serviceKey: brandServiceKey("a"), version: 9n, data: null });
  assert.equal(configs.refusal({ serviceKey: OTHER, data: "4" }, NOTHING), undefined);
  assert.equal(
    configs.refusal({ serviceKey: OTHER, data: "4" }, [{ serviceKey: OTHER, data: null }])?.code,
    "CONFIG_VALUES_EXHAUSTED",
  );
});

test("values that are set and removed again and again are refused in the end", () => {
  const names = Array.from({ length: 30 }, (_, at) => [`n${at}`, null] as const);
  const configs = configsWith(Object.fromEntries(names));
  assert.equal(configs.refusal({ serviceKey: OTHER, data: "4" }, NOTHING)?.code, "CONFIG_VALUES_EXHAUSTED");
  assert.equal(configs.refusal({ serviceKey: brandServiceKey("n1"), data: "4" }, NOTHING), undefined);
});

test("all values together have a bound in bytes, what waits for the store counted", () => {
  const configs = configsWith({ a: "1234567890", b: "1234567890" });
  assert.equal(configs.refusal({ serviceKey: OTHER, data: "12345" }, NOTHING), undefined);
  assert.equal(configs.refusal({ serviceKey: OTHER, data: "123456" }, NOTHING)?.code, "CONFIG_VALUES_EXHAUSTED");
  assert.equal(
    configs.refusal({ serviceKey: OTHER, data: "12345" }, [{ serviceKey: OTHER, data: "1" }])?.code,
    "CONFIG_VALUES_EXHAUSTED",
  );
  assert.equal(
    configs.refusal({ serviceKey: brandServiceKey("a"), data: "1234567890" }, NOTHING),
    undefined,
    "in the place of itself",
  );
});

test("a change on the condition of a version meets only that one; no value has version 0", () => {
  const configs = configsWith({ a: "1", b: null });
  const code = (key: string, version: bigint | undefined) => configs.conflict(putOf(key, version))?.code;
  const held = configs.value(brandServiceKey("a"))?.version ?? 0n;
  assert.deepEqual([code("a", undefined), code("a", held)], [undefined, undefined]);
  assert.deepEqual([code("a", held + 1n), code("a", 0n)], ["VERSION_CONFLICT", "VERSION_CONFLICT"]);
  assert.deepEqual([code("b", 0n), code("never", 0n)], [undefined, undefined], "removed, and never set");
  assert.equal(code("b", configs.value(brandServiceKey("b"))?.version), "VERSION_CONFLICT");
});

function putOf(key: string, ifVersion: bigint | undefined): Put {
  return { serviceKey: brandServiceKey(key), data: "x", ...(ifVersion !== undefined && { ifVersion }) };
}
