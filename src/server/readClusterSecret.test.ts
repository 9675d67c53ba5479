import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readClusterSecret } from "./readClusterSecret.ts";

const folder = mkdtempSync(join(tmpdir(), "roster-secret-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const ONE = "a".repeat(32);
const TWO = "b".repeat(32);
const NONE = { clusterSecret: "", clusterSecretFile: "", clusterSecretOptional: false };

function fileWith(content: string): string {
  const file = join(folder, "secret");
  writeFileSync(file, content);
  return file;
}

test("without a setting there is none", () => assert.equal(readClusterSecret(NONE), undefined));

for (const [what, content, secrets] of [
  ["one line", `${ONE}\n`, [ONE]],
  ["one line without its end", ONE, [ONE]],
  ["the lines of an exchange, with spaces and an empty one", ` ${ONE} \r\n\n${TWO}\n`, [ONE, TWO]],
] as const) {
  test(`a file with ${what}`, () => {
    assert.deepEqual(readClusterSecret({ ...NONE, clusterSecretFile: fileWith(content) })?.secrets, secrets);
  });
}

for (const [what, content, reason] of [
  ["nothing", "\n", /lines=0/],
  ["a secret that is too short", "secret", /line=1, characters=6.*openssl rand/],
  ["too many lines", `${ONE}\n`.repeat(5), /lines=5, allowed="1 to 4 lines"/],
] as const) {
  test(`a file with ${what} is refused, without the secret`, () => {
    const read = () => readClusterSecret({ ...NONE, clusterSecretFile: fileWith(content) });
    assert.throws(read, reason);
    assert.throws(read, ({ message }: Error) => !message.includes(ONE) && message.includes("cluster-secret-file"));
  });
}

test("a file that there is not is refused with its name", () => {
  assert.throws(() => readClusterSecret({ ...NONE, clusterSecretFile: "/nowhere/secret" }), /file=\/nowhere\/secret/);
});

test("two ways at once, and an optional secret without one, are refused", () => {
  const file = fileWith(ONE);
  assert.throws(
    () => readClusterSecret({ ...NONE, clusterSecret: ONE, clusterSecretFile: file }),
    /key=cluster-secret/,
  );
  assert.throws(() => readClusterSecret({ ...NONE, clusterSecretOptional: true }), /key=cluster-secret-optional/);
});
