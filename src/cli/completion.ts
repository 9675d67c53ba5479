// The words that a shell offers for a command line that is not complete: commands, flags and values, from the commands
// themselves. The scripts of the shells ask this part, so they know nothing and need no change for a new operation.

import { type Argument, type Command, Help, type Option } from "commander";
import { type Candidate, type Completed, completedBy } from "./commandKit.ts";

/** Values of a kind that are known for what is typed so far. `flags` are those given before. */
export type FindValues = (kind: Completed, typed: string, flags: Flags) => Promise<readonly Candidate[]>;

export type Flags = Readonly<Record<string, string>>;

/** The candidates for the last of the words, those behind `roster`. */
export async function completionsFor(
  root: Command,
  words: readonly string[],
  find: FindValues,
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? "";
  const place = placeOf(root, words.slice(0, -1));
  const { command, waiting, flags } = place;
  if (waiting !== undefined) return valuesOf(waiting, { typed, prefix: "", flags, find });
  const [, flag, value] = /^(--[\w-]+)=(.*)$/s.exec(typed) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = optionOf(command, flag);
    return option === undefined ? [] : valuesOf(option, { typed: value, prefix: `${flag}=`, flags, find });
  }
  if (typed.startsWith("-")) return flagsOf(command, typed);
  const commands = place.arguments > 0 ? [] : commandsOf(command, typed);
  const argument = argumentAt(command, place.arguments);
  return [...commands, ...(argument === undefined ? [] : await valuesOf(argument, { typed, prefix: "", flags, find }))];
}

interface Place {
  readonly command: Command;
  /** The flag whose value comes next. */
  readonly waiting: Option | undefined;
  /** The number of arguments so far. */
  readonly arguments: number;
  readonly flags: Flags;
}

function placeOf(root: Command, words: readonly string[]): Place {
  let command = root;
  let waiting: Option | undefined;
  let count = 0;
  const flags: Record<string, string> = {};
  for (const word of words) {
    if (waiting !== undefined) {
      flags[waiting.attributeName()] = word;
      waiting = undefined;
    } else if (word.startsWith("-")) {
      const [flag = "", value] = word.split("=", 2);
      const option = optionOf(command, flag);
      if (value !== undefined && option !== undefined) flags[option.attributeName()] = value;
      else if (option?.required === true) waiting = option;
    } else {
      const next: Command | undefined = count > 0 ? undefined : command.commands.find((each) => each.name() === word);
      if (next === undefined) count++;
      else command = next;
    }
  }
  return { command, waiting, arguments: count, flags };
}

function optionOf({ options }: Command, flag: string): Option | undefined {
  return options.find(({ long, short }) => long === flag || short === flag);
}

/** The last argument may take many words. */
function argumentAt({ registeredArguments }: Command, at: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[at] ?? (last?.variadic === true ? last : undefined);
}

function commandsOf(command: Command, typed: string): Candidate[] {
  return new Help()
    .visibleCommands(command)
    .filter((each) => each.name().startsWith(typed))
    .map((each) => ({ value: each.name(), about: each.summary() || each.description() }));
}

function flagsOf(command: Command, typed: string): Candidate[] {
  return new Help()
    .visibleOptions(command)
    .map(({ long, description }) => ({ value: long ?? "", about: description }))
    .filter(({ value }) => value.startsWith(typed) && value !== "");
}

interface Asked {
  readonly typed: string;
  /** The part of the word before the value. */
  readonly prefix: string;
  readonly flags: Flags;
  readonly find: FindValues;
}

async function valuesOf(place: Option | Argument, { typed, prefix, flags, find }: Asked): Promise<Candidate[]> {
  const choices = place.argChoices?.map((value) => ({ value, about: "" }));
  const kind = completedBy(place);
  const known = choices ?? (kind === undefined ? [] : await find(kind, typed, flags));
  return known
    .filter(({ value }) => value.startsWith(typed))
    .map(({ value, about }) => ({ value: prefix + value, about }));
}
