// Runs one text scenario to its end. All checkers watch, as in every other world.

import type { EventLog } from "../eventLog.ts";
import { Commands } from "./commands.ts";
import { Expectations } from "./expectations.ts";
import { type Line, parseScenario } from "./parse.ts";
import { Stage } from "./stage.ts";

export interface ScenarioResult {
  /** Differences from the text, and broken rules; empty if all is well. */
  readonly differences: readonly string[];
  readonly log: EventLog;
}

export function runScenario(text: string): ScenarioResult {
  const { plan, commands: lines, expectations: ends } = parseScenario(text);
  const stage = new Stage(plan);
  const commands = new Commands(stage);
  const expectations = new Expectations(stage, commands);
  const differences: string[] = [];
  const look = (line: Line, what?: string) => {
    const difference = expectations.difference(line, what);
    if (difference !== undefined) differences.push(difference);
  };
  for (const line of lines) {
    if (stage.finding !== undefined) break;
    if (line.words[0] === "expect") look(line, line.words.slice(1).join(" "));
    else commands.run(line);
  }
  const { finding } = stage;
  if (finding !== undefined) differences.push(`rule ${finding.rule}: ${finding.text}`);
  else for (const line of ends) look(line);
  return { differences, log: stage.log };
}
