// Safe by default: a way into the node from beyond loopback must be encrypted and have a proof, or be asked for by
// name.

import type { AccessSet } from "../../access/accessSet.ts";
import { anonymous } from "../../access/principal.ts";
import { fail } from "../../base/errors.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { parseAddress } from "../../transport/address.ts";
import { isLoopback } from "./loopback.ts";
import { isStandalone, nodePortOf } from "./nodeRoles.ts";
import type { Config } from "./table.ts";
import type { TlsPortKind } from "./tlsKeys.ts";

/** A way into the node from beyond loopback. */
interface Way {
  readonly kind: TlsPortKind;
  /** The setting that opens it, and its value. */
  readonly key: "bind" | "admin-bind" | "meta-addresses";
  readonly value: string;
}

/**
 * Throws BIND_REFUSED if a way into the node from beyond loopback is not encrypted, or needs no proof of other nodes,
 * although `insecure` is not set.
 */
export function checkExposure(config: Config): void {
  if (config.insecure) return;
  const [open] = waysOf(config).flatMap((way) => faultsOf(config, way.kind).map((fault) => ({ ...way, fault })));
  if (open === undefined) return;
  const allowed = "127.0.0.1, ::1 or localhost; or any address with TLS on every port, or with --insecure";
  throw fail("BIND_REFUSED", { [open.key]: open.value, open: open.fault, allowed });
}

/** The ways in that are open to the network, in words; none for a node that is on loopback only. */
export function openDoors(config: Config, access: AccessSet): string[] {
  const ways = waysOf(config);
  const faults = ways.flatMap(({ kind }) => faultsOf(config, kind));
  const has = (kind: TlsPortKind) => ways.some((way) => way.kind === kind);
  return [
    ...faults,
    ...(has("http") ? openToCallers(config) : []),
    ...(has("clients") ? openToClients(access) : []),
    ...(has("admin") ? openToReaders(access) : []),
  ];
}

function waysOf(config: Config): Way[] {
  const { bind, adminBind, roles, metaAddresses } = config;
  const ways: Way[] = [];
  if (!isLoopback(bind)) {
    const at = { key: "bind", value: bind } as const;
    if (roles.includes("session")) ways.push({ ...at, kind: "clients" });
    ways.push({ ...at, kind: "http" });
    if (nodePortOf(config) !== undefined) ways.push({ ...at, kind: "nodes" });
  }
  if (!isLoopback(adminBind)) ways.push({ key: "admin-bind", value: adminBind, kind: "admin" });
  const far = metaAddresses.find((address) => !isLoopback(parseAddress(address)?.host ?? address));
  if (far !== undefined) ways.push({ key: "meta-addresses", value: far, kind: "nodes" });
  return ways;
}

const NAMES: Readonly<Record<TlsPortKind, string>> = {
  clients: "the ports of clients",
  http: "the HTTP ports",
  admin: "admin-port",
  nodes: "the links between nodes",
};

function faultsOf(config: Config, kind: TlsPortKind): string[] {
  const { tlsPorts, tlsPlainPorts, tlsCertFile, tlsNodeCaFile } = config;
  const certificate = kind === "nodes" ? tlsNodeCaFile : tlsCertFile;
  const isEncrypted = certificate !== "" && tlsPorts.includes(kind) && !tlsPlainPorts.includes(kind);
  return [
    ...(isEncrypted ? [] : [`${NAMES[kind]} can be read on the way`]),
    ...(kind === "nodes" && !needsProof(config) ? ["any program that reaches node-port can join the cluster"] : []),
  ];
}

function needsProof(config: Config): boolean {
  const { tlsNodeCaFile, tlsPorts, tlsPlainPorts, clusterSecret, clusterSecretFile, clusterSecretOptional } = config;
  const hasCertificates = tlsNodeCaFile !== "" && tlsPorts.includes("nodes") && !tlsPlainPorts.includes("nodes");
  const hasSecret = (clusterSecret !== "" || clusterSecretFile !== "") && !clusterSecretOptional;
  return hasCertificates || hasSecret || isStandalone(config);
}

// Documentation addresses: no policy names them by accident.
const STRANGER = anonymous("203.0.113.1");
const SOME_SERVICE = makeServiceKey({ name: "com.example.Any", namespace: "", group: "" });

/** A port that asks for certificates lets no stranger in. */
function openToCallers({ sofaChanges, tlsClientAuth }: Config): string[] {
  const isOpen = sofaChanges === "all" && tlsClientAuth !== "require";
  return isOpen ? ["SOFARegistry's paths at the HTTP ports change values and rules without a proof"] : [];
}

function openToClients(access: AccessSet): string[] {
  const may = (["publish", "subscribe"] as const).filter(
    (action) => access.mayDo(STRANGER, action, SOME_SERVICE).isAllowed,
  );
  return may.length === 0 ? [] : [`clients ${may.join(" and ")} without a proof`];
}

function openToReaders(access: AccessSet): string[] {
  return access.mayDo(STRANGER, "read").isAllowed ? ["operations that read need no proof"] : [];
}
