// The commands. Each loads its modules when it runs: `roster --version` must not wait for the server's modules.

import { isIP } from "node:net";
import { Command, Option } from "commander";
import { OPERATIONS } from "../admin/operations.ts";
import type { ServiceParameter } from "../admin/parameter.ts";
import { readParameters } from "../admin/parameter.ts";
import { fail } from "../base/errors.ts";
import type { ServiceKey } from "../model/ids.ts";
import { packageVersion } from "../server/packageVersion.ts";
import { BENCH_BOUNDS } from "./benchBounds.ts";
import { addNodeFlags, childOf, clientOf, completeWith, type NodeFlags, type Outcome } from "./commandKit.ts";
import { COMPLETION_SCRIPTS, SHELLS, type Shell } from "./completionScripts.ts";
import { addConfigFlags, configFlags } from "./configFlags.ts";
import { addContextCommands } from "./contextCommands.ts";
import { addOperationCommands, readInput } from "./operationCommands.ts";
import { addWatchCommands } from "./watchCommands.ts";
import { readWholeNumber } from "./wholeNumber.ts";

/** All commands. A command that ends with another code than 0, and is no failure, sets it in `outcome`. */
export function program(outcome: Outcome): Command {
  const root = new Command("roster").description("A service registry for SOFARegistry's clients.").exitOverride();
  root.enablePositionalOptions();
  root.version(packageVersion(), "-V, --version", "print the version");
  root.helpCommand("help [command]", "print the help of a command");
  addServer(root);
  addOperationCommands(root, OPERATIONS);
  addWatchCommands(root, OPERATIONS);
  addDoctor(root, outcome);
  addRegistrations(root);
  addBench(root, outcome);
  addTransfer(root);
  addSettings(root);
  addContextCommands(root);
  addLogin(root);
  addCompletion(root);
  return root;
}

function addServer(root: Command): void {
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
}

/** `settings`, and as before `config` without another word. */
function addSettings(root: Command): void {
  const settings = root.command("settings").description("print the settings of a server and where each comes from");
  for (const command of [settings, childOf(root, "config")]) {
    if (command === undefined) continue;
    const output = new Option("-o, --output <form>", "how to print").choices(["table", "json"]).default("table");
    addConfigFlags(command.addOption(output)).action(async ({ output: form }: { output: string }) => {
      const { printConfig } = await import("./printConfig.ts");
      printConfig({ flags: configFlags(command), environment: process.env }, form === "json" ? "json" : "table");
    });
  }
}

function addDoctor(root: Command, outcome: Outcome): void {
  const about = "say in plain words what is well, what is not, and what to do";
  const command = addNodeFlags(root.command("doctor"), ["table", "json", "yaml"]).description(about);
  command
    .helpGroup("Operations:")
    .option("--wait-ms <ms>", "wait this long until nothing is an error, as after a start", "0")
    .action(async ({ output, waitMs, ...flags }: NodeFlags & { readonly waitMs: string }) => {
      const { examine } = await import("./doctor.ts");
      const wait = readWholeNumber("--wait-ms", waitMs, { min: 0, max: 86_400_000 });
      outcome.exit = await examine(clientOf(flags), { output, waitMs: wait });
    });
}

const SERVICE = {
  service: { type: "service", isRequired: true, about: "The service." },
} as const satisfies Record<string, ServiceParameter>;

function serviceKeyOf(service: string): ServiceKey {
  return readParameters(SERVICE, { service })["service"] as ServiceKey;
}

interface RegisterFlags extends NodeFlags {
  readonly output: "table" | "json" | "yaml";
  readonly application: string;
  readonly zone: string;
  readonly session?: string;
  readonly subscribe?: boolean;
  readonly from?: string;
}

function addRegistrations(root: Command): void {
  const register = addNodeFlags(root.command("register"), ["table", "json", "yaml"]).helpGroup("Operations:");
  register.description("register an address for a service, as a client does, for as long as the command runs");
  register.argument("<service>", "its name, or name#@#namespace#@#group");
  register.argument("<box...>", "what is published: 10.0.0.7:12200?weight=100");
  register.option("--application <name>", "the application that is named as the publisher's", "roster");
  register.option("--zone <zone>", "the zone that is named as the publisher's", "DEFAULT_ZONE");
  register.option("--session <address>", "the port for clients of a session, host:port; else any of the cluster");
  register.option("--subscribe", "subscribe to the service too, as programs do that call it");
  register.option("--from <address>", "the address of this machine to connect from; else the system chooses it");
  register.action(async (service: string, boxes: string[], { application, ...flags }: RegisterFlags) => {
    const [{ register: run }, { stopSignal }] = await Promise.all([import("./register.ts"), import("./stopSignal.ts")]);
    const { session, zone, subscribe = false, from, output } = flags;
    if (from !== undefined && isIP(from) === 0) {
      throw fail("FIELD_INVALID", { field: "--from", value: from, expected: "an IP address of this machine" });
    }
    const serviceKey = serviceKeyOf(service);
    const client = clientOf(flags);
    const here = { environment: process.env, stopped: stopSignal() };
    const as = { appName: application, zone, isSubscriber: subscribe };
    await run({ client, serviceKey, boxes, ...as, from, session, output, ...here });
  });
  for (const argument of register.registeredArguments.slice(0, 1)) completeWith(argument, SERVICE.service);
  const about = "end a registration that `roster register` of this user keeps on this machine";
  const deregister = root.command("deregister").description(about).helpGroup("Operations:");
  deregister.argument("<service>", "its name, or name#@#namespace#@#group");
  deregister.option("--regist-id <id>", "only the registration with this id");
  deregister.action(async (service: string, { registId }: { readonly registId?: string }) => {
    const { deregister: run } = await import("./register.ts");
    const ended = await run(process.env, { serviceKey: serviceKeyOf(service), registId });
    for (const { boxes, service: key } of ended) console.log(`${boxes.join(" ")} is deregistered from ${key}`);
  });
  for (const argument of deregister.registeredArguments) completeWith(argument, "registration");
}

