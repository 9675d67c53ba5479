import assert from "node:assert/strict";
import { test } from "node:test";
import { JuteReader } from "../../../encoding/jute/reader.ts";
import { JuteWriter } from "../../../encoding/jute/writer.ts";
import { nodeId } from "../../../model/ids.ts";
import { OPERATION } from "../../../protocols/zookeeper/codec/operations.ts";
import { drawTreePlan } from "../../drawTreePlan.ts";
import { Dice } from "../../random.ts";
import { Scheduler } from "../../scheduler.ts";
import type { Answer } from "./treeConnection.ts";
import { TreeWork } from "./treeWork.ts";

const TURN = "l-z1-0000000000";
// More than any act needs until one of them is for the lock.
const ACTS_MAX = 1_000;

const answered = (write: (to: JuteWriter) => void): Answer => {
  const to = new JuteWriter();
  write(to);
  return { code: 0, zxid: 1, body: new JuteReader(to.done()) };
};

/** The work of a client that wants the lock: its question for the turns waits until `first` is called. */
function locking() {
  const told: string[] = [];
  let list: ((answer: Answer | undefined) => void) | undefined;
  const on = { client: "z1", session: 7, connection: 1, node: nodeId("s1.1") };
  const client = {
    ...{ name: "z1", session: 7, on, waiting: 0, isDead: false },
    ask: (type: number, write: (to: JuteWriter) => void, done: (answer: Answer | undefined) => void) => {
      const asked = new JuteWriter();
      write(asked);
      const path = new JuteReader(asked.done()).string();
      if (type === OPERATION.create && path === "/lock/l-z1-")
        return done(answered((to) => to.string(`/lock/${TURN}`)));
      if (type === OPERATION.getChildren && path === "/lock") list = done;
      else done(undefined);
    },
    watched: () => undefined,
    watches: () => true,
    close: () => void told.push("closes"),
  };
  const dice = new Dice(1);
  const record = (fact: { kind: string; event?: unknown }) => {
    if (JSON.stringify(fact.event ?? "").includes("held")) told.push("held");
  };
  const work = new TreeWork({ plan: drawTreePlan(new Dice(1)), scheduler: new Scheduler(0), dice, record }, client);
  for (let acts = 0; list === undefined && acts < ACTS_MAX; acts++) work.act();
  const first = () => list?.(answered((to) => to.int(1).string(TURN)));
  return { work, first, told };
}

test("a client that asks for the end of its session gives the lock up before", () => {
  const { work, first, told } = locking();
  first();
  work.close();
  assert.deepEqual(told, ["held", "closes"]);
});

test("a client that has asked for the end of its session does not take the lock any more", () => {
  const { work, first, told } = locking();
  work.close();
  first();
  work.lost();
  assert.deepEqual(told, ["closes"]);
});
