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

for (const [parameters, named] of [
  ["sslmode=prefer", /parameter=sslmode, allowed="disable, require, verify-ca, verify-full"/],
  ["sslmode=verify-ca", /parameter=sslrootcert/],
  ["sslmode=require&sslrootcert=/nowhere/ca.pem", /parameter=sslrootcert, reason=.*ENOENT/],
  ["sslmode=disable&sslrootcert=package.json", /parameter=sslmode, allowed="require, verify-ca/],
  ["sslmode=require&sslcert=package.json", /parameter=sslcert, allowed="sslcert and sslkey together"/],
  ["sslmode=require&sslpassword=secret", /parameter=sslpassword/],
  ["ssl=true", /parameter=ssl,/],
] as const) {
  test(`TLS that can't be meant is refused with its parameter: ${parameters}`, () => {
    assert.throws(
      () => targetOf(`postgres://u:secret@h/d?${parameters}`, "roster"),
      ({ message }: Error) => named.test(message) && !message.includes("secret"),
    );
  });
}

test("the parameters of TLS are not left to the driver, and all others are", () => {
  const { url, tls } = targetOf("postgres://u:secret@h/d?sslmode=require&application_name=x", "roster");
  assert.equal(url, "postgres://u:secret@h/d?application_name=x");
  assert.notEqual(tls, false);
  assert.equal(targetOf("postgres://h/d", "roster").tls, false);
});