type BenchFlags = NodeFlags & {
  readonly output: "table" | "json" | "yaml";
  readonly session?: string;
} & Readonly<Record<"publishers" | "subscribers" | "services" | "rate" | "duration", string>>;

function addBench(root: Command, outcome: Outcome): void {
  const command = addNodeFlags(root.command("bench"), ["table", "json", "yaml"]).helpGroup("Operations:");
  command.description("put a load on the cluster, in services of its own, and say how long everything takes");
  const number = (name: keyof typeof BENCH_BOUNDS, about: string, unit = "") => {
    const { [name]: bounds } = BENCH_BOUNDS;
    command.option(`--${name} <number>`, `${about}, ${bounds.min} to ${bounds.max}${unit}`, String(bounds.default));
  };
  number("publishers", "publishers, each a client with one address");
  number("subscribers", "subscribers, each a client of one service");
  number("services", "services that they share");
  number("rate", "changes a second of all publishers together");
  number("duration", "the time of the changes", " seconds");
  command.option(
    "--session <address>",
    "the port for clients of a session, host:port; else all of the cluster in turn",
  );
  command.action(async ({ session, output, ...flags }: BenchFlags) => {
    const [{ bench }, { stopSignal }] = await Promise.all([import("./bench.ts"), import("./stopSignal.ts")]);
    const read = (name: keyof typeof BENCH_BOUNDS) => readWholeNumber(`--${name}`, flags[name], BENCH_BOUNDS[name]);
    const load = { publishers: read("publishers"), subscribers: read("subscribers"), services: read("services") };
    const pace = { rate: read("rate"), durationMs: read("duration") * 1_000 };
    outcome.exit = await bench({ client: clientOf(flags), session, output, ...load, ...pace, stopped: stopSignal() });
  });
}

interface LoginFlags extends Omit<NodeFlags, "output"> {
  readonly claim?: string;
  readonly name?: string;
}

function addLogin(root: Command): void {
  const login = addNodeFlags(root.command("login"), ["table"]).helpGroup("Operations:");
  login.description("get a token for the commands of this user, and keep it in a context");
  login.option("--name <name>", "the user, whose password is read from ROSTER_PASSWORD or standard input");
  login.option("--claim <code>", "the claim code of a cluster that has no admin yet: its leading meta node logs it");
  login.action(async (flags: LoginFlags) => {
    const { login: run } = await import("./login.ts");
    console.log(await run(flags, process.env));
  });
  const logout = addNodeFlags(root.command("logout"), ["table"]).helpGroup("Operations:");
  logout.description("end the token of a context, and forget it");
  logout.action(async (flags: LoginFlags) => {
    const { logout: run } = await import("./login.ts");
    console.log(await run(flags, process.env));
  });
}

interface ImportFlags extends NodeFlags {
  readonly output: "table" | "json" | "yaml";
  readonly preview?: boolean;
}

function addTransfer(root: Command): void {
  addNodeFlags(root.command("export"), ["json"])
    .description("print all configuration values, as a file for import")
    .helpGroup("Operations:")
    .action(async (flags: NodeFlags) => {
      const { exportValues } = await import("./transfer.ts");
      await exportValues(clientOf(flags));
    });
  const take = addNodeFlags(root.command("import"), ["table", "json", "yaml"]).helpGroup("Operations:");
  take.description("set the configuration values of a file that export wrote, where they differ");
  take.argument("<file>", "the file; - for standard input");
  take.option("--preview", "only say what would be done");
  take.action(async (file: string, { preview = false, output, ...flags }: ImportFlags) => {
    const { importValues } = await import("./transfer.ts");
    await importValues(clientOf(flags), { text: readInput(file), file, isPreview: preview, output });
  });
}

function addCompletion(root: Command): void {
  const completion = root.command("completion").description("print the script for completion in a shell");
  const choices = completion.argument("<shell>", SHELLS.join(", ")).registeredArguments[0];
  choices?.choices(SHELLS);
  completion.action((shell: Shell) => void process.stdout.write(COMPLETION_SCRIPTS[shell]));
  // The scripts call it.
  const complete = root.command("complete", { hidden: true }).argument("[words...]", "the words behind `roster`");
  complete.passThroughOptions().action(async (words: string[]) => {
    const [{ completionsFor }, { findValues }] = await Promise.all([
      import("./completion.ts"),
      import("./completionValues.ts"),
    ]);
    const environment = process.env;
    const found = await completionsFor(root, words, (kind, typed, flags) =>
      findValues(kind, { typed, flags, environment }),
    );
    for (const { value, about } of found) console.log(about === "" ? value : `${value}\t${about.replace(/\s+/g, " ")}`);
  });
}
