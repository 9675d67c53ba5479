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

/** The admin-port of a node on this machine. */
const ADMIN_URL = "http://127.0.0.1:9604";

/** Commands to running nodes: each is one call of a node's admin-port, and any node answers. */
function addOperations(root: Command): void {
  const operation = (name: string, about: string) => {
    const option = new Option("--url <url>", "the admin-port of any node").default(ADMIN_URL);
    const form = new Option("-o, --output <form>", "how to print").choices(["table", "json"]).default("table");
    return root.command(name).description(about).addOption(option).addOption(form).helpGroup("Operation:");
  };
  const run = async (command: Command, call: Omit<OperationCall, "url" | "form">) => {
    const { url, output } = command.opts<{ url: string; output: string }>();
    const { operate } = await import("./operate.ts");
    await operate({ ...call, url, form: output === "json" ? "json" : "table" });
  };
  operation("members", "list the nodes of a cluster").action((_, command: Command) =>
    run(command, {
      path: "/nodes",
      columns: ["id", "role", "state", "address", "clientAddresses", "clients", "leads"],
    }),
  );
  operation("slots", "list which data node leads and follows each slot").action((_, command: Command) =>
    run(command, { path: "/slots", columns: ["id", "leader", "leaderEpoch", "followers", "state"] }),
  );
  for (const [name, about] of [
    ["block", "block a node: its slots and clients move to other nodes"],
    ["unblock", "unblock a node"],
  ] as const) {
    operation(name, about)
      .argument("<node>", "its name or id, as `roster members` prints it")
      .action((node: string, _, command: Command) =>
        run(command, { method: "POST", path: `/nodes/${name}`, parameters: { node } }),
      );
  }
  const columns = ["service", "lost", "publishers", "heldSince", "releasedAt", "node", "reason"];
  operation("held", "list services that data nodes hold back, and why").action((_, command: Command) =>
    run(command, { path: "/held", columns }),
  );
  operation("release", "show a service that a data node holds back as it is now")
    .argument("<service>", "its key, as `roster held` prints it")
    .action((service: string, _, command: Command) =>
      run(command, { method: "POST", path: "/held/release", parameters: { service } }),
    );
  operation("drain", "tell a node to hand over its work and stop")
    .argument("[node]", "its name or id, as `roster members` prints it; without it the node of --url")
    .action((node: string | undefined, _, command: Command) =>
      run(command, { method: "POST", path: "/nodes/drain", parameters: node === undefined ? {} : { node } }),
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
