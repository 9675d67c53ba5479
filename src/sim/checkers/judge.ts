// All checkers on one world. They see every fact in order, after their shared evidence has taken it in; the first
// finding stands.

import type { Fact } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { AccessChecker } from "./access.ts";
import { AddressChecker } from "./addresses.ts";
import { AppRevisionChecker } from "./appRevisions.ts";
import { Bounds } from "./bounds.ts";
import { CatalogueChecker } from "./catalogues.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { SeenCommits } from "./commits.ts";
import { CompletenessChecker } from "./completeness.ts";
import { ConfigChecker } from "./configs.ts";
import { Convergence } from "./convergence.ts";
import { Copies } from "./copies.ts";
import { DeadClients } from "./deadClients.ts";
import { EndedConnections } from "./endedConnections.ts";
import { Epochs } from "./epochs.ts";
import { FollowerChecker } from "./followers.ts";
import { HttpChecker } from "./http.ts";
import { LeadChecker } from "./lead.ts";
import { LeaseChecker } from "./leases.ts";
import { LinkChecker } from "./links.ts";
import { NewestWins } from "./newestWins.ts";
import { Nodes } from "./nodes.ts";
import { Owners } from "./owners.ts";
import { PersistentChecker } from "./persistent.ts";
import { QueryChecker } from "./queries.ts";
import { Registrations } from "./registrations.ts";
import { Revisions } from "./revisions.ts";
import { RuleChecker } from "./rules.ts";
import { SeenRules } from "./seenRules.ts";
import { SettingsChecker } from "./settings.ts";
import { Settled } from "./settled.ts";
import { SlotPauseChecker } from "./slotPauses.ts";
import { StrangerChecker } from "./strangers.ts";
import { SubscriberOrder } from "./subscriberOrder.ts";
import { SurveyChecker } from "./surveys.ts";
import { Timeliness } from "./timeliness.ts";
import { TreeChecker } from "./tree/treeChecker.ts";
import { UndueRemoval } from "./undueRemoval.ts";
import { VersionsGrow } from "./versionsGrow.ts";
import { WholeVersions } from "./wholeVersions.ts";

/** Judges one run. */
export class Judge {
  readonly #evidence: Evidence;
  readonly #checkers: readonly Checker[];
  #finding: Finding | undefined;

  constructor(plan: Plan) {
    const evidence = {
      plan,
      commits: new SeenCommits(),
      registrations: new Registrations(),
      nodes: new Nodes(plan),
      rules: new SeenRules(),
    };
    this.#evidence = evidence;
    this.#checkers = [
      new VersionsGrow(evidence),
      new WholeVersions(evidence),
      new NewestWins(evidence),
      new Owners(evidence),
      new SubscriberOrder(evidence),
      new UndueRemoval(evidence),
      new DeadClients(evidence),
      new EndedConnections(evidence),
      new Timeliness(evidence),
      new QueryChecker(evidence),
      new Bounds(),
      new LeadChecker(evidence),
      new SlotPauseChecker(evidence),
      new Epochs(),
      new Revisions(),
      new CompletenessChecker(evidence),
      new Copies(),
      new LinkChecker(evidence),
      new StrangerChecker(),
      new FollowerChecker(evidence),
      new ConfigChecker(evidence),
      new RuleChecker(evidence),
      new SettingsChecker(evidence),
      new CatalogueChecker(evidence),
      new AddressChecker(evidence),
      new AppRevisionChecker(),
      new SurveyChecker(evidence),
      new LeaseChecker(evidence),
      new HttpChecker(evidence),
      new PersistentChecker(),
      ...(plan.treeClients === undefined ? [] : [new TreeChecker()]),
      new AccessChecker(),
      new Convergence(evidence),
      new Settled(evidence),
    ];
  }

  get finding(): Finding | undefined {
    return this.#finding;
  }

  see(fact: Fact, nowMs: number): void {
    if (this.#finding !== undefined) return;
    if (fact.kind === "bug") {
      this.#finding = { rule: "bug", service: undefined, text: `${fact.where}: ${fact.what}` };
      return;
    }
    if (fact.kind === "unfinished") {
      const text = `${fact.node}: ${fact.what}`;
      this.#finding = { rule: "quiet: nothing waits for ever", service: undefined, text };
      return;
    }
    const { commits, registrations, nodes, rules } = this.#evidence;
    commits.see(fact, nowMs);
    registrations.see(fact, nowMs);
    nodes.see(fact, nowMs);
    rules.see(fact, nowMs);
    for (const checker of this.#checkers) {
      this.#finding ??= checker.see(fact, nowMs);
    }
  }
}
