import { BYTES, type KeySpec, PORT } from "../../base/keySpec.ts";

/** A zone, or the beginning of a service's name. */
const NAME = /^[\x21-\x7e]{1,255}$/;

/** The configuration keys that only SOFARegistry's clients need. */
export const SOFA_CONFIG_KEYS = {
  "bolt-port": {
    section: "Network",
    ...PORT,
    default: 9_600,
    about: "The port for clients that speak SOFABolt (role session); 0 takes any free port.",
    cost: "Nothing; clients learn it from http-port.",
  },
  "frame-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 16 * 1_024 * 1_024,
    min: 64 * 1_024,
    max: 1_024 * 1_024 * 1_024,
    about: "The largest frame that a client may send; a connection that declares more is closed.",
    cost: "One hostile connection can make the server hold this much memory.",
  },
  "sofa-server-list": {
    section: "Clients",
    type: "string",
    default: "all",
    oneOf: ["all", "zone"],
    about:
      "The sessions that SOFARegistry's clients are told of: all, or those of the zone that the client names, or of " +
      "this session's zone if it names none.",
    cost: "With zone, clients of a zone without sessions can't connect, as in SOFARegistry.",
  },
  "sofa-invalid-forever-zones": {
    section: "Clients",
    type: "list",
    default: [],
    pattern: NAME,
    allowed: "names",
    about:
      "Zones whose publishers are in the lists of SOFARegistry's clients of the same zone only, whatever scope these " +
      "ask for: SOFARegistry's invalidForeverZones. All sessions need the same.",
    cost: "Clients of other zones do not see these publishers; a rule that hides a zone hides it from its own clients too.",
  },
  "sofa-invalid-forever-zones-except": {
    section: "Clients",
    type: "list",
    default: [],
    pattern: NAME,
    allowed: "beginnings of dataIds",
    about:
      "Services, by the beginnings of their dataIds, that are in all lists in spite of sofa-invalid-forever-zones.",
    cost: "Each is compared with the name of the service for each body of a list.",
  },
  "sofa-changes": {
    section: "Clients",
    type: "string",
    default: "local",
    oneOf: ["local", "all", "none"],
    about:
      "Who may change something by SOFARegistry's paths without a proof, such as clients that are off, values and " +
      "stopped pushes: programs on the node's machine, all, or none. An operator's token is a proof from anywhere.",
    cost: "With all, any program that reaches an HTTP port can take clients out of all lists.",
  },
  "sofa-test-api": {
    section: "Operation",
    type: "boolean",
    default: false,
    about:
      "Whether publishers can be added and removed by SOFARegistry's test paths at data-http-port: added ones for " +
      "half a minute, those of connected clients until their session sees it.",
    cost: "Any program that reaches the port can show clients addresses that do not exist and hide others.",
  },
  "sofa-metric-names": {
    section: "Clients",
    type: "boolean",
    default: true,
    about:
      "Whether /metrics has some figures a second time under the names that SOFARegistry gives them, for dashboards " +
      "and alerts made for it.",
    cost: "Some 30 lines more in each scrape.",
  },
} as const satisfies Record<string, KeySpec>;
