import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { ETCD_URL_FORM, etcdTargetOf } from "./target.ts";

function refused(url: string, ...parts: readonly string[]): void {
  assert.throws(
    () => etcdTargetOf(url),
    (error) => {
      assert.ok(error instanceof RegistryError && error.code === "CONFIG_INVALID", String(error));
      for (const part of ["store-url", ...parts]) assert.ok(error.message.includes(part), `${error.message}: ${part}`);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    },
    url,
  );
}

test("members are tried in the order of the URL; a port is 2379 unless it is given", () => {
  const { endpoints } = etcdTargetOf("etcd://one,two:1234,[2001:db8::1],[2001:db8::2]:80,three:80");
  assert.deepEqual(endpoints, [
    "http://one:2379",
    "http://two:1234",
    "http://[2001:db8::1]:2379",
    "http://[2001:db8::2]:80",
    "http://three:80",
  ]);
  assert.deepEqual(etcdTargetOf("etcds://one,two:443").endpoints, ["https://one:2379", "https://two:443"]);
});

test("the prefix is /roster/ unless one is named, and the server is shown without user and password", () => {
  const plain = etcdTargetOf("etcd://user:secret@one,two:1234");
  assert.deepEqual([plain.prefix, plain.server], ["/roster/", "one,two:1234/roster"]);
  const named = etcdTargetOf("etcd://one/a/b/");
  assert.deepEqual([named.prefix, named.server], ["/a/b/", "one/a/b"]);
  assert.equal(etcdTargetOf("etcd://one/").prefix, "/roster/");
});

test("user and password may hold every character, encoded", () => {
  const { login } = etcdTargetOf("etcd://my%20user:p%40ss%3Aw%2Frd:x@one");
  assert.deepEqual(login, { name: "my user", password: "p@ss:w/rd:x" });
  assert.equal(etcdTargetOf("etcd://one").login, undefined);
});

test("history is compacted only if it is asked for", () => {
  assert.equal(etcdTargetOf("etcd://one").compacts, false);
  assert.equal(etcdTargetOf("etcd://one?compact=off").compacts, false);
  assert.equal(etcdTargetOf("etcd://one/p?compact=on").compacts, true);
});

test("the files of TLS are read, and one that can't be is named", () => {
  const dir = mkdtempSync(join(tmpdir(), "roster-target-"));
  const files = ["ca", "cert", "key"].map((name) => join(dir, name));
  for (const file of files) writeFileSync(file, file);
  const [ca, cert, key] = files;
  const { tls } = etcdTargetOf(`etcds://one?cacert=${ca}&cert=${cert}&key=${key}`);
  assert.deepEqual([String(tls.ca), String(tls.cert), String(tls.key)], files);
  refused(`etcds://one?cacert=${join(dir, "missing")}`, "cacert", "ENOENT");
  rmSync(dir, { recursive: true });
});

test("what is no URL of etcd is refused with the form, and not repeated", () => {
  for (const url of [
    "",
    "one",
    "http://u:secret@one",
    "etcd://",
    "etcd://u:secret@",
    "etcd://secret@one",
    "etcd://:secret@one",
    "etcd://u:secret%zz@one",
    "etcd://one,,two",
    "etcd://one:port",
    "etcd://one:123456",
    "etcd://2001:db8::1",
    "etcd://one/a//b",
    "etcd://one/a b",
    "etcd://one?compact=maybe",
    "etcd://one?secret=1",
    "etcd://one?cacert=ca.pem",
    "etcds://one?cert=cert.pem",
    `etcd://${Array.from({ length: 10 }, (_, at) => `m${at}`).join(",")}`,
  ]) {
    refused(url);
  }
  refused("etcd://one?x=y", ETCD_URL_FORM);
});
