// The commands. Each loads what it needs when it runs: `roster --version` must not wait for the server's modules.

import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { RegistryError } from "../base/errors.ts";
import { addConfigFlags, configFlags } from "./configFlags.ts";

/** How the process ends. Service managers may restart after `failed`; after `wrongUsage` that is of no use. */
export const EXIT = { ok: 0, failed: 1, wrongUsage: 2 } as const;

const USAGE_CODES: ReadonlySet<string> = new Set(["CONFIG_INVALID", "BIND_REFUSED"]);

/** Runs one command line, and returns the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    return exitCodeOf(error);
  }
}

function program(): Command {
  const root = new Command("roster").description("A service registry for SOFARegistry's clients.").exitOverride();
  root.version(packageVersion(), "-V, --version", "print the version").helpCommand(false);
  addConfigFlags(root.command("server").description("run a registry")).action(async (_, command: Command) => {
    const { runServer } = await import("./runServer.ts");
    await runServer({ flags: configFlags(command), environment: process.env });
  });
  const output = new Option("-o, --output <form>", "how to print").choices(["table", "json"]).default("table");
  const config = root.command("config").description("print the effective configuration and where it comes from");
  addConfigFlags(config.addOption(output)).action(async ({ output: form }: { output: string }, command: Command) => {
    const { printConfig } = await import("./printConfig.ts");
    printConfig({ flags: configFlags(command), environment: process.env }, form === "json" ? "json" : "table");
  });
  return root;
}

// As src/cli/program.ts and as dist/cli/program.js, the file stands two folders below package.json.
function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function exitCodeOf(error: unknown): number {
  // Commander has printed what there was to say; it reports --help and --version as errors with code 0, too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.wrongUsage;
  if (error instanceof RegistryError) {
    console.error(`roster: ${error.message}`);
    return USAGE_CODES.has(error.code) ? EXIT.wrongUsage : EXIT.failed;
  }
  // Not ours to explain: a bug, whose stack we want to be shown in the report.
  console.error("roster: unexpected failure:", error);
  return EXIT.failed;
}
