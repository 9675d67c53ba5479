import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Plan } from "../plan.ts";
import type { SeenCommits } from "./commits.ts";
import type { Nodes } from "./nodes.ts";
import type { Registrations } from "./registrations.ts";
import type { SeenRules } from "./seenRules.ts";

/** The rules of ARCHITECTURE.md by number, the order of one client's requests, the cluster's own, and plain bugs. */
export type Rule =
  | "1 newest wins"
  | "owner: a registration is its client's"
  | "2 versions grow"
  | "3 a subscriber never goes back"
  | "4 whole versions"
  | "5 a cut is not a death"
  | "6 no empty by accident"
  | "7 convergence"
  | "8 everything is bounded"
  | "G11 order of one client"
  | "lead: one meta leader at a time"
  | "slots: how the table changes"
  | "epochs: nobody goes back"
  | "records: no process goes back"
  | "followers hold what their leaders hold"
  | "links: up and down in turn"
  | "strangers: they get nothing"
  | "configuration: the newest, in order"
  | "app: no instance before its revision"
  | "rules: an operator's intent wins"
  | "settings: what operators have set"
  | "access: as operators have said"
  | "leases: neither early nor late"
  | "persistent: kept until taken back"
  | "tree: an answer is the truth"
  | "tree: no answer is too old"
  | "tree: acknowledged is made"
  | "tree: the order of one client"
  | "tree: the history of its clients"
  | "tree: watches fire once and in order"
  | "tree: sessions"
  | "http: as clients and operators say"
  | "quiet: nothing waits for ever"
  | "settled: a healed cluster is whole"
  | "bug";

/** A checker's finding: the service, if it concerns one, and the facts in words. */
export interface Finding {
  readonly rule: Rule;
  readonly service: ServiceKey | undefined;
  readonly text: string;
}

/** The evidence of all checkers; it is up to date when they see a fact. */
export interface Evidence {
  readonly plan: Plan;
  readonly commits: SeenCommits;
  readonly registrations: Registrations;
  readonly nodes: Nodes;
  readonly rules: SeenRules;
}

/** Judges one rule by the facts. It sees every fact in order; the first finding ends the run. */
export interface Checker {
  see(fact: Fact, nowMs: number): Finding | undefined;
}
