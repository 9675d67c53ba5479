import assert from "node:assert/strict";
import { test } from "node:test";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import { openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import { refusedAs } from "../../../store/testing/testRecords.ts";
import { type NacosInstance, registIdOf } from "./instance.ts";
import { NamingRecords } from "./namingRecords.ts";

const ORDERS = makeServiceKey({ name: "orders", namespace: "", group: "" });
const INSTANCE: NacosInstance = {
  ...{ ip: "10.0.0.1", port: 80, weight: 1, isHealthy: true, isEnabled: true, isEphemeral: true },
  ...{ cluster: "DEFAULT", metadata: new Map(), instanceId: "" },
};
const ADDRESS = registIdOf(INSTANCE);
const silent = () => undefined;
const LOG = { debug: silent, info: silent, warn: silent, error: silent };

async function scene() {
  const records = await openMemoryRecords();
  const node = () => {
    const naming = new NamingRecords({ records, log: LOG });
    naming.check(0);
    return naming;
  };
  return { records, node };
}

test("operators who change different fields of one instance at once, at two nodes, lose no change", async () => {
  const { node } = await scene();
  const [here, there] = [node(), node()];
  await Promise.all([
    here.putChange(ORDERS, ADDRESS, { weight: 7 }),
    there.putChange(ORDERS, ADDRESS, { isEnabled: false }),
    there.putChange(ORDERS, ADDRESS, { metadata: new Map([["a", "b"]]) }),
  ]);
  // The copy of a node that made its own change earlier follows the others.
  await here.putChange(ORDERS, ADDRESS, {});
  const { weight, isEnabled, metadata } = here.changed(ORDERS, ADDRESS, INSTANCE);
  assert.deepEqual([weight, isEnabled, [...metadata]], [7, false, [["a", "b"]]]);
});

test("operators who change different fields of one service at once, at two nodes, lose no change", async () => {
  const { node } = await scene();
  const [here, there] = [node(), node()];
  await here.makeService(ORDERS, {});
  await there.putChange(ORDERS, ADDRESS, {});
  const outcomes = await Promise.all([
    here.changeService(ORDERS, { protectThreshold: 0.5 }),
    there.changeService(ORDERS, { metadata: new Map([["a", "b"]]) }),
  ]);
  await here.putChange(ORDERS, ADDRESS, {});
  const service = here.service(ORDERS);
  assert.deepEqual(
    [outcomes, service?.protectThreshold, [...(service?.metadata ?? [])]],
    [[true, true], 0.5, [["a", "b"]]],
  );
});

test("a service that another operator removes meanwhile is not made again by a change", async () => {
  const { node } = await scene();
  const [here, there] = [node(), node()];
  await here.makeService(ORDERS, {});
  await there.putChange(ORDERS, ADDRESS, {});
  const [, isChanged] = await Promise.all([
    here.removeService(ORDERS),
    there.changeService(ORDERS, { protectThreshold: 0.5 }),
  ]);
  assert.deepEqual([isChanged, there.service(ORDERS)], [false, undefined]);
});

test("an operator whose change is overtaken each time is refused in the end", async () => {
  const { records } = await scene();
  let commits = 0;
  const overtaken: typeof records = Object.assign(Object.create(records), {
    range: records.range.bind(records),
    changes: records.changes.bind(records),
    watch: records.watch.bind(records),
    commit: async ({ conditions: [condition] }: Parameters<typeof records.commit>[0]) => {
      commits++;
      return { kind: "refused", condition };
    },
  });
  const naming = new NamingRecords({ records: overtaken, log: LOG });
  const put = naming.putChange(ORDERS, ADDRESS, { weight: 7 });
  await assert.rejects(put, refusedAs("STORE_UNAVAILABLE", "reason"));
  assert.equal(commits, 10);
});

test("a record that was changed since it was read is not removed", async () => {
  const { node } = await scene();
  const naming = node();
  await naming.putChange(ORDERS, ADDRESS, { weight: 7 });
  const [read] = naming.changesAfter("", 10);
  assert.ok(read !== undefined);
  await naming.putChange(ORDERS, ADDRESS, { weight: 8 });
  await naming.removeChanges([read.record]);
  assert.equal(naming.changed(ORDERS, ADDRESS, INSTANCE).weight, 8);
  await naming.removeChanges(naming.changesAfter("", 10).map(({ record }) => record));
  assert.equal(naming.changed(ORDERS, ADDRESS, INSTANCE).weight, 1);
});
