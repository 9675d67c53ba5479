import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistryError } from "../../../base/errors.ts";
import type { NacosClient } from "../part.ts";
import { NOTICES_MAX, Pushes } from "./pushes.ts";

test("the connection of a client for which more notices wait than any has to read is ended", () => {
  const codes: string[] = [];
  const pushes = new Pushes(() => 0);
  const client = {
    isEnded: false,
    pushRequest: () => "blocked",
    fail: ({ code }: RegistryError) => {
      codes.push(code);
      pushes.ended(client);
    },
  } as unknown as NacosClient;
  const push = (name: string) => pushes.push(client, name, { type: "ConfigChangeNotifyRequest", fields: {} });
  for (let count = 0; count < NOTICES_MAX; count++) push(`n${count}`);
  push("n1");
  pushes.check(500);
  assert.deepEqual(codes, []);
  push("more");
  push("even more");
  pushes.check(1_000);
  pushes.check(1_500);
  assert.deepEqual(codes, ["CLIENT_TOO_SLOW"]);
});
