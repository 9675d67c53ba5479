import { type KeySpec, PORT } from "../../base/keySpec.ts";

const DOMAIN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,9}$/;

/** The configuration keys of the DNS server. */
export const DNS_CONFIG_KEYS = {
  "dns-port": {
    section: "Network",
    ...PORT,
    default: 8_600,
    about: "The port for DNS (role session), UDP and TCP; 0 takes any free port.",
    cost: "Nothing; resolvers that forward a domain name it.",
  },
  "serve-dns": {
    section: "Network",
    type: "boolean",
    default: true,
    about: "Whether services are answered by DNS at dns-port.",
    cost: "A session that answers DNS holds the lists of all services, from the first query on.",
  },
  "dns-domain": {
    section: "Network",
    type: "string",
    default: "consul",
    pattern: DOMAIN,
    allowed: "a domain in lower case, without a dot at its ends",
    about: "The domain of the answers: web.service.consul. is the service web.",
    cost: "Nothing; clients of Consul name the default.",
  },
  "dns-ttl-seconds": {
    section: "Network",
    type: "integer",
    default: 0,
    min: 0,
    max: 86_400,
    unit: "s",
    about: "The time for which resolvers may keep an answer.",
    cost: "A larger value saves queries, and clients hear of changes that much later.",
  },
  "dns-udp-answers-max": {
    section: "Network",
    type: "integer",
    default: 3,
    min: 1,
    max: 100,
    unit: "records",
    about: "The most answers of a service in one message over UDP, others at each query; over TCP all are sent.",
    cost: "A larger value sends more bytes to whoever is named as the asker.",
  },
} as const satisfies Record<string, KeySpec>;
