// Nacos, without its console. Its own release is not on Maven Central; what is there is another project's publication
// of the same sources, and a starter of ours stands in for the one that is missing.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePortWith } from "../processes/ports.ts";
import { diskBytes } from "../processes/usage.ts";
import type { Target } from "../targets/target.ts";
import { mavenJars, peersFolder, runTool } from "./cache.ts";
import { startPeer } from "./peer.ts";

const ARTIFACT = { group: "io.github.pig-mesh.nacos", name: "nacos-server", version: "3.1.0-bugfix" };
const LAUNCHER = join(import.meta.dirname, "NacosLauncher.java");
// Clients find the gRPC port by this distance from the HTTP port; those between servers lie around them.
const GRPC_DISTANCE = 1_000;
const DISTANCES = [0, GRPC_DISTANCE, GRPC_DISTANCE + 1, -GRPC_DISTANCE];
// As set by its own start script for a single node.
const HEAP = ["-Xms512m", "-Xmx512m", "-Xmn256m"];

export function nacos(): Target {
  const folder = join(peersFolder(), `${ARTIFACT.name}-${ARTIFACT.version}`);
  const jars = join(folder, "jars");
  const classes = join(folder, "classes");
  return {
    name: "Nacos",
    protocol: "nacos",
    isOurs: false,
    prepare: async () => {
      await mavenJars(ARTIFACT);
      if (!existsSync(classes)) await runTool(["javac", "-cp", join(jars, "*"), "-d", classes, LAUNCHER], folder);
      return `${ARTIFACT.version} of ${ARTIFACT.group} on Maven Central, one node, settings as shipped, no auth; gRPC`;
    },
    diskBytes: () => diskBytes(jars),
    start: async (options) => {
      const port = await freePortWith(DISTANCES);
      const command = (data: string) => {
        const settings = join(data, "settings");
        mkdirSync(settings);
        writeFileSync(join(settings, "application.properties"), settingsFor(port));
        const own = ["nacos.standalone=true", `nacos.home=${data}`, "nacos.inetutils.ip-address=127.0.0.1"];
        const paths = [settings, classes, firstHessian(jars), join(jars, "*")].join(":");
        return ["java", ...HEAP, ...own.map((one) => `-D${one}`), "-cp", paths, "NacosLauncher"];
      };
      return startPeer({ command, port: port + GRPC_DISTANCE, isReady: () => ready(port) }, options);
    },
  };
}

/** Two versions come along, and the older one would be found first. */
function firstHessian(jars: string): string {
  const names = readdirSync(jars).filter((name) => name.startsWith("hessian-4"));
  return join(jars, names[0] ?? "");
}

function settingsFor(port: number): string {
  return [
    `nacos.server.main.port=${port}`,
    "nacos.server.contextPath=/nacos",
    "server.address=127.0.0.1",
    "server.tomcat.accesslog.enabled=false",
    "nacos.core.auth.system.type=nacos",
    "nacos.core.auth.enabled=false",
    "nacos.core.auth.admin.enabled=false",
    // It does not start without these, though no token is needed.
    `nacos.core.auth.plugin.nacos.token.secret.key=${randomBytes(48).toString("base64")}`,
    "nacos.core.auth.server.identity.key=bench",
    "nacos.core.auth.server.identity.value=bench",
    "",
  ].join("\n");
}

async function ready(port: number): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}/nacos/v3/admin/core/state/readiness`);
  if (status !== 200) throw new Error(`not ready: ${status}`);
}
