// Persistent registrations and their checks, for a node with the role session.

import type { Budget } from "../../base/budget.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import type { StepperEnvironment } from "../../base/stepper.ts";
import { readAddressOrBlock } from "../../model/addressBlock.ts";
import { ProbeRules } from "../../persistent/probeRules.ts";
import type { GatewayRecords } from "../../records/gatewayRecords.ts";
import { createProbes } from "../../transport/probes/probes.ts";
import { hostRandom } from "../../transport/random.ts";
import type { Config } from "../config/table.ts";
import type { GatewayQuestions } from "../gatewayQuestions.ts";
import type { Roles } from "../roles.ts";
import { openPersistentHost, type PersistentHost } from "./persistentHost.ts";

export interface OpenPersistentEnvironment extends StepperEnvironment {
  readonly roles: Roles;
  readonly records: GatewayRecords;
  readonly questions: GatewayQuestions;
  readonly budget: Budget;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly closers: (() => void | Promise<void>)[];
}

/** The name of its questions to other nodes. */
const NAME = "persistent";
const DENIALS = {
  off: "active-checks is off at this node",
  address: "this address is not looked at: see active-check-addresses",
} as const;

/** Undefined for a node without the role session. */
export function openPersistent(
  config: Config,
  { roles, questions, closers, ...environment }: OpenPersistentEnvironment,
): PersistentHost | undefined {
  const { session } = roles;
  if (session === undefined) return undefined;
  const rules = probeRulesOf(config);
  const probes = createProbes({
    allows: (address) => rules.allows(address),
    refusal(probe) {
      const denial = rules.denial(probe);
      return denial && DENIALS[denial];
    },
  });
  const host = openPersistentHost({
    ...environment,
    ...{ probes, rules },
    id: roles.id,
    registrationsMax: config.persistentRegistrationsMax,
    registry: session.stepper,
    sessions: () => sessionsOf(session.session.members?.list ?? []),
    others: questions.otherNodes(NAME),
    random: hostRandom,
  });
  questions.attach(NAME, "session", host.answer);
  closers.push(() => host.close());
  return host;
}

function sessionsOf(members: readonly { readonly id: Roles["id"]; readonly role: string }[]) {
  return members.filter(({ role }) => role === "session").map(({ id }) => id);
}

/** Throws CONFIG_INVALID. */
export function probeRulesOf({ activeChecks, activeCheckAddresses }: Config): ProbeRules {
  const addresses = activeCheckAddresses.map((text) => {
    const read = readAddressOrBlock(text);
    if (!(read instanceof RegistryError)) return read;
    const allowed = String(read.details["expected"]);
    throw fail("CONFIG_INVALID", { key: "active-check-addresses", value: text, allowed });
  });
  return new ProbeRules({ activeChecks, activeCheckAddresses: addresses });
}
