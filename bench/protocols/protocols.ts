import { etcdProtocol } from "./etcd/protocol.ts";
import { nacosProtocol } from "./nacos/protocol.ts";
import type { Protocol } from "./protocol.ts";
import { sofaProtocol } from "./sofa/protocol.ts";
import { zookeeperProtocol } from "./zookeeper/protocol.ts";

const PROTOCOLS = {
  sofa: sofaProtocol,
  etcd: etcdProtocol,
  zookeeper: zookeeperProtocol,
  nacos: nacosProtocol,
} as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof PROTOCOLS;

export function protocolNamed(name: ProtocolName): Protocol {
  return PROTOCOLS[name];
}
