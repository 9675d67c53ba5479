import { type KeySpec, PORT } from "../../base/keySpec.ts";

/** The configuration keys that only Eureka's clients need. */
export const EUREKA_CONFIG_KEYS = {
  "eureka-port": {
    section: "Network",
    ...PORT,
    default: 8_761,
    about: "The port for clients of Eureka (role session), below /eureka/ and /eureka/v2/; 0 takes any free port.",
    cost: "Nothing; clients name it in their service URLs.",
  },
  "serve-eureka": {
    section: "Network",
    type: "boolean",
    default: true,
    about: "Whether clients of Eureka are served at eureka-port.",
    cost: "A session that serves Eureka's clients holds the lists of all services, from the first request on.",
  },
} as const satisfies Record<string, KeySpec>;
