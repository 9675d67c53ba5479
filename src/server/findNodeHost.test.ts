// The host that a node names for its peers; the sockets are real, and nothing is sent.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { localAddressTo } from "../transport/localAddressTo.ts";
import { findNodeHost } from "./findNodeHost.ts";

const UNKNOWN_HOST = "there is no such host";
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

/** A node that listens on every address, with nothing configured. */
const EVERYWHERE = { advertiseNodeAddress: "", bind: "0.0.0.0", metaAddresses: ["127.0.0.1:29611"] };

test("the address that is configured counts, whatever is listened on", async () => {
  assert.equal(
    await findNodeHost({ ...EVERYWHERE, advertiseNodeAddress: "roster-1.example.org" }),
    "roster-1.example.org",
  );
  assert.equal(await findNodeHost({ ...EVERYWHERE, advertiseNodeAddress: "n1", bind: "10.0.0.1" }), "n1");
});

test("else the address that is listened on, if it is one", async () => {
  assert.equal(await findNodeHost({ ...EVERYWHERE, bind: "10.0.0.1" }), "10.0.0.1");
});

test("a node that listens on every address is reached by the one on its way to the meta nodes", async () => {
  for (const bind of ["0.0.0.0", "::", "[::]"]) assert.equal(await findNodeHost({ ...EVERYWHERE, bind }), "127.0.0.1");
});

test("a meta node whose name is not known is passed over for the next one", async () => {
  const metaAddresses = [`${UNKNOWN_HOST}:29611`, "127.0.0.1:29611"];
  assert.equal(await findNodeHost({ ...EVERYWHERE, metaAddresses }), "127.0.0.1");
});

test("a node that can't find its address out says which key to set", async () => {
  for (const metaAddresses of [[], [`${UNKNOWN_HOST}:29611`]]) {
    await assert.rejects(findNodeHost({ ...EVERYWHERE, metaAddresses }), (error) => {
      assert.ok(error instanceof RegistryError && error.code === "CONFIG_INVALID");
      assert.match(error.message, /advertise-node-address/);
      return true;
    });
  }
});

test("the way to a host ends at an address of this machine of the same family", async () => {
  assert.equal(await localAddressTo("127.0.0.1"), "127.0.0.1");
  assert.equal(await localAddressTo("::1"), hasIpv6 ? "::1" : undefined);
});

test("to a host that has no name there is no way", async () => {
  assert.equal(await localAddressTo(UNKNOWN_HOST), undefined);
});

test("where the system has no way to an address there is none, and the socket is not left open", async () => {
  // Limited broadcast: a socket without that option may not even name it.
  assert.equal(await localAddressTo("255.255.255.255"), undefined);
});
