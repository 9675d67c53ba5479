// The list of client protocols. This is the only place of the server that names any of them.

import { consulGateway } from "../protocols/consul/gateway.ts";
import { dnsGateway } from "../protocols/dns/gateway.ts";
import { eurekaGateway } from "../protocols/eureka/gateway.ts";
import { nacosGateway } from "../protocols/nacos/gateway.ts";
import { sofaGateway } from "../protocols/sofa/gateway.ts";
import { zookeeperGateway } from "../protocols/zookeeper/gateway.ts";

/** Each protocol that a node serves. */
export const GATEWAYS = [
  sofaGateway,
  eurekaGateway,
  nacosGateway,
  zookeeperGateway,
  consulGateway,
  dnsGateway,
] as const;
