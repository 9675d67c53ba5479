// `roster context …`: names for clusters.

import { type Command, Option } from "commander";
import { fail } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { aligned } from "./aligned.ts";
import { commandAt, completeWith } from "./commandKit.ts";
import { type Contexts, contextOf, readContexts, writeContexts } from "./contexts.ts";
import { NodeClient } from "./nodeClient.ts";
import { encoded } from "./output.ts";

const NAME = /^[\w.-]{1,64}$/;

export function addContextCommands(root: Command): void {
  const add = (words: string, about: string) => commandAt(root, `context ${words}`).description(about);
  const output = new Option("-o, --output <form>", "how to print").choices(["table", "json", "yaml"]).default("table");
  add("list", "list the contexts; * marks the current one")
    .addOption(output)
    .action(({ output: form }: { output: "table" | "json" | "yaml" }) => list(form));
  add("add", "add a context, or give it other URLs")
    .argument("<name>", "its name")
    .argument("<urls>", "the admin-ports of some of its nodes, with commas; the first that answers is asked")
    .option("--use", "make it the current one")
    .action((name: string, urls: string, { use }: { use?: true }) => addContext(name, urls.split(","), use === true));
  const use = add("use", "make a context the current one: commands go to it unless a flag or variable says otherwise");
  use.argument("<name>", "its name").action((name: string) => {
    const all = readContexts(process.env);
    contextOf(all, name);
    writeContexts(process.env, { ...all, current: name });
    console.log(`commands go to ${name}`);
  });
  const remove = add("remove", "remove a context").argument("<name>", "its name");
  remove.action((name: string) => {
    const { current, contexts } = readContexts(process.env);
    contextOf({ current, contexts }, name);
    const { [name]: _, ...others } = contexts;
    writeContexts(process.env, { current: current === name ? null : current, contexts: others });
    console.log(`${name} is removed`);
  });
  for (const command of [use, remove])
    for (const argument of command.registeredArguments) completeWith(argument, "context");
}

function list(form: "table" | "json" | "yaml"): void {
  const all = readContexts(process.env);
  if (form !== "table") return console.log(encoded(asJson(all), form));
  const rows = Object.entries(all.contexts).map(([name, { urls, token }]) => [
    name === all.current ? "*" : "",
    name,
    token === undefined ? "" : "yes",
    urls.join(","),
  ]);
  for (const line of aligned([["", "NAME", "TOKEN", "URLS"], ...rows])) console.log(visible(line));
}

function asJson({ current, contexts }: Contexts) {
  // A token is no one's business but its user's.
  const named = Object.entries(contexts).map(
    ([name, { urls, token }]) => [name, { urls: [...urls], hasToken: token !== undefined }] as const,
  );
  return { current, contexts: Object.fromEntries(named) };
}

function addContext(name: string, urls: readonly string[], isUsed: boolean): void {
  if (!NAME.test(name) || name === "__proto__") {
    const expected = "1 to 64 letters, digits, dots, dashes and underscores";
    throw fail("FIELD_INVALID", { field: "name", value: name, expected });
  }
  // Refuses a URL that is none now, and not when it is used.
  void new NodeClient(urls);
  const { current, contexts } = readContexts(process.env);
  const next = isUsed || current === null ? name : current;
  writeContexts(process.env, { current: next, contexts: { ...contexts, [name]: { urls } } });
  console.log(next === name ? `${name} is added, and commands go to it` : `${name} is added`);
}
