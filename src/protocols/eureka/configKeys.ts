import { type KeySpec, PORT } from "../../base/keySpec.ts";
import { PEER_URL } from "./peers/peerUrls.ts";

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
  "eureka-peers": {
    section: "Clients",
    type: "string",
    default: "",
    pattern: new RegExp(`^(?:${PEER_URL.source}(?:,\\s*${PEER_URL.source}){0,31})?$`),
    allowed: "URLs as http://eureka-1:8761/eureka/, separated by commas, or nothing",
    isSecret: true,
    about:
      "Servers of Eureka that are told what the Eureka clients of this session say, as their peer: for a migration, " +
      "with the same value at every session. A URL may hold a name and a password. Name no session of Roster.",
    cost: "Each word of a client, heartbeats too, is sent once more to each of them.",
  },
} as const satisfies Record<string, KeySpec>;
