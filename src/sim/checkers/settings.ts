// Settings that operators change are in force at every node for which they are meant: after each message with rules a
// node has the values of the rules that it knows, and its own for the others, and at the end every node knows the
// newest rules. The matching is written anew, and simply; texts are compared, not values.

import { camelCase } from "../../base/keySpec.ts";
import type { RulesMessage } from "../../cluster/messages/membership.ts";
import { type NodeId, nodeNameOf } from "../../model/ids.ts";
import type { Rule } from "../../model/rule.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

/** The rules that a role of a node was told. */
interface Told {
  epoch: bigint;
  rules: readonly Rule[];
}

export class SettingsChecker implements Checker {
  readonly #evidence: Evidence;
  /** By role and node, of those that run. */
  readonly #told = new Map<string, Told>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    switch (fact.kind) {
      case "started":
        // A meta node reads the rules in the store.
        if (fact.role === "meta") return undefined;
        this.#told.set(`${fact.role} ${fact.node}`, { epoch: 0n, rules: [] });
        return undefined;
      case "stopped":
        this.#told.delete(`${fact.role} ${fact.node}`);
        return undefined;
      case "learned":
        if (fact.message.kind === "rules") this.#learned(`${fact.role} ${fact.node}`, fact.message);
        return undefined;
      case "settings":
        return this.#settings(fact);
      case "over":
        return this.#over();
      default:
        return undefined;
    }
  }

  #learned(key: string, { epoch, base, put, removed }: RulesMessage): void {
    const told = this.#told.get(key);
    if (told === undefined || epoch <= told.epoch || (base !== undefined && base !== told.epoch)) return;
    const gone = new Set([...removed, ...put.map(({ id }) => id)]);
    const kept = base === undefined ? [] : told.rules.filter(({ id }) => !gone.has(id));
    this.#told.set(key, { epoch, rules: [...kept, ...put] });
  }

  #settings({ node, role, settings }: Fact & { kind: "settings" }): Finding | undefined {
    const told = this.#told.get(`${role} ${node}`);
    if (told === undefined) return undefined;
    const wanted = this.#wanted(node, told.rules);
    const known = new Map(Object.entries(settings).map(([name, value]) => [name, String(value)]));
    for (const name of new Set([...wanted.keys(), ...known.keys()])) {
      if (wanted.get(name) === known.get(name)) continue;
      return found(`${node} has ${name}=${known.get(name)}, and its rules say ${wanted.get(name)}`);
    }
    return undefined;
  }

  #wanted(node: NodeId, rules: readonly Rule[]): Map<string, string> {
    const { zone } = this.#evidence.plan.config;
    const isMeant = ({ isInForce, match: { zones, sessions } }: Rule) =>
      isInForce && (zones ?? [zone]).includes(zone) && (sessions?.includes(nodeNameOf(node)) ?? true);
    const byEpoch = rules.filter(isMeant).sort((one, other) => Number(one.epoch - other.epoch));
    return new Map(
      byEpoch.flatMap(({ settings = [] }) => [...settings].map(([name, text]) => [camelCase(name), text])),
    );
  }

  #over(): Finding | undefined {
    const newest = this.#evidence.rules.stored.reduce((epoch, rule) => (rule.epoch > epoch ? rule.epoch : epoch), 0n);
    for (const [key, { epoch }] of this.#told) {
      if (epoch < newest) return found(`${key} knows the rules ${epoch}, and the store has ${newest}`);
    }
    return undefined;
  }
}

function found(text: string): Finding {
  return { rule: "settings: what operators have set", service: undefined, text };
}
