import { type KeySpec, PORT } from "../../base/keySpec.ts";

// One label: it stands between `service` and the domain.
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The configuration keys that only Consul's clients need. */
export const CONSUL_CONFIG_KEYS = {
  "consul-port": {
    section: "Network",
    ...PORT,
    default: 8_500,
    about: "The port for clients of Consul (role session): its HTTP interface below /v1/; 0 takes any free port.",
    cost: "Nothing; clients name it as their agent.",
  },
  "serve-consul": {
    section: "Network",
    type: "boolean",
    default: true,
    about: "Whether clients of Consul are served at consul-port.",
    cost: "A session that serves Consul's clients holds the lists of all services, from the first request on.",
  },
  "consul-datacenter": {
    section: "Network",
    type: "string",
    default: "dc1",
    pattern: LABEL,
    allowed: "one label of DNS, in lower case",
    about: "The datacenter that clients of Consul and of DNS are told: web.service.dc1.consul.",
    cost: "Nothing.",
  },
  "consul-node": {
    section: "Network",
    type: "string",
    default: "roster",
    pattern: LABEL,
    allowed: "one label of DNS, in lower case",
    about: "The node of the services that clients of Consul register at their agent: the same at every session.",
    cost: "Nothing; services that are registered already stay on the node that they were registered on.",
  },
} as const satisfies Record<string, KeySpec>;
