// Where peers are kept, and how their parts are got: always through the ordinary client of a public registry.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const GET_MS_MAX = 900_000;

/** The folder of everything that was got: BENCH_PEERS_DIR, or one in the user's cache. */
export function peersFolder(): string {
  return process.env["BENCH_PEERS_DIR"] ?? join(homedir(), ".cache", "roster-bench");
}

/** A folder of the cache, filled by `fill` if it is not there. A half-filled one is never seen. */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(peersFolder(), name);
  if (existsSync(folder)) return folder;
  const half = `${folder}.half-${process.pid}`;
  mkdirSync(half, { recursive: true });
  try {
    await fill(half);
    renameSync(half, folder);
    return folder;
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

/** Runs a program to its end. Rejects with the end of what it wrote. */
export async function runTool(command: readonly string[], cwd: string): Promise<string> {
  const [program = "", ...args] = command;
  try {
    const { stdout } = await run(program, args, { cwd, timeout: GET_MS_MAX, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as { stdout?: string; stderr?: string; message: string };
    const said = `${stdout}\n${stderr}`.split("\n").find((line) => /error|not found/i.test(line));
    throw new Error(`${program} failed: ${(said ?? message).trim()}`);
  }
}

/** An artifact of Maven Central. */
export interface Artifact {
  readonly group: string;
  readonly name: string;
  readonly version: string;
}

/** A folder with the jars of an artifact, of what it does not name itself, and of all that these need at run time. */
export async function mavenJars(artifact: Artifact, companions: readonly Artifact[] = []): Promise<string> {
  return cached(`${artifact.name}-${artifact.version}`, async (folder) => {
    writeFileSync(join(folder, "pom.xml"), pomOf([artifact, ...companions]));
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies";
    await runTool(["mvn", "-q", "-B", goal, "-DoutputDirectory=jars", "-DincludeScope=runtime"], folder);
    if (!existsSync(join(folder, "jars"))) throw new Error(`no jars of ${artifact.name}`);
  });
}

function pomOf(artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map(
    ({ group, name, version }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId><artifactId>peer</artifactId><version>1</version>
  <dependencies>
    ${dependencies.join("\n    ")}
  </dependencies>
</project>
`;
}
