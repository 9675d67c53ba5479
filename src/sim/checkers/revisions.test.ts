import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../../model/ids.ts";
import { Revisions } from "./revisions.ts";

test("an answer as of an earlier revision than the node had seen when it asked is found", () => {
  const see = (revision: bigint, before: bigint) =>
    new Revisions().see({ kind: "readRecords", node: nodeId("m1.a"), revision, before });
  assert.equal(see(7n, 7n), undefined);
  assert.equal(see(8n, 7n), undefined);
  assert.match(see(6n, 7n)?.text ?? "", /m1\.a is answered as of revision 6 after 7/);
});
