import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId, HOST_NUMBERS, haveDifferentHosts, hostNumberOf, UNKNOWN_HOST } from "./ids.ts";

test("the number of a host is the same in every release, whichever connection it is", () => {
  assert.equal(hostNumberOf(clientId("10.0.0.7:1_10.1.0.1:9600")), 480);
  assert.equal(hostNumberOf(clientId("10.0.0.7:65535_10.1.0.2:9600#2")), 480);
  assert.equal(hostNumberOf(clientId("[fd00::7]:1_[fd00::1]:9600")), 2095);
  assert.equal(hostNumberOf(clientId("c1")), UNKNOWN_HOST);
});

test("hosts of a network have numbers of their own, within their bound, but for a few", () => {
  const clients = Array.from({ length: 254 }, (_, at) => clientId(`10.0.0.${at + 1}:1_10.1.0.1:9600`));
  const numbers = clients.map(hostNumberOf);
  assert.ok(numbers.every((number) => number >= 1 && number <= HOST_NUMBERS));
  assert.ok(new Set(numbers).size > 235, `${new Set(numbers).size} numbers`);
});

test("connections whose ids name no host are not told apart", () => {
  const [one, other] = [clientId("10.0.0.7:1_10.1.0.1:9600"), clientId("10.0.0.8:1_10.1.0.1:9600")];
  assert.ok(haveDifferentHosts(one, other));
  assert.ok(!haveDifferentHosts(one, clientId("10.0.0.7:2_10.1.0.2:9600")));
  assert.ok(!haveDifferentHosts(one, clientId("c1")) && !haveDifferentHosts(clientId("c1"), other));
});
