// SOFARegistry, meta, data and session in one Java process, on its embedded database: its newest release on Maven
// Central. If BENCH_SOFAREGISTRY_JARS names the folder of jars built from newer sources, those are measured. It listens
// on all interfaces and can't be told otherwise: run it where no one else can reach it.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../processes/ports.ts";
import { diskBytes } from "../processes/usage.ts";
import type { Target } from "../targets/target.ts";
import { mavenJars, peersFolder } from "./cache.ts";
import { startPeer } from "./peer.ts";

const ARTIFACT = { group: "com.alipay.sofa", name: "registry-server-integration", version: "6.3.0" };
const MAIN = "com.alipay.sofa.registry.server.integration.RegistryApplication";
// Java 17 hides what its libraries of 2021 reach into.
const OPENED = ["java.lang", "java.util", "java.nio"].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
// Each port by the settings that must name it, so that one machine can have another registry on the usual ports. Only
// the console of its database can't be moved from 9630, so it runs once at a time.
const PORTS = [
  ["session.server.serverPort"],
  ["session.server.httpServerPort"],
  ["session.server.syncSessionPort", "data.server.syncSessionPort"],
  ["session.server.consolePort"],
  ["session.server.metaServerPort", "meta.server.sessionServerPort"],
  ["session.server.dataServerPort", "data.server.port"],
  ["session.server.dataServerNotifyPort", "data.server.notifyPort"],
  ["data.server.syncDataPort"],
  ["data.server.metaServerPort", "meta.server.dataServerPort"],
  ["data.server.httpServerPort"],
  ["meta.server.metaServerPort"],
  ["meta.server.httpServerPort"],
  ["meta.remote.server.remoteMetaServerPort"],
  ["data.remote.server.syncRemoteSlotLeaderPort"],
] as const;

export function sofaregistry(): Target {
  return {
    name: "SOFARegistry",
    protocol: "sofa",
    isOurs: false,
    prepare: async () => {
      const own = process.env["BENCH_SOFAREGISTRY_JARS"];
      if (own !== undefined && !existsSync(own)) throw new Error("BENCH_SOFAREGISTRY_JARS names no folder");
      if (own === undefined) await mavenJars(ARTIFACT);
      const which = own === undefined ? `${ARTIFACT.version} from Maven Central` : "one's own build";
      return `${which}, all roles in one process, embedded H2, as shipped; driven by the same clients as Roster`;
    },
    diskBytes: () => diskBytes(jarsFolder()),
    start: async (options) => {
      const ports = await freePorts(PORTS.length);
      const [port = 0, http = 0] = ports;
      const settings = PORTS.flatMap((names, at) => names.map((name) => `-D${name}=${ports[at]}`));
      const command = (folder: string) => [
        "java",
        ...OPENED,
        `-Duser.home=${folder}`,
        "-Djava.net.preferIPv4Stack=true",
        ...settings,
        "-cp",
        join(jarsFolder(), "*"),
        MAIN,
      ];
      return startPeer({ command, port, isReady: () => ready(http) }, options);
    },
  };
}

function jarsFolder(): string {
  const cachedJars = join(peersFolder(), `${ARTIFACT.name}-${ARTIFACT.version}`, "jars");
  return process.env["BENCH_SOFAREGISTRY_JARS"] ?? cachedJars;
}

async function ready(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/health/check`);
  const { success } = (await answer.json()) as { success: boolean };
  if (!success) throw new Error("not ready");
}
