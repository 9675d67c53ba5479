import { type KeySpec, PORT } from "../../base/keySpec.ts";

/** The configuration keys that only Nacos' clients need. */
export const NACOS_CONFIG_KEYS = {
  "serve-nacos": {
    section: "Network",
    type: "boolean",
    default: true,
    about: "Whether clients of Nacos are served, at nacos-port and nacos-grpc-port.",
    cost: "Nothing until the first client comes.",
  },
  "nacos-port": {
    section: "Network",
    ...PORT,
    default: 8_848,
    about: "The port for clients of Nacos by HTTP (role session), below /nacos/; 0 takes any free port.",
    cost: "Nothing; clients name it in their server addresses.",
  },
  "nacos-grpc-port": {
    section: "Network",
    ...PORT,
    default: 9_848,
    about:
      "The port for clients of Nacos by gRPC (role session). Clients expect it 1,000 above nacos-port; " +
      "0 takes any free port.",
    cost: "Nothing; but clients that can't reach it at that distance do not work.",
  },
  "nacos-udp-push": {
    section: "Network",
    type: "boolean",
    default: true,
    about:
      "Whether lists are pushed by UDP, from nacos-port, to clients of Nacos 1.x that name a port of theirs. " +
      "Where the ports of clients have TLS they never are: these messages are not encrypted.",
    cost: "Nothing until such a client comes; without it, such clients hear of a change when they ask next.",
  },
  "nacos-config-bytes-max": {
    section: "Clients",
    type: "integer",
    unit: "bytes",
    default: 2 * 1024 * 1024,
    min: 1_024,
    max: 5 * 1024 * 1024,
    about: "The largest content of a configuration of Nacos' clients; larger ones are refused.",
    cost: "Memory of every session, for as many as there are; and the store keeps a hundred old contents of each.",
  },
  "nacos-configs-max": {
    section: "Clients",
    type: "integer",
    unit: "configurations",
    default: 100_000,
    min: 1,
    max: 1_000_000,
    about: "The number of configurations and namespaces of Nacos' clients; more are refused.",
    cost: "Memory of every session that has served a client of theirs: 1 KiB and the content for each.",
  },
} as const satisfies Record<string, KeySpec>;
