// The keys for the node's addresses and its part in the cluster; part of the table in table.ts.

import { DURATION, type KeySpec, PORT } from "../../base/keySpec.ts";
import { ETCD_URL_FORM } from "../../store/etcd/target.ts";

const HOST = /^[A-Za-z0-9_.:%[\]-]{1,255}$/;
const MAYBE_HOST = /^[A-Za-z0-9_.:%[\]-]{0,255}$/;
const ADDRESS = /^(\[[A-Fa-f0-9:.%A-Za-z_-]{2,255}\]|[A-Za-z0-9_.-]{1,255}):[1-9]\d{0,4}$/;
// Names occur in log lines, metrics and HTTP answers, so they hold no space and no quote.
const NAME = /^[\w.:@/-]{1,128}$/;
const NAME_ALLOWED = "1 to 128 letters, digits or . : @ / _ -";

/** The number that means "as needed" for a port. */
export const AUTOMATIC_PORT = -1;

/** The HTTP port of a data node, if none is configured. */
export const DATA_HTTP_PORT = 9_622;

/** The port for links between nodes, if one is needed and none is configured. */
export const NODE_PORT = 9_620;

export const NETWORK = {
  bind: {
    section: "Network",
    type: "string",
    default: "127.0.0.1",
    pattern: HOST,
    allowed: "an IP address or a host name",
    about: "The address to listen on, for all ports but admin-port; 0.0.0.0 or :: is every interface.",
    cost: "Beyond loopback, any program that reaches the port may register and read services; that needs insecure.",
  },
  insecure: {
    section: "Network",
    type: "boolean",
    default: false,
    about:
      "Allows ways in from beyond loopback that are not encrypted, or that need no proof between nodes. Each start, " +
      "/readyz and `roster doctor` say what is open.",
    cost: "The network around the server becomes its only protection.",
  },
  "http-port": {
    section: "Network",
    ...PORT,
    default: 9_603,
    about: "The HTTP port where clients find servers, with health and metrics (role session); 0 takes any free port.",
    cost: "Nothing; client configurations name this port.",
  },
  "meta-http-port": {
    section: "Network",
    ...PORT,
    default: 9_615,
    about:
      "The HTTP port of the role meta, where SOFARegistry's tools expect it: configuration values, with health and " +
      "metrics; 0 takes any free port.",
    cost: "Nothing.",
  },
  "data-http-port": {
    section: "Network",
    ...PORT,
    min: AUTOMATIC_PORT,
    default: AUTOMATIC_PORT,
    about:
      "The HTTP port of the role data, where SOFARegistry's tools expect it, with health and metrics. " +
      "0 takes any free port; -1 takes 9622.",
    cost: "Nothing.",
  },
  "admin-port": {
    section: "Network",
    ...PORT,
    default: 9_604,
    about: "The HTTP port for operators, which every node has: /v1, the commands of `roster`; 0 takes any free port.",
    cost: "Nothing; several nodes on one machine need a port each.",
  },
  "admin-bind": {
    section: "Network",
    type: "string",
    default: "127.0.0.1",
    pattern: HOST,
    allowed: "an IP address or a host name",
    about: "The address to listen on for operators, whatever bind is; any node answers for the whole cluster.",
    cost: "Beyond loopback, tokens can be read on the way, unless the port has TLS; without it, that needs insecure.",
  },
  "admin-token-file": {
    section: "Network",
    type: "string",
    default: "",
    pattern: /^[^\0]{0,4096}$/,
    allowed: "a file, or nothing",
    about:
      "A file with the token of an admin, at least 32 characters: for automation, which can't read a claim code. " +
      "Nodes with the same file take the same token. Empty means none.",
    cost: "A program that reads the file may do everything, at every node that has it.",
  },
  "host-names": {
    section: "Network",
    type: "list",
    default: [],
    pattern: HOST,
    allowed: "host names",
    about:
      "Names by which programs on this machine call the HTTP ports, beside localhost, its own name and those of " +
      "other settings. Other names are refused from there, at /v1 if the request has no credentials: a page in a " +
      "browser may have made them up.",
    cost: "A page of that name in a browser on this machine reads what needs no credentials.",
  },
  "node-port": {
    section: "Network",
    ...PORT,
    min: AUTOMATIC_PORT,
    default: AUTOMATIC_PORT,
    about:
      "The port for links from other nodes (roles meta, data). 0 takes any free port; " +
      "-1 takes 9620, or none if a process runs all roles and names no meta-addresses.",
    cost: "Nothing; data nodes report it to the others themselves, and meta-addresses name that of the meta nodes.",
  },
  "advertise-address": {
    section: "Network",
    type: "string",
    default: "",
    pattern: MAYBE_HOST,
    allowed: "an IP address or a host name, or nothing",
    about:
      "The address by which clients reach this node. Empty means the one that each client came in by, and for " +
      "other nodes that of advertise-node-address.",
    cost: "A wrong one sends clients that ask for servers to an address without a server.",
  },
  "advertise-node-address": {
    section: "Network",
    type: "string",
    default: "",
    pattern: MAYBE_HOST,
    allowed: "an IP address or a host name, or nothing",
    about:
      "The address by which other nodes reach this one; empty means bind, or the one on the way to the meta nodes.",
    cost: "A wrong one keeps the node out of its cluster.",
  },
} as const satisfies Record<string, KeySpec>;

