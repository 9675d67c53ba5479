// `roster doctor`: asks what there is to know, and prints the findings.

import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../admin/operation.ts";
import { getHealth } from "../admin/operations/health.ts";
import { listNodes } from "../admin/operations/nodes.ts";
import { listRules } from "../admin/operations/rules.ts";
import { listHeld, listSlots } from "../admin/operations/slots.ts";
import type { RawParameters } from "../admin/parameter.ts";
import type { Json } from "../admin/schema.ts";
import { RegistryError } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { aligned } from "./aligned.ts";
import { type Asked, diagnose, type Facts, type Finding, worstOf } from "./diagnosis.ts";
import { EXIT, type ExitCode } from "./exitCodes.ts";
import type { NodeClient } from "./nodeClient.ts";
import { encoded, type OutputForm } from "./output.ts";
import { Progress } from "./progress.ts";

const ASK_MS = 500;
// Of more only the number is of interest.
const RULES_MAX = 1_000;

export interface Examination {
  readonly output: OutputForm;
  /** The time to wait until nothing is an error. */
  readonly waitMs: number;
}

/** Prints the findings. The exit code is `unhealthy` for an error. Rejects with NODE_UNREACHABLE. */
export async function examine(client: NodeClient, { output, waitMs }: Examination): Promise<ExitCode> {
  const endMs = performance.now() + waitMs;
  const progress = new Progress();
  let findings = await findingsOf(client, waitMs > 0);
  try {
    while (worstOf(findings) === "error" && performance.now() < endMs) {
      const errors = findings.filter(({ level }) => level === "error");
      progress.report(`waiting: ${errors.map(({ about, finding }) => `${about}: ${finding}`).join("; ")}`);
      await sleep(ASK_MS);
      findings = await findingsOf(client, performance.now() < endMs);
    }
  } finally {
    progress.end();
  }
  print(findings, output);
  return worstOf(findings) === "error" ? EXIT.unhealthy : EXIT.ok;
}

/** While it waits, a node that does not answer yet is a finding like others. */
async function findingsOf(client: NodeClient, isWaiting: boolean): Promise<readonly Finding[]> {
  try {
    return diagnose(await factsOf(client));
  } catch (error) {
    if (!isWaiting || !(error instanceof RegistryError)) throw error;
    return [{ level: "error", about: "nodes", finding: error.message, advice: "start a node" }];
  }
}

async function factsOf(client: NodeClient): Promise<Facts> {
  const askedMs = Date.now();
  const health = await asked(client, getHealth);
  const answeredMs = Date.now();
  const rules = asked(client, listRules, { inForce: true, limit: RULES_MAX });
  const others = [listNodes, listSlots, listHeld].map((each) => asked(client, each));
  const [nodes, slots, held] = await Promise.all(others);
  // Each node holds its answers to the schemas of the operations.
  return { health, nodes, slots, held, rules: await rules, askedMs, answeredMs } as unknown as Facts;
}

async function asked(
  client: NodeClient,
  operation: Operation,
  parameters: RawParameters = {},
): Promise<Asked<unknown>> {
  try {
    return { answer: await client.ask(operation, parameters) };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code === "NODE_UNREACHABLE") throw error;
    return { reason: error.message };
  }
}

const MARKS = { ok: "ok", warning: "WARNING", error: "ERROR" } as const;

const CLOSINGS = {
  ok: "All is well.",
  warning: "It works; the warnings say what makes it safer.",
  error: "Something needs care: begin with the first error.",
} as const;

function print(findings: readonly Finding[], output: OutputForm): void {
  const worst = worstOf(findings);
  if (output === "json" || output === "yaml") {
    const answer = { isHealthy: worst !== "error", findings: findings.map((finding): Json => ({ ...finding })) };
    return console.log(encoded(answer, output));
  }
  const lines = findings.map(({ level, about, finding }) => [MARKS[level], about, finding]);
  for (const [at, line] of aligned(lines).entries()) {
    console.log(visible(line));
    const { advice } = findings[at] ?? { advice: "" };
    if (advice !== "") console.log(visible(`         -> ${advice}`));
  }
  console.log(`\n${CLOSINGS[worst]}`);
}
