import assert from "node:assert/strict";
import { test } from "node:test";
import { localAddressTo } from "./localAddressTo.ts";

test("the address on the way to a host is this machine's, and there is none where there is no way", async () => {
  assert.equal(await localAddressTo("127.0.0.1"), "127.0.0.1");
  assert.equal(await localAddressTo("no-such-host.invalid"), undefined);
  // A datagram socket may not be connected to a broadcast address.
  assert.equal(await localAddressTo("255.255.255.255"), undefined);
});
