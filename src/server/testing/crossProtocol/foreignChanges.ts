// The ways in which a client would change an instance that a client of another protocol has registered. SOFARegistry
// and DNS have none; to ZooKeeper's clients such an instance is a znode, which is made anew from the next list.

import type { RunningServer } from "../../start.ts";
import { askConsul } from "../consulPort.ts";
import { askEureka } from "../eurekaPort.ts";
import { askNacos } from "../nacosPort.ts";
import { PORT, type Wanted } from "./wanted.ts";

/** The instance of the other protocol. */
export const FOREIGN: Wanted = { host: "10.9.0.1", weight: 2, color: "blue", isEnabled: true };

/** One of the ways; `ask` returns the status of the answer. */
export interface ForeignChange {
  readonly name: string;
  /** The registrar to whose instances it is no foreign one. */
  readonly protocol: string;
  readonly ask: (server: RunningServer, service: string) => Promise<number>;
}

/** All of them. */
export const FOREIGN_CHANGES: readonly ForeignChange[] = [
  {
    name: "an operator's change by Nacos",
    protocol: "Nacos by HTTP",
    ask: async (server, service) => {
      const changed = { serviceName: service, ip: FOREIGN.host, port: PORT, enabled: false, weight: 9 };
      return (await askNacos(server, "PUT /v1/ns/instance", changed)).status;
    },
  },
  {
    name: "a health that is set by Nacos",
    protocol: "Nacos by HTTP",
    ask: async (server, service) => {
      const changed = { serviceName: service, ip: FOREIGN.host, port: PORT, healthy: false };
      return (await askNacos(server, "PUT /v1/ns/health/instance", changed)).status;
    },
  },
  {
    name: "a status that is set by Eureka",
    protocol: "Eureka",
    ask: async (server, service) => {
      const path = `/apps/${service}/${FOREIGN.host}:${service}:${PORT}`;
      return (await askEureka(server, `PUT ${path}/status?value=OUT_OF_SERVICE`)).status;
    },
  },
  {
    name: "Consul's maintenance",
    protocol: "Consul",
    ask: async (server, service) => {
      const path = `/agent/service/maintenance/${FOREIGN.host}:${service}:${PORT}`;
      return (await askConsul(server, `PUT ${path}?enable=true`)).status;
    },
  },
];
