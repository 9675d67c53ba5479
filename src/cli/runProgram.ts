// The commands. Each loads its modules when it runs: `roster --version` must not wait for the server's modules.

import { Command, CommanderError, Option } from "commander";
import { RegistryError } from "../base/errors.ts";
import { packageVersion } from "../server/packageVersion.ts";
import { addConfigFlags, configFlags } from "./configFlags.ts";
import type { OperationCall } from "./operate.ts";

/** Exit codes. Service managers may restart after `failed`; after `wrongUsage` a restart is useless. */
export const EXIT = { ok: 0, failed: 1, wrongUsage: 2 } as const;

const USAGE_CODES: ReadonlySet<string> = new Set(["CONFIG_INVALID", "BIND_REFUSED", "DATA_DIR_UNUSABLE"]);

/** Runs one command line and returns the exit code. */
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
  root.version(packageVersion(), "-V, --version", "print the version");
  root.helpCommand("help [command]", "print the help of a command");
  addConfigFlags(root.command("server").description("run a registry")).action(async (_, command: Command) => {
    const { runServer } = await import("./runServer.ts");
    await runServer({ flags: configFlags(command), environment: process.env });
  });
  // Only `roster server --workers N` starts it.
  const worker = root.command("worker", { hidden: true }).requiredOption("--number <number>", "counted from 1");
  addConfigFlags(worker).action(async ({ number }: { number: string }, command: Command) => {
    const { runWorker } = await import("./runServer.ts");
    await runWorker({ flags: configFlags(command), environment: process.env }, Number(number));
  });
  const output = new Option("-o, --output <form>", "how to print").choices(["table", "json"]).default("table");
  const config = root.command("config").description("print the effective configuration and where it comes from");
  addConfigFlags(config.addOption(output)).action(async ({ output: form }: { output: string }, command: Command) => {
    const { printConfig } = await import("./printConfig.ts");
    printConfig({ flags: configFlags(command), environment: process.env }, form === "json" ? "json" : "table");
  });
  addOperations(root);
  return root;
}

// The default ports of a node on this machine.
const META_URL = "http://127.0.0.1:9615";
const DATA_URL = "http://127.0.0.1:9622";
const SESSION_URL = "http://127.0.0.1:9603";

/** Commands to running nodes: each is one call of a node's HTTP port. */
function addOperations(root: Command): void {
  const operation = (name: string, about: string, url: string) => {
    const option = new Option("--url <url>", "the HTTP port of the node").default(url);
    const form = new Option("-o, --output <form>", "how to print").choices(["table", "json"]).default("table");
    return root.command(name).description(about).addOption(option).addOption(form).helpGroup("Operation:");
  };
  const run = async (command: Command, call: Omit<OperationCall, "url" | "form">) => {
    const { url, output } = command.opts<{ url: string; output: string }>();
    // A whole registry has no separate port for the role data: the meta role's port answers.
    const mayBeWhole = url === DATA_URL && command.getOptionValueSource("url") === "default";
    const { operate } = await import("./operate.ts");
    await operate({
      ...call,
      url,
      ...(mayBeWhole && { otherUrl: META_URL }),
      form: output === "json" ? "json" : "table",
    });
  };
  operation("members", "list the nodes of a cluster (from any meta node)", META_URL).action((_, command: Command) =>
    run(command, {
      path: "/members",
      columns: ["id", "role", "state", "address", "clientAddresses", "clients", "leads"],
    }),
  );
  operation("slots", "list which data node leads and follows each slot (from any meta node)", META_URL).action(
    (_, command: Command) => run(command, { path: "/slots", columns: ["id", "leader", "leaderEpoch", "followers"] }),
  );
  for (const [name, method, about] of [
    ["block", "PUT", "block a node: its slots and clients move to other nodes"],
    ["unblock", "DELETE", "unblock a node"],
  ] as const) {
    operation(name, about, META_URL)
      .argument("<node>", "its name or id, as `roster members` prints it")
      .action((node: string, _, command: Command) =>
        run(command, { method, path: `/nodes/${encodeURIComponent(node)}/block` }),
      );
  }
  const columns = ["service", "lost", "publishers", "heldMs", "releasedInMs", "reason"];
  operation("held", "list services that a data node holds back, and why", DATA_URL).action((_, command: Command) =>
    run(command, { path: "/held", columns }),
  );
  operation("release", "show a service that a data node holds back as it is now", DATA_URL)
    .argument("<service>", "its key, as `roster held` prints it")
    .action((key: string, _, command: Command) =>
      run(command, { method: "POST", path: `/held/release?service=${encodeURIComponent(key)}` }),
    );
  operation("drain", "tell a node to hand over its work and stop (any of its HTTP ports)", SESSION_URL).action(
    (_, command: Command) => run(command, { method: "POST", path: "/drain" }),
  );
}

function exitCodeOf(error: unknown): number {
  // Commander has already printed its message; it also reports --help and --version as errors, with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.wrongUsage;
  if (error instanceof RegistryError) {
    console.error(`roster: ${error.message}`);
    return USAGE_CODES.has(error.code) ? EXIT.wrongUsage : EXIT.failed;
  }
  // This is a bug, so the stack belongs in the report.
  console.error("roster: unexpected failure:", error);
  return EXIT.failed;
}
