// Communication between roles of two processes, or of one: links on virtual wires, the roles played by the test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defined } from "../../base/assert.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import { brandServiceKey, nodeId } from "../../model/ids.ts";
import { LocalNetwork } from "../../transport/localNetwork.ts";
import type { NodeRole } from "../messages/hello.ts";
import type { Heartbeat } from "../messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../messages/replication.ts";
import type { DataToSession, SessionToData } from "../messages/sessionData.ts";
import { LINK_TIMES } from "./link.ts";
import { type LocalRoles, NodeNetwork } from "./nodeNetwork.ts";
import { TestNetwork, TestTime } from "./testing/wires.ts";

const ORDERS = brandServiceKey("orders#@#I#@#G");
const FETCH: SessionToData = { kind: "fetch", serviceKey: ORDERS, have: { version: 3n, origin: 1n } };
const CURRENT: DataToSession = { kind: "current", serviceKey: ORDERS };
const FOLLOW: FollowerToLeader = { kind: "follow", slot: 1, leaderEpoch: 2n, kept: [] };
const NOT_LEADER: LeaderToFollower = { kind: "notLeader", slot: 1, leaderEpoch: 2n };

const heartbeat = (role: "data" | "session"): Heartbeat => {
  const slots = { serving: [1], held: [], inSync: [2] };
  const members = { epoch: 0n, serial: 0 };
  const rest = role === "data" ? { slots, newestVersion: 4n } : {};
  return { kind: "heartbeat", role, address: "a:1", tableEpoch: 3n, members, isLeaving: false, ...rest };
};

const nothing = () => undefined;
const LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** All processes of a test. */
class Cluster {
  readonly time = new TestTime();
  readonly #nets = new Map<string, TestNetwork>();

  netAt(address: string): TestNetwork {
    const net = this.#nets.get(address) ?? new TestNetwork(this.time);
    this.#nets.set(address, net);
    return net;
  }

  /** A process with these roles, which can be reached at `<name>:1`, and the events of its roles. */
  start(name: string, roles: readonly NodeRole[], metas: readonly string[] = []) {
    const address = `${name}:1`;
    const id = nodeId(`${name}.a`);
    const heard: string[] = [];
    const events: Record<NodeRole, unknown[]> = { meta: [], data: [], session: [] };
    const metrics = new Map<string, number>();
    const measure = (metric: string, value: number, labels?: object) =>
      void metrics.set(`${metric} ${JSON.stringify(labels ?? {})}`, value);
    const network = new NodeNetwork(
      { id, clusterName: "c", slotCount: 16, roles, address, metaAddresses: metas.map((meta) => `${meta}:1`) },
      {
        clock: this.time,
        timers: this.time,
        log: LOG,
        metrics: { ...noMetrics, add: measure, set: measure },
        times: LINK_TIMES,
        local: new LocalNetwork(this.time),
        failed: (error) => assert.ifError(error),
        random: { next: () => 0.5 },
        dial: (to, outcome) => this.netAt(to).dial(to, outcome),
      },
    );
    this.netAt(address).accept = (connection, nowMs) => network.accept(connection, nowMs);
    const door = (role: NodeRole) => (event: { readonly kind: string }) => {
      heard.push(`${role} ${event.kind}`);
      events[role].push(event);
    };
    const doors: LocalRoles = {
      ...(roles.includes("meta") && { meta: door("meta") }),
      ...(roles.includes("data") && { data: door("data") }),
      ...(roles.includes("session") && { session: door("session") }),
    };
    network.attach(doors);
    network.begin();
    const last = (role: NodeRole) => events[role].at(-1);
    return { id, address, network, heard, metrics, last, member: { id, address } };
  }

