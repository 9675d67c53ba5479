// When, where and of what a result is: without that it says nothing.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

/** Date, command, commit, machine and load, in two lines. */
export function headline(root: string, program = "npm run bench --"): string {
  const commit = execFileSync("git", ["describe", "--always", "--dirty"], { cwd: root, encoding: "utf8" }).trim();
  const command = [program, ...withoutPaths(process.argv.slice(2))].join(" ");
  const [load = 0] = loadavg();
  return [
    `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, commit ${commit}, Node ${process.version}, \`${command}\``,
    `${cpus().length} × ${cpuModel()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, load at start ${load.toFixed(2)}`,
  ].join("\n");
}

function cpuModel(): string {
  return cpus()[0]?.model ?? /model name\s*: (.*)/.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown";
}

/** The arguments without those that name a place of this machine. */
function withoutPaths(args: readonly string[]): string[] {
  return args.filter((arg, at) => !PATHS.has(arg) && !PATHS.has(args[at - 1] ?? ""));
}

const PATHS = new Set(["--root", "--json"]);
