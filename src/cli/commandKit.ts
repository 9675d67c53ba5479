// The common parts of all commands to running nodes: the flags for the node and the form of the output, and the groups
// that commands with several words belong to.

import { type Argument, type Command, Option } from "commander";
import type { Parameter } from "../admin/parameter.ts";
import { assert } from "../base/assert.ts";
import { chosenTarget } from "./contexts.ts";
import type { ExitCode } from "./exitCodes.ts";
import { offeredToken } from "./localNodes.ts";
import { type Credentials, NodeClient } from "./nodeClient.ts";
import { OUTPUT_FORMS, type OutputForm } from "./output.ts";
import { readTlsFiles, type TlsFiles } from "./send.ts";

/** The flags of each command to a node. A parameter of an operation has another name. */
export interface NodeFlags extends TlsFiles {
  readonly url?: string;
  readonly context?: string;
  readonly output: OutputForm;
}

/** The result that a command sets while it runs. */
export interface Outcome {
  exit: ExitCode;
}

/** A word that completion offers, with its meaning. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** The kinds of values that completion asks a node, or this machine, for. */
export type Completed = Parameter | "context" | "registration" | "file";

const completed = new WeakMap<Argument | Option, Completed>();

/** Has completion offer values of this kind. */
export function completeWith<T extends Argument | Option>(place: T, kind: Completed): T {
  completed.set(place, kind);
  return place;
}

export function completedBy(place: Argument | Option): Completed | undefined {
  return completed.get(place);
}

const GROUPS: Readonly<Record<string, string>> = {
  get: "list what there is",
  describe: "show one thing with its parts",
  watch: "show what there is, and each change of it, until it is stopped",
  config: "work with configuration values, which clients watch; without a word as `settings`",
  context: "work with contexts: names for clusters",
  rule: "work with rules: what operators hide and hold, in their general form",
  switch: "stop and start the pushes to clients",
  blacklist: "keep services out of all lists",
  persistent: "work with registrations that stay until they are taken back, and with their checks",
  slots: "pause, resume and force the arrangement of slots",
  leader: "have the leading meta node give the lead to another one",
  setting: "change settings of nodes while they run",
  access: "claim a cluster, log in and log out in scripts; for people there are `login` and `logout`",
  user: "work with users: people with a password",
  token: "work with tokens: for programs",
  key: "work with client keys: for clients that sign",
  identity: "work with users, tokens and client keys alike",
  policy: "work with policies: who may do what, with which services",
};

/** The command of these words. The groups before the last word are made where they are not there yet. */
export function commandAt(root: Command, words: string, { isHidden = false } = {}): Command {
  const [last = "", ...before] = words.split(" ").reverse();
  let group = root;
  for (const word of before.reverse()) group = childOf(group, word) ?? groupAt(group, word);
  return group.command(last, { hidden: isHidden });
}

export function childOf(group: Command, word: string): Command | undefined {
  return group.commands.find((command) => command.name() === word);
}

function groupAt(parent: Command, word: string): Command {
  return parent.command(word).description(groupAbout(word)).helpGroup("Operations:").enablePositionalOptions();
}

function groupAbout(word: string): string {
  const about = GROUPS[word];
  assert(about !== undefined, `the group of commands ${word} has a description`);
  return about;
}

/** Adds the flags of a command to a node. */
export function addNodeFlags(command: Command, forms: readonly OutputForm[] = OUTPUT_FORMS): Command {
  const context = new Option("--context <name>", "the cluster: a name of `roster context list`; else the current one");
  return command
    .addOption(
      new Option("--url <urls>", "the admin-port of any node; of several, with commas, the first that answers"),
    )
    .addOption(completeWith(context, "context"))
    .addOption(pem("--cacert <file>", "the authority of the nodes' certificates, beside those that Node trusts"))
    .addOption(pem("--cert <file>", "a certificate to show, where nodes ask for one; with --key"))
    .addOption(pem("--key <file>", "the key of that certificate"))
    .addOption(new Option("-o, --output <form>", "how to print").choices(forms).default("table"))
    .configureHelp({ helpWidth: 100 })
    .showHelpAfterError("(--help lists the arguments and flags)");
}

function pem(flag: string, about: string): Option {
  return completeWith(new Option(flag, `${about}, in PEM`), "file");
}

/** The way to the nodes that the flags name, with the token that is known for them. */
export function clientOf(flags: Pick<NodeFlags, "url" | "context"> & TlsFiles, answerMsMax?: number): NodeClient {
  const { urls, token, tls } = chosenTarget(flags, process.env);
  const credentialsFor = (url: URL): Credentials | undefined => {
    const known = token ?? offeredToken(process.env, url);
    return known === undefined ? undefined : { value: `Bearer ${known}`, isOffered: token === undefined };
  };
  return new NodeClient(urls, { credentialsFor, answerMsMax, tls: readTlsFiles(tls) });
}
