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
} as const satisfies Record<string, KeySpec>;
