// The registrations of this session's clients that meet the conditions of a rule, counted.

import { isBlock } from "../model/addressBlock.ts";
import { type ClientId, hostOf, nodeNameOf } from "../model/ids.ts";
import type { RuleEffect, RuleMatch } from "../model/rule.ts";
import { RuleMatcher } from "../model/ruleSet.ts";
import { askSurvey, type SurveyQuestion } from "./askRegistry.ts";
import type { OperatedNode } from "./operatedNode.ts";
import type { Gathered } from "./operation.ts";
import type { Json } from "./schema.ts";

interface Count {
  readonly registrations: number;
  readonly clients: number;
  readonly isAtLeast: boolean;
}

// Few hosts or services are found by themselves, each in less than a millisecond; for many all clients are looked at.
const ASKED_ONE_BY_ONE_MAX = 32;

/** Counts what a rule with this effect would concern at this session. Rejects with QUERIES_EXHAUSTED. */
export async function countRegistrations(node: OperatedNode, effect: RuleEffect, match: RuleMatch): Promise<Json> {
  const matcher = new RuleMatcher(match);
  const session = nodeNameOf(node.id);
  const clients = new Set<ClientId>();
  let registrations = 0;
  let isAtLeast = false;
  for (const survey of surveysFor(effect, match)) {
    const { rows, isCut } = await askSurvey(node, survey, "session");
    isAtLeast ||= isCut;
    for (const row of rows) {
      const { serviceKey, client } = row;
      // Watches have no zone, and a push is held whenever the subscription was made.
      const zone = "zone" in row ? row.zone : "";
      const registeredMs =
        survey.of === "publishers" && "registeredMs" in row ? row.registeredMs : Number.POSITIVE_INFINITY;
      if (!matcher.matches({ host: hostOf(client), serviceKey, zone, session, registeredMs })) continue;
      registrations++;
      clients.add(client);
    }
  }
  const count: Count = { registrations, clients: clients.size, isAtLeast };
  return { ...count };
}

type Question = SurveyQuestion<"publishers" | "subscribers" | "watches">;

function surveysFor(effect: RuleEffect, { addresses, services }: RuleMatch): Question[] {
  const kinds = effect === "hidePublications" ? (["publishers"] as const) : (["subscribers", "watches"] as const);
  const isFew = (names: readonly string[] | undefined) => names !== undefined && names.length <= ASKED_ONE_BY_ONE_MAX;
  return kinds.flatMap((of): Question[] => {
    if (isFew(addresses) && addresses?.some(isBlock) === false)
      return [...new Set(addresses)].map((host) => ({ of, host }));
    if (isFew(services)) return [...new Set(services)].map((serviceKey) => ({ of, serviceKey }));
    return [{ of }];
  });
}

/** The counts of all sessions as one. */
export function gatherCounts({ parts, unreachable }: Gathered): Json {
  const counts = parts.map(({ body }) => body as unknown as Count);
  const sum = (of: "registrations" | "clients") => counts.reduce((total, count) => total + count[of], 0);
  const isAtLeast = unreachable.length > 0 || counts.some((count) => count.isAtLeast);
  return { registrations: sum("registrations"), clients: sum("clients"), isAtLeast };
}
