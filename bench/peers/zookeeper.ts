// ZooKeeper, from Maven Central.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../processes/ports.ts";
import { diskBytes } from "../processes/usage.ts";
import type { Target } from "../targets/target.ts";
import { mavenJars, peersFolder } from "./cache.ts";
import { startPeer } from "./peer.ts";

const ARTIFACT = { group: "org.apache.zookeeper", name: "zookeeper", version: "3.9.5" };
// Its release has these beside it; the artifact leaves them to its user.
const COMPANIONS = [
  { group: "io.dropwizard.metrics", name: "metrics-core", version: "4.1.12.1" },
  { group: "org.xerial.snappy", name: "snappy-java", version: "1.1.10.5" },
];
const MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
// As set by its own start script.
const HEAP = "-Xmx1000m";

export function zookeeper(): Target {
  const jars = join(peersFolder(), `${ARTIFACT.name}-${ARTIFACT.version}`, "jars");
  return {
    name: "ZooKeeper",
    protocol: "zookeeper",
    isOurs: false,
    prepare: async () => {
      await mavenJars(ARTIFACT, COMPANIONS);
      return `${ARTIFACT.version} from Maven Central, one node, durable; ephemeral nodes, persistent recursive watch`;
    },
    diskBytes: () => diskBytes(jars),
    start: async (options) => {
      const [port = 0] = await freePorts(1);
      const command = (folder: string) => {
        const settings = join(folder, "zoo.cfg");
        writeFileSync(settings, settingsFor(folder, port));
        return ["java", HEAP, "-cp", join(jars, "*"), MAIN, settings];
      };
      return startPeer({ command, port }, options);
    },
  };
}

/** As shipped, but that one address may have as many connections as the benchmark makes. */
function settingsFor(folder: string, port: number): string {
  return [
    "tickTime=2000",
    `dataDir=${join(folder, "data")}`,
    `clientPort=${port}`,
    "clientPortAddress=127.0.0.1",
    "maxClientCnxns=0",
    "admin.enableServer=false",
    "",
  ].join("\n");
}
