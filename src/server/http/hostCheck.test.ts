import assert from "node:assert/strict";
import { test } from "node:test";
import { configWith } from "../config/load.ts";
import { foreignHost, hostNamesOf } from "./hostCheck.ts";

const NAMES = hostNamesOf(
  configWith({
    advertiseAddress: "registry.example.com",
    metaAddresses: ["m1.example.com:9620"],
    hostNames: ["Dev.Test"],
  }),
);

const CHECKED = { names: NAMES, areCredentialsChecked: true };

function isRefused(host: string | undefined, remoteAddress = "127.0.0.1", authorization?: string): boolean {
  return foreignHost({ headers: { host, authorization }, socket: { remoteAddress } }, CHECKED) !== undefined;
}

for (const host of [
  "evil.example.com",
  "evil.example.com:9604",
  "127.0.0.1.evil.com",
  "localhost.evil.com",
  "a@b",
  "",
]) {
  test(`a page of "${host}" that resolves to this machine is refused`, () => {
    assert.ok(isRefused(host));
    assert.ok(isRefused(host, "::1"));
    assert.ok(isRefused(host, "::ffff:127.0.0.1"));
    assert.ok(isRefused(host, "127.0.0.2"));
  });
}

for (const host of [
  "127.0.0.1",
  "127.0.0.1:9604",
  "[::1]:9604",
  "localhost",
  "LOCALHOST:9604",
  "roster.localhost:1",
  "10.0.0.7:9604",
  "registry.example.com:9603",
  "m1.example.com:9615",
  "dev.test",
  undefined,
]) {
  test(`${host ?? "no host"} names this machine`, () => assert.ok(!isRefused(host)));
}

test("from another machine any name will do, and with credentials too", () => {
  assert.ok(!isRefused("registry", "10.0.0.9"));
  assert.ok(!isRefused("registry", "127.0.0.1", "Bearer x"));
});

test("credentials that are not looked at prove nothing: a page may send any", () => {
  const request = { headers: { host: "evil.example.com", authorization: "x" }, socket: { remoteAddress: "127.0.0.1" } };
  assert.notEqual(foreignHost(request, { names: NAMES, areCredentialsChecked: false }), undefined);
});

test("a page that resolves to another address of this machine is refused too", () => {
  const socket = { remoteAddress: "10.0.0.7", localAddress: "10.0.0.7" };
  assert.notEqual(foreignHost({ headers: { host: "evil.example.com" }, socket }, CHECKED), undefined);
  assert.equal(foreignHost({ headers: { host: "10.0.0.7:9615" }, socket }, CHECKED), undefined);
});

test("the refusal names the host and the setting", () => {
  const request = { headers: { host: "x.example.com" }, socket: { remoteAddress: "127.0.0.1" } };
  assert.match(foreignHost(request, CHECKED)?.message ?? "", /host=x\.example\.com, expected=.*host-names/);
});
