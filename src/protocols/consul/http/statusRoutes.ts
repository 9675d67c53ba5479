// The paths about the registry itself, in the words of Consul's servers.

import { type HttpExchange, textResponse } from "../../../base/http.ts";
import type { JudgedRoute } from "../../kit/judgedRoutes.ts";
import { refusingIn } from "../errors.ts";
import { checkOptions, flagOf, type RouteParts, rowsResponse } from "./parts.ts";

const RAFT_PORT = 8_300;
const SERF_PORT = 8_301;
const SERF_WAN_PORT = 8_302;
// Of what never changes.
const INDEX = 1n;

export function statusRoutes(parts: RouteParts): JudgedRoute[] {
  const { datacenter, version, servers } = parts;
  const shows = (path: string, rows: (exchange: HttpExchange) => unknown, index?: bigint): JudgedRoute => ({
    ...{ method: "GET", path: `/v1${path}`, asks: "open" },
    handle: (exchange) =>
      refusingIn(exchange, () => {
        checkOptions(exchange, datacenter);
        exchange.respond(rowsResponse(exchange, rows(exchange), index));
      }),
  });
  const peers = () => servers().map((host) => `${host}:${RAFT_PORT}`);
  const { memberRow, wanMemberRow, healthRow, raftRow, selfRow } = serverRows(parts, peers);
  return [
    shows("/status/leader", () => peers()[0] ?? ""),
    shows("/status/peers", peers),
    shows("/agent/self", selfRow),
    shows("/agent/members", (exchange) => [flagOf(exchange, "wan") ? wanMemberRow() : memberRow()]),
    shows("/agent/version", () => ({ SHA: "", BuildDate: "1970-01-01T00:00:01Z", HumanVersion: version, FIPS: "" })),
    shows("/agent/host", () => ({ Memory: null, CPU: null, Host: null, Disk: null, CollectionTime: 0, Errors: null })),
    shows("/agent/metrics", () => ({ Timestamp: "", Gauges: [], Points: [], Counters: [], Samples: [] })),
    shows("/coordinate/datacenters", () => [{ Datacenter: datacenter, AreaID: "wan", Coordinates: [] }]),
    shows("/coordinate/nodes", () => [], INDEX),
    shows("/operator/raft/configuration", () => ({ Servers: [raftRow()], Index: 0 })),
    shows("/operator/autopilot/health", () => ({ Healthy: true, FailureTolerance: 0, Servers: [healthRow()] })),
    shows("/operator/autopilot/configuration", () => AUTOPILOT),
    shows("/internal/acl/authorize", () => []),
    ...(["join/:address", "leave", "reload", "force-leave/:node"] as const).map(
      (path): JudgedRoute => ({
        ...{ method: "PUT", path: `/v1/agent/${path}`, asks: "operate" },
        handle: ({ respond }) => respond(textResponse("", 200)),
      }),
    ),
    // A load balancer asks so whether a node is there.
    ...refusedRoutes(),
  ];
}

/** The rows about the cluster, which is shown as one server. */
function serverRows({ datacenter, agentNode, version }: RouteParts, peers: () => readonly string[]) {
  return { memberRow, wanMemberRow, healthRow, raftRow, selfRow };

  function memberRow() {
    const { name, id, address } = agentNode();
    const tags = { acls: "0", build: version, dc: datacenter, id, port: String(RAFT_PORT), role: "consul", vsn: "2" };
    const protocols = {
      ProtocolMin: 1,
      ProtocolMax: 5,
      ProtocolCur: 2,
      DelegateMin: 2,
      DelegateMax: 5,
      DelegateCur: 4,
    };
    return { Name: name, Addr: address, Port: SERF_PORT, Tags: tags, Status: 1, ...protocols };
  }

  /** Servers of several datacenters have its name in theirs. */
  function wanMemberRow() {
    const member = memberRow();
    return { ...member, Name: `${member.Name}.${datacenter}`, Port: SERF_WAN_PORT };
  }

  function healthRow() {
    const { name, id, address } = agentNode();
    return {
      ...{ ID: id, Name: name, Address: `${address}:${RAFT_PORT}`, SerfStatus: "alive", Version: version },
      ...{ Leader: true, LastContact: "0s", LastTerm: 1, LastIndex: 1, Healthy: true, Voter: true },
      StableSince: "1970-01-01T00:00:00Z",
    };
  }

  function raftRow() {
    const { name, id, address } = agentNode();
    const at = { ID: id, Node: name, Address: `${address}:${RAFT_PORT}` };
    return { ...at, Leader: true, ProtocolVersion: "3", Voter: true, LastIndex: 1 };
  }

  function selfRow() {
    const { name, id, address } = agentNode();
    const config = {
      ...{ Datacenter: datacenter, PrimaryDatacenter: datacenter, NodeName: name, NodeID: id, Revision: "" },
      ...{ Server: true, Version: version, BuildDate: "1970-01-01T00:00:01Z", BindAddr: address },
    };
    const stats = {
      consul: {
        acl: "disabled",
        known_datacenters: "1",
        leader: "true",
        leader_addr: peers()[0] ?? "",
        server: "true",
      },
      ...{ serf_lan: { event_queue: "0", members: "1" }, runtime: { version } },
    };
    const coordinate = { Vec: new Array(8).fill(0), Error: 1.5, Adjustment: 0, Height: 0.00001 };
    const meta = { "consul-network-segment": "", "consul-version": version };
    return {
      Config: config,
      DebugConfig: DEBUG,
      Coord: coordinate,
      Member: memberRow(),
      Stats: stats,
      Meta: meta,
      xDS: {},
    };
  }
}

const DEBUG = { ACLsEnabled: false, EnableDebug: false, SkipLeaveOnInt: true } as const;

const AUTOPILOT = {
  ...{ CleanupDeadServers: true, LastContactThreshold: "200ms", MaxTrailingLogs: 250, MinQuorum: 0 },
  ...{ ServerStabilizationTime: "10s", RedundancyZoneTag: "", DisableUpgradeMigration: false, UpgradeVersionTag: "" },
} as const;

/** The parts of Consul that this registry does not have are refused in its words. */
function refusedRoutes(): JudgedRoute[] {
  const refuses = (path: string, status: number, message: string): JudgedRoute[] =>
    (["GET", "PUT", "POST", "DELETE"] as const).flatMap((method) =>
      [path, `${path}/*`].map((each) => ({
        ...{ method, path: `/v1/${each}`, asks: "open" as const },
        handle: ({ respond }) => respond(textResponse(message, status)),
      })),
    );
  return [
    ...refuses("acl", 401, "ACL support disabled"),
    ...refuses("agent/token", 401, "ACL support disabled"),
    ...refuses("operator/keyring", 500, "keyring is empty: there is no gossip between agents"),
    ...refuses("operator/raft/peer", 500, "there is no Raft here: nodes come and go by themselves"),
    ...refuses("operator/raft/transfer-leader", 500, "there is no Raft here: the cluster is shown as one server"),
    ...refuses("connect", 500, "Connect must be enabled in order to use this endpoint"),
    ...refuses("agent/connect", 500, "Connect must be enabled in order to use this endpoint"),
    ...refuses("peering", 500, "peering is disabled"),
    ...refuses("peerings", 500, "peering is disabled"),
  ];
}