  /** Lets time pass, and delivers everything that was sent. */
  async pass(ms = 50): Promise<void> {
    for (let left = ms; left > 0; left--) {
      this.time.run(1);
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }
}

type Process = ReturnType<Cluster["start"]>;

const asData = ({ member }: Process) => ({ ...member, role: "data" }) as const;

test("bytes that wait for nodes are summed up, on links that were dialled and that were accepted", async () => {
  const cluster = new Cluster();
  const meta = cluster.start("m", ["meta"]);
  const node = cluster.start("n", ["data", "session"], ["m"]);
  await cluster.pass();
  assert.deepEqual([node.network.waitingBytes, meta.network.waitingBytes], [0, 0]);
  for (const [dialled, accepted] of cluster.netAt(meta.address).wires) {
    dialled.bufferedBytes = 100;
    accepted.bufferedBytes = 7;
  }
  assert.deepEqual([node.network.waitingBytes, meta.network.waitingBytes], [200, 14]);
});

test("members reach a meta node elsewhere, each role by a link of its own, and are answered on it", async () => {
  const cluster = new Cluster();
  const meta = cluster.start("m", ["meta"]);
  const node = cluster.start("n", ["data", "session"], ["m"]);
  assert.ok(!node.network.hasMeta);
  await cluster.pass();
  assert.ok(node.network.hasMeta);
  assert.deepEqual(node.heard.splice(0).sort(), ["data metaUp", "session metaUp"]);
  assert.deepEqual(meta.heard.splice(0), ["meta memberUp", "meta memberUp"]);
  for (const role of ["data", "session"] as const) {
    node.network[role === "data" ? "dataOutput" : "sessionOutput"].toMeta(heartbeat(role));
    await cluster.pass();
    const from = { id: node.id, role };
    assert.deepEqual(meta.last("meta"), { kind: "received", from, message: heartbeat(role) });
    meta.network.toMember(from, { kind: "refused", reason: role });
    await cluster.pass();
    assert.deepEqual(node.heard.splice(0), [`${role} fromMeta`]);
    assert.deepEqual(node.last(role), { kind: "fromMeta", message: { kind: "refused", reason: role } });
  }
});

test("a meta role in the same process needs no link, and is there at once", async () => {
  const cluster = new Cluster();
  const node = cluster.start("n", ["meta", "data", "session"]);
  assert.ok(node.network.hasMeta);
  await cluster.pass(1);
  assert.deepEqual(node.heard.splice(0), ["meta memberUp", "data metaUp", "meta memberUp", "session metaUp"]);
  node.network.dataOutput.toMeta(heartbeat("data"));
  node.network.toMember({ id: node.id, role: "session" }, { kind: "refused", reason: "r" });
  assert.deepEqual(node.heard, [], "nothing is delivered in the step that sends it");
  await cluster.pass(1);
  assert.deepEqual(node.heard, ["meta received", "session fromMeta"]);
  assert.deepEqual(node.last("meta"), {
    kind: "received",
    from: { id: node.id, role: "data" },
    message: heartbeat("data"),
  });
});

test("what a member says goes to every meta node, here and elsewhere", async () => {
  const cluster = new Cluster();
  const other = cluster.start("m", ["meta"]);
  const node = cluster.start("n", ["meta", "data"], ["m"]);
  await cluster.pass();
  for (const one of [other, node]) one.heard.splice(0);
  node.network.dataOutput.toMeta(heartbeat("data"));
  await cluster.pass();
  assert.deepEqual([other.heard, node.heard], [["meta received"], ["meta received"]]);
});

test("a session reaches a data node while it is asked to, and both hear of the link and its end", async () => {
  const cluster = new Cluster();
  const data = cluster.start("d", ["data"]);
  const session = cluster.start("s", ["session"]);
  const output = session.network.sessionOutput;
  output.toData(data.id, FETCH);
  output.linkData([asData(data)]);
  await cluster.pass();
  assert.deepEqual([session.heard.splice(0), data.heard.splice(0)], [["session dataUp"], ["data sessionUp"]]);
  output.toData(data.id, FETCH);
  data.network.dataOutput.toSession(session.id, CURRENT);
  await cluster.pass();
  assert.deepEqual(data.last("data"), { kind: "fromSession", from: session.id, message: FETCH });
  assert.deepEqual(session.last("session"), { kind: "fromData", from: data.id, message: CURRENT });
  output.linkData([]);
  await cluster.pass(5_000);
  assert.deepEqual(session.heard, ["session fromData", "session dataDown"]);
  assert.deepEqual(data.heard, ["data fromSession", "data sessionDown"]);
  assert.deepEqual(session.last("session"), { kind: "dataDown", node: data.id });
  data.network.dataOutput.toSession(session.id, CURRENT);
  await cluster.pass();
  assert.equal(session.heard.length, 2, "what can't be delivered is lost");
});

test("session and data role of one process have a link as others do: it is made, used and ended", async () => {
  const cluster = new Cluster();
  const node = cluster.start("n", ["data", "session"]);
  const { sessionOutput, dataOutput } = node.network;
  sessionOutput.linkData([asData(node)]);
  sessionOutput.linkData([asData(node)]);
  await cluster.pass();
  assert.deepEqual(node.heard.splice(0), ["data sessionUp", "session dataUp"]);
  assert.deepEqual(cluster.netAt(node.address).dialsMs, [], "nobody dials himself");
  sessionOutput.toData(node.id, FETCH);
  dataOutput.toSession(node.id, CURRENT);
  await cluster.pass(1);
  assert.deepEqual(node.last("data"), { kind: "fromSession", from: node.id, message: FETCH });
  assert.deepEqual(node.last("session"), { kind: "fromData", from: node.id, message: CURRENT });
  node.heard.splice(0);
  sessionOutput.linkData([]);
  await cluster.pass(1);
  assert.deepEqual(node.heard, ["data sessionDown", "session dataDown"]);
});

test("a process without the role data has no link to itself, whatever it is asked", async () => {
  const cluster = new Cluster();
  const node = cluster.start("n", ["session"]);
  node.network.sessionOutput.linkData([asData(node)]);
  await cluster.pass();
  assert.deepEqual(node.heard, []);
});

test("a follower reaches its leader, and never itself", async () => {
  const cluster = new Cluster();
  const leader = cluster.start("l", ["data"]);
  const follower = cluster.start("f", ["data"]);
  follower.network.dataOutput.linkLeaders([asData(leader), asData(follower)]);
  await cluster.pass();
  assert.deepEqual([follower.heard.splice(0), leader.heard.splice(0)], [["data leaderUp"], ["data followerUp"]]);
  assert.deepEqual(cluster.netAt(follower.address).dialsMs, []);
  follower.network.dataOutput.toLeader(leader.id, FOLLOW);
  leader.network.dataOutput.toFollower(follower.id, NOT_LEADER);
  await cluster.pass();
  assert.deepEqual(leader.last("data"), { kind: "fromFollower", from: follower.id, message: FOLLOW });
  assert.deepEqual(follower.last("data"), { kind: "fromLeader", from: leader.id, message: NOT_LEADER });
  leader.network.close();
  await cluster.pass();
  assert.deepEqual(follower.last("data"), { kind: "leaderDown", node: leader.id });
  assert.ok(!leader.heard.includes("data followerDown"), "who has closed is told nothing any more");
});

test("a leader hears that its follower is gone, and a meta node that a member is", async () => {
  const cluster = new Cluster();
  const one = cluster.start("m", ["meta", "data"]);
  const node = cluster.start("n", ["data"], ["m"]);
  node.network.dataOutput.linkLeaders([asData(one)]);
  await cluster.pass();
  assert.ok(["meta memberUp", "data followerUp"].every((event) => one.heard.includes(event)));
  node.network.close();
  await cluster.pass();
  assert.deepEqual(one.last("data"), { kind: "followerDown", node: node.id });
  assert.deepEqual(one.last("meta"), { kind: "memberDown", member: { id: node.id, role: "data" } });
});

test("a member whose meta node is gone says so, and says that it is back", async () => {
  const cluster = new Cluster();
  const meta = cluster.start("m", ["meta"]);
  const node = cluster.start("n", ["session"], ["m"]);
  await cluster.pass();
  meta.network.close();
  await cluster.pass();
  assert.ok(!node.network.hasMeta);
  cluster.start("m", ["meta"]);
  await cluster.pass(3_000);
  assert.ok(node.network.hasMeta);
  assert.deepEqual(node.heard, ["session metaUp", "session metaUp"]);
});

test("links are counted by what they are for, those that are up and those that were lost", async () => {
  const cluster = new Cluster();
  const data = cluster.start("d", ["data"]);
  const session = cluster.start("s", ["session"]);
  const counted = ({ metrics }: Process, metric: string) => metrics.get(`${metric} {"link":"data"}`);
  session.network.sessionOutput.linkData([asData(data)]);
  await cluster.pass();
  for (const one of [data, session]) assert.equal(counted(one, "roster_node_links"), 1);
  assert.equal(counted(data, "roster_node_links_lost_total"), undefined);
  session.network.sessionOutput.linkData([]);
  await cluster.pass(5_000);
  for (const one of [data, session]) {
    assert.deepEqual([counted(one, "roster_node_links"), counted(one, "roster_node_links_lost_total")], [0, 1]);
  }
});

test("what is sent is counted, in messages and bytes", async () => {
  const cluster = new Cluster();
  const data = cluster.start("d", ["data"]);
  const session = cluster.start("s", ["session"]);
  session.network.sessionOutput.linkData([asData(data)]);
  await cluster.pass();
  const sent = data.metrics.get('roster_node_messages_sent_total {"message":"roster.DataToSession"}');
  data.network.dataOutput.toSession(session.id, CURRENT);
  await cluster.pass();
  assert.equal(sent, undefined);
  assert.equal(data.metrics.get('roster_node_messages_sent_total {"message":"roster.DataToSession"}'), 1);
  assert.ok(defined(data.metrics.get('roster_node_bytes_sent_total {"message":"roster.DataToSession"}'), "bytes") > 0);
});

test("after its close a process delivers nothing, neither from itself nor from others", async () => {
  const cluster = new Cluster();
  const node = cluster.start("n", ["meta", "data", "session"]);
  await cluster.pass();
  node.heard.splice(0);
  node.network.sessionOutput.toData(node.id, FETCH);
  node.network.close();
  node.network.close();
  await cluster.pass(5_000);
  assert.deepEqual(node.heard, []);
});

test("a leading meta node tells the others the membership, each list once, and a newcomer the last one", async () => {
  const cluster = new Cluster();
  const [first, second] = ["m1", "m2"].map((name) => cluster.start(name, ["meta"], ["m1", "m2"]));
  assert.ok(first !== undefined && second !== undefined);
  await cluster.pass();
  const listOf = (serial: number) => ({ epoch: 1n, serial, list: [] });
  const tell = async (serial: number) => {
    const members = listOf(serial);
    for (const name of ["s1.a", "s2.a"]) {
      first.network.toMember({ id: nodeId(name), role: "session" }, { kind: "members", members });
    }
    await cluster.pass();
  };
  await tell(2);
  assert.deepEqual(second.network.metaPeers?.members, listOf(2));
  await tell(1);
  assert.deepEqual(second.network.metaPeers?.members, listOf(2), "an older one is none");
  await tell(3);
  const third = cluster.start("m3", ["meta"], ["m1"]);
  await cluster.pass();
  assert.deepEqual(third.network.metaPeers?.members, listOf(3));
});
