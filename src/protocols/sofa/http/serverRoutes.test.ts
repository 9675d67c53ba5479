import assert from "node:assert/strict";
import { test } from "node:test";
import { asked } from "../../../base/testing/asked.ts";
import { nodeId } from "../../../model/ids.ts";
import type { OtherSession } from "../../kit/gateway.ts";
import { clusterOf } from "../../kit/testing/views.ts";
import { type ServersNode, serverRoutes } from "./serverRoutes.ts";

const SELF = nodeId("here.1");
const OTHERS: readonly OtherSession[] = [
  { clientAddress: "10.0.0.2:9600", clients: 7, zone: "Z1" },
  { clientAddress: "10.0.0.3:9600", clients: 2, zone: "Z2" },
];
const SERVICE = { dataInfoId: "orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP" };

/** The routes of a session with five clients, reached at 10.0.0.1. */
function ask(
  name: string,
  { list = "all", ...changes }: Partial<ServersNode> & { list?: "all" | "zone" } = {},
  query = {},
) {
  const node: ServersNode = {
    id: SELF,
    port: () => 9_600,
    advertiseAddress: "",
    isStopping: () => false,
    servesClients: () => true,
    cluster: clusterOf({ zone: "Z1" }),
    connections: () => 5,
    otherSessions: () => OTHERS,
    slot: () => undefined,
    nodeAddress: () => undefined,
    ...changes,
  };
  return asked(serverRoutes(node, "bolt-port", { sofaServerList: list }), `GET /api/servers/${name}`, {
    query,
    localAddress: "10.0.0.1",
  });
}

test("clients are told this session first, as they reached it, and then the others", async () => {
  const servers = ["10.0.0.1:9600", "10.0.0.2:9600", "10.0.0.3:9600"];
  assert.equal((await ask("query")).text, servers.join(";"));
  for (const name of ["query.json", "dataCenter"]) assert.deepEqual((await ask(name)).json, servers);
});

test("an address that is configured is told in place of the one by which a client came", async () => {
  assert.match((await ask("query", { advertiseAddress: "roster.example" })).text, /^roster\.example:9600;/);
});

test("a session that stops does not name itself, and still names the others", async () => {
  assert.equal((await ask("query", { isStopping: () => true })).text, "10.0.0.2:9600;10.0.0.3:9600");
});

test("a session that takes no clients, or that the Java client could not read, is not named", async () => {
  const otherSessions = () =>
    ["", "[fd00::1]:9600", "10.0.0.4:9600"].map((clientAddress) => ({ clientAddress, clients: 0, zone: undefined }));
  assert.equal((await ask("query", { otherSessions })).text, "10.0.0.1:9600;10.0.0.4:9600");
});

test("the weight of a session is how many clients it has, and workers of one address are one", async () => {
  const weights = async (others: readonly OtherSession[]) =>
    (await ask("queryWithWeight", { otherSessions: () => others })).text;
  assert.equal(await weights(OTHERS), "10.0.0.1:9600?weight=5;10.0.0.2:9600?weight=7;10.0.0.3:9600?weight=2");
  assert.equal(
    await weights([{ clientAddress: "10.0.0.1:9600", clients: 4, zone: undefined }]),
    "10.0.0.1:9600?weight=9",
  );
});

test("while one session has not said how many it has, all weigh nothing", async () => {
  const otherSessions = () => [...OTHERS, { clientAddress: "10.0.0.4:9600", clients: undefined, zone: undefined }];
  const { text } = await ask("queryWithWeight", { otherSessions });
  assert.deepEqual(
    text.split(";").map((each) => each.replace(/.*=/, "")),
    ["0", "0", "0", "0"],
  );
});

test("whether it lives, and how many clients it has", async () => {
  assert.deepEqual([(await ask("alive")).text, (await ask("connectionNum")).text], ["OK", "5"]);
});

test("a slot is told with the hosts of its nodes, or their ids, and an epoch beyond 2^53", async () => {
  const slot = () => ({
    id: 7,
    leader: SELF,
    leaderEpoch: 9_007_199_254_740_993n,
    followers: [nodeId("data-2.1"), nodeId("gone.1")],
  });
  const nodeAddress = (node: string) => (node === "data-2.1" ? "10.0.0.9:9620" : undefined);
  const { text } = await ask("slot", { slot, nodeAddress }, SERVICE);
  assert.equal(text, '{"id":7,"leaderEpoch":9007199254740993,"leader":"10.0.0.1","followers":["10.0.0.9","gone.1"]}');
});

test("a slot of no service, or before there is a slot table, is refused in words", async () => {
  assert.match(String((await ask("slot", {}, SERVICE)).refused), /STORE_UNAVAILABLE.*no slot table yet/);
  assert.match(String((await ask("slot")).refused), /FIELD_INVALID.*dataInfoId/);
  assert.match(String((await ask("slot", {}, { dataInfoId: ["a", "b"] })).refused), /FIELD_INVALID.*values=2/);
});

test("a session that operators let take no clients names the others only", async () => {
  const { text } = await ask("query", { servesClients: () => false });
  assert.equal(text, "10.0.0.2:9600;10.0.0.3:9600");
});

test("clients of a zone are told the sessions of that zone, if the setting says so", async () => {
  const own = "10.0.0.1:9600;10.0.0.2:9600";
  const told = async (zone: string | undefined) =>
    (await ask("query", { list: "zone" }, zone === undefined ? {} : { zone })).text;
  assert.equal(await told("Z2"), "10.0.0.3:9600");
  assert.equal(await told("z1"), own, "in small letters too");
  assert.equal(await told(undefined), own, "without a zone those of this session's");
  assert.equal(await told(" "), own);
  assert.equal(await told("elsewhere"), "");
  const weighted = await ask("queryWithWeight", { list: "zone" }, { zone: "Z2" });
  assert.equal(weighted.text, "10.0.0.3:9600?weight=2");
  assert.equal(
    ((await ask("dataCenter", { list: "zone" })).json as string[]).length,
    3,
    "all zones are one data center",
  );
  assert.equal((await ask("query", {}, { zone: "Z2" })).text.split(";").length, 3, "all of them, unless it does");
  assert.match(String((await ask("query", { list: "zone" }, { zone: ["Z1", "Z2"] })).refused), /FIELD_INVALID.*zone/);
});

test("a session of an earlier release, which names no zone, is in the list of all only", async () => {
  const otherSessions = () => [{ clientAddress: "10.0.0.2:9600", clients: 1, zone: undefined }];
  assert.equal((await ask("query", { list: "zone", otherSessions }, { zone: "Z1" })).text, "10.0.0.1:9600");
  assert.equal((await ask("query", { otherSessions })).text, "10.0.0.1:9600;10.0.0.2:9600");
});
