import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { targetOf } from "./target.ts";

const serverOf = (url: string) => targetOf(url, "roster").server;

test("a server is named by host, port and database, without user and password", () => {
  assert.equal(serverOf("postgres://u:secret@db.example.org:6432/roster"), "db.example.org:6432/roster");
  assert.equal(serverOf("postgresql://u:secret@db.example.org/roster"), "db.example.org:5432/roster");
  assert.equal(serverOf("postgres:///roster"), "localhost:5432/roster");
  assert.equal(serverOf("postgres:///roster?host=/run/postgresql&port=6000"), "/run/postgresql:6000/roster");
});

test("what is no URL of PostgreSQL is refused, and not repeated", () => {
  for (const url of ["", "db.example.org", "mysql://u:secret@h/d", "http://u:secret@h/d"]) {
    assert.throws(
      () => targetOf(url, "roster"),
      (error) => {
        assert.ok(error instanceof RegistryError && error.code === "CONFIG_INVALID");
        assert.doesNotMatch(error.message, /secret/);
        return /store-url/.test(error.message);
      },
    );
  }
});

test("a schema is a name that PostgreSQL takes as it is", () => {
  const url = "postgres://h/d";
  for (const schema of ["roster", "_r", "r2_d2", "r".repeat(63)]) assert.equal(targetOf(url, schema).schema, schema);
  for (const schema of ["", "2r", "Roster", "pg_roster", 'r"', "r-2", "r".repeat(64)]) {
    assert.throws(
      () => targetOf(url, schema),
      (error) => error instanceof RegistryError && error.code === "CONFIG_INVALID" && /schema/.test(error.message),
    );
  }
});
