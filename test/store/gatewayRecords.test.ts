// The protocols' records with several meta nodes on one database: each of them answers, whether it leads or not.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { gatewayPrefix } from "../../src/records/gatewayRecords.ts";
import { RecordCopy } from "../../src/records/recordCopy.ts";
import type { Commit } from "../../src/records/records.ts";
import { eventually } from "../../src/server/testing/eventually.ts";
import { RecordsGateway } from "../../src/server/testing/recordsGateway.ts";
import { TestNodes } from "../../src/server/testing/testNodes.ts";
import { put, textOf } from "../../src/store/testing/testRecords.ts";
import { withPostgres } from "./withPostgres.ts";

const probe = new RecordsGateway();
const nodes = new TestNodes([probe.gateway]);
after(() => nodes.close());

const PREFIX = gatewayPrefix("probe");
const putting = (value: string): Commit => ({ conditions: [], operations: [put(`${PREFIX}a`, value)] });
const failed = (error: unknown) => assert.fail(String(error));

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const listener = createServer().listen(0, "127.0.0.1", () => {
      const address = listener.address();
      listener.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

await withPostgres("records of protocols", (server) => {
  test("nodes on different meta nodes see each other's commits, and go on when a meta node ends", async () => {
    const ports = [await freePort(), await freePort()] as const;
    const metaAddresses = ports.map((port) => `127.0.0.1:${port}`);
    const at = { metaAddresses, storeUrl: server.url };
    const first = await nodes.start(["meta", "data"], { ...at, nodePort: ports[0] });
    await nodes.start(["meta"], { ...at, nodePort: ports[1] });
    const sessions = [];
    for (const nodeName of ["s1", "s2", "s3"]) sessions.push(await probe.session(nodes, { metaAddresses, nodeName }));
    const copies = sessions.map(({ records }) => new RecordCopy({ records, prefix: PREFIX, recordsMax: 100, failed }));
    for (const copy of copies) {
      await eventually(
        () => copy.begin().then(() => copy.isRead),
        (isRead) => isRead,
      );
    }
    const delays: number[] = [];
    const writeAndSee = async (value: string) => {
      const [writer] = copies;
      const outcome = await writer?.commit(putting(value));
      const sinceMs = performance.now();
      assert.ok(outcome?.kind === "committed");
      await Promise.all(copies.map((copy) => copy.whenReached(outcome.revision)));
      delays.push(performance.now() - sinceMs);
      for (const copy of copies) assert.equal(textOf(copy.get(`${PREFIX}a`)?.value ?? new Uint8Array()), value);
    };
    for (let count = 0; count < 20; count++) await writeAndSee(String(count));
    delays.sort((a, b) => a - b);
    assert.ok((delays[10] ?? 0) < 50, `half of them took ${delays[10]} ms`);
    await nodes.stop(first);
    await eventually(
      () =>
        writeAndSee("after").then(
          () => true,
          () => false,
        ),
      (isMade) => isMade,
    );
    await writeAndSee("at last");
    for (const copy of copies) copy.close();
  });
});
