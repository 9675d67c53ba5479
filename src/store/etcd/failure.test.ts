import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { DamagedColumn } from "../columns.ts";
import { asStoreError, EtcdFailure, EtcdRefusal } from "./failure.ts";

const SERVER = "one:2379/roster";

function said(error: unknown, code = "STORE_UNAVAILABLE"): string {
  const outcome = asStoreError(SERVER, error);
  assert.ok(outcome instanceof RegistryError && outcome.code === code, String(outcome));
  assert.ok(outcome.message.includes(SERVER));
  return outcome.message;
}

const coded = (code: unknown, message = "it failed") => Object.assign(new Error(message), { code });

test("an error names the server, the reason, the code, and what to do where that is known", () => {
  assert.match(said(coded("ECONNREFUSED")), /it failed \(ECONNREFUSED\).*that etcd is running there/);
  assert.match(said(coded("ECONNRESET", "read ECONNRESET")), /use etcds:\/\/ in store-url.*use etcd:\/\/ in store-url/);
  assert.match(said(new EtcdRefusal(7, "etcdserver: permission denied")), /permission denied.*grant this user/);
  assert.match(said(new EtcdRefusal(8, "etcdserver: mvcc: database space exceeded")), /defragment/);
  assert.match(said(new EtcdFailure("the answer is not etcd's: 200 hello")), /something else than etcd/);
  assert.doesNotMatch(said(new EtcdFailure("no answer within 3500 ms")), /advice/);
  assert.doesNotMatch(said(coded("XX")), /advice/);
  assert.doesNotMatch(said(coded(7)), /\(7\)/, "no code of the system is a number");
});

test("a host with several addresses gives the reason of each", () => {
  const errors = [coded("ECONNREFUSED", "refused by ::1"), coded("ECONNREFUSED", "refused by 127.0.0.1")];
  assert.match(said(new AggregateError(errors, "")), /refused by ::1.*; refused by 127\.0\.0\.1/);
  assert.match(said("gone"), /gone/);
});

test("a request that is larger than etcd takes is an error of its own, with what to do", () => {
  for (const refusal of [
    new EtcdRefusal(3, "etcdserver: request is too large"),
    new EtcdRefusal(3, "etcdserver: too many operations in txn request"),
    new EtcdRefusal(8, "trying to send message larger than max (2097190 vs. 2097152)"),
  ]) {
    assert.match(said(refusal, "RECORD_TOO_LARGE"), /--max-request-bytes/);
  }
});

test("damage is said as such, and what is our own comes out as it is", () => {
  assert.match(said(new DamagedColumn("the key lease is not JSON"), "STORE_DAMAGED"), /the key lease/);
  for (const own of [fail("STORE_UNAVAILABLE", { reason: "x" }), new InvariantError("a bug")]) {
    assert.equal(asStoreError(SERVER, own), own);
  }
});
