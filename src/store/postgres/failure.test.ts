import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { DamagedColumn } from "../columns.ts";
import { asStoreError } from "./failure.ts";

const SERVER = "db.example.org:5432/roster";

function said(error: unknown): string {
  const outcome = asStoreError(SERVER, error);
  assert.ok(outcome instanceof RegistryError && outcome.code === "STORE_UNAVAILABLE");
  return outcome.message;
}

const coded = (code: unknown, message = "it failed") => Object.assign(new Error(message), { code });

test("an error names the server, the reason, the code, and what to do where that is known", () => {
  assert.match(said(coded("28P01")), /db\.example\.org:5432\/roster.*it failed.*28P01.*check user and password/);
  assert.match(said(coded("ECONNREFUSED")), /ECONNREFUSED.*that PostgreSQL is running there/);
  const unknown = said(coded("XX000"));
  assert.match(unknown, /XX000/);
  assert.doesNotMatch(unknown, /advice/);
  assert.doesNotMatch(said(new Error("it failed")), /code|advice/);
  assert.doesNotMatch(said(coded(7)), /code/, "no code of theirs is a number");
});

test("what the driver only says in words is understood too, before its code", () => {
  assert.match(said(new Error("timeout expired")), /nothing answers/);
  assert.match(said(coded("28P01", "password must be a non-empty string")), /PGPASSWORD/);
  assert.doesNotMatch(said(new Error("the timeout expired")), /nothing answers/);
});

test("a host with several addresses gives the reason of each", () => {
  const errors = [coded("ECONNREFUSED", "refused by ::1"), coded("ECONNREFUSED", "refused by 127.0.0.1")];
  assert.match(said(new AggregateError(errors, "")), /refused by ::1; refused by 127\.0\.0\.1/);
  assert.match(said(new AggregateError(errors, "all of them")), /all of them/);
});

test("what is thrown and no error is a reason all the same", () => {
  assert.match(said("gone"), /gone/);
});

test("damage is said as such, and what is our own comes out as it is", () => {
  const damage = asStoreError(SERVER, new DamagedColumn("table config, row 1: x"));
  assert.ok(damage instanceof RegistryError && damage.code === "STORE_DAMAGED" && damage.message.includes(SERVER));
  for (const own of [fail("STORE_UNAVAILABLE", { reason: "x" }), new InvariantError("a bug")]) {
    assert.equal(asStoreError(SERVER, own), own);
  }
});