export const CLUSTER = {
  roles: {
    section: "Cluster",
    type: "list",
    default: ["meta", "data", "session"],
    oneOf: ["meta", "data", "session"],
    about: "The roles of this process: members and slots (meta), publications (data), clients (session).",
    cost: "Each role can be scaled and restarted alone, at the price of one more process and a network between them.",
  },
  workers: {
    section: "Cluster",
    type: "integer",
    unit: "processes",
    default: 1,
    min: 1,
    max: 64,
    about:
      "The number of processes that share this node's work and its ports for clients, each a node of its own to " +
      "the cluster: one for each core, for the roles session and data.",
    cost: "Memory for each, and as many more nodes for the others to talk to.",
  },
  "meta-addresses": {
    section: "Cluster",
    type: "list",
    default: [],
    pattern: ADDRESS,
    allowed: "host:port of meta nodes, IPv6 hosts in brackets",
    about: "The node-port of every meta node, the same list for all nodes; empty if this process is the only one.",
    cost: "Each node keeps a link to each of them; one that is not named takes no part.",
  },
  "store-url": {
    section: "Cluster",
    type: "string",
    default: "",
    pattern: /^((postgres(ql)?|etcds?):\/\/\S{1,2000})?$/,
    allowed: `postgres://user:password@host:port/database[?sslmode=…&sslrootcert=FILE]; ${ETCD_URL_FORM}; or nothing`,
    isSecret: true,
    about:
      "The database of the role meta; empty means the embedded one in data-dir, which only one meta node can have.",
    cost: "With PostgreSQL or etcd several meta nodes stand in for each other; it has to be run and backed up.",
  },
  "data-dir": {
    section: "Cluster",
    type: "path",
    default: "./.roster",
    about: "The folder of this node's own files and the embedded store; made if it is missing, used by one process.",
    cost: "Losing it loses the embedded store's configuration values; services come back from their clients.",
  },
  "cluster-name": {
    section: "Cluster",
    type: "string",
    default: "default",
    pattern: NAME,
    allowed: NAME_ALLOWED,
    about: "The cluster's name, the same for all nodes, fixed at the first start on a store.",
    cost: "Nothing.",
  },
  "node-name": {
    section: "Cluster",
    type: "string",
    default: "",
    pattern: /^([A-Za-z0-9_-]{1,64})?$/,
    allowed: "1 to 64 letters, digits, _ or -, or nothing",
    about:
      "The name of this node, of which a cluster has no two; empty means one that is made at the first start. It is " +
      "known before that, so a certificate can name it.",
    cost: "A second node of that name is turned away while the first one lives.",
  },
  "cluster-secret-file": {
    section: "Cluster",
    type: "path",
    default: "",
    isEmptyAllowed: true,
    about:
      "A file with the secret that all nodes of the cluster know, 32 characters or more, by which they prove to each " +
      "other that they belong to it; several lines are several secrets, of which the first is shown and each is taken.",
    cost: "Without one, and without tls-node-ca-file, every program that reaches node-port can join.",
  },
  "cluster-secret": {
    section: "Cluster",
    type: "string",
    default: "",
    pattern: /^(\S.{30,510}\S)?$/,
    allowed: "32 to 512 characters without spaces at the ends, or nothing",
    isSecret: true,
    about: "The secret itself, in place of a file; best in the environment.",
    cost: "As a flag it can be read by every user of the machine.",
  },
  "cluster-secret-optional": {
    section: "Cluster",
    type: "boolean",
    default: false,
    about:
      "Also takes nodes without a secret, and joins them: for the time in which a running cluster gets its first " +
      "one, node by node.",
    cost: "As long as it is set, every program that reaches node-port can join.",
  },
  "data-center": {
    section: "Cluster",
    type: "string",
    default: "DefaultDataCenter",
    pattern: NAME,
    allowed: NAME_ALLOWED,
    about: "The data center whose services this cluster holds, as named in pushes.",
    cost: "Nothing; clients that filter by data center must know the same name.",
  },
  zone: {
    section: "Cluster",
    type: "string",
    default: "DEFAULT_ZONE",
    pattern: NAME,
    allowed: NAME_ALLOWED,
    about: "The zone of this node, given to clients that do not name their own.",
    cost: "Nothing; subscribers with zone scope see only their own zone.",
  },
  "slot-replicas": {
    section: "Cluster",
    type: "integer",
    unit: "copies",
    default: 2,
    min: 1,
    max: 5,
    about:
      "The number of data nodes that hold each publication, the leader of its slot included; the meta nodes decide.",
    cost: "This many times the memory of all publications, and as many messages for each change.",
  },
  "slot-moves-max": {
    section: "Cluster",
    type: "integer",
    unit: "slots",
    default: 16,
    min: 1,
    max: 256,
    about: "The most slots that may be on their way to another data node at once.",
    cost: "More load while nodes come and go, and a shorter way to an even spread.",
  },
  "data-nodes-min": {
    section: "Cluster",
    type: "integer",
    unit: "nodes",
    default: 0,
    min: 0,
    max: 1_000,
    about:
      "With fewer living data nodes than this, no slot is moved: " +
      "better to wait than to put everything on the few left.",
    cost: "Slots of dead nodes have no leader until enough nodes are back.",
  },
  "member-lease-ms": {
    section: "Cluster",
    ...DURATION,
    default: 20_000,
    min: 3_000,
    max: 600_000,
    about: "The time for which a silent node whose links stand still counts as a member.",
    cost: "A frozen node is missed this much later.",
  },
  "member-gone-ms": {
    section: "Cluster",
    ...DURATION,
    default: 1_000,
    min: 0,
    max: 60_000,
    about: "The time after its last link has closed at which a node counts as gone, unless it is back.",
    cost: "The slots of a killed data node have no leader for this much longer.",
  },
  "leader-lease-ms": {
    section: "Cluster",
    ...DURATION,
    default: 5_000,
    min: 1_500,
    max: 60_000,
    about: "The time for which a silent leading meta node keeps the lead.",
    cost: "After its death no slots are arranged for this much longer; too small, and a slow database costs the lead.",
  },
} as const satisfies Record<string, KeySpec>;
