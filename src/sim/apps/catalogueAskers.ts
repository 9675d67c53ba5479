// Programs that ask sessions which services there are: some once, and one at each session is told every change until
// it gives up, or the session ends.

import type { RegistryError } from "../../base/errors.ts";
import { ALL_SERVICES, groupScope } from "../../model/catalogue.ts";
import type { NodeId } from "../../model/ids.ts";
import { ANY_NAME } from "../../model/namePattern.ts";
import type { CatalogueAnswer, CatalogueAsker } from "../../registry/catalogue.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";

const PAUSE_MS_MAX = 3_000;
const WAIT_MS_MAX = 4_000;
const GIVE_UP_CHANCE = 0.15;
// With all well each slot is told in much less.
const LAST_MS = 4_000;
// All services of a world are in this group.
const SCOPES = [ALL_SERVICES, groupScope({ namespace: "", group: "" })] as const;

export class CatalogueAskers {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  /** Gives up the standing question at each session. */
  readonly #standing = new Map<NodeId, () => void>();
  #questions = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
  }

  start(): void {
    if (this.#environment.plan.asksCatalogue === true) this.#next();
  }

  /** Every session is asked once more, and has a standing question. */
  last(): void {
    if (this.#environment.plan.asksCatalogue !== true) return;
    this.#isOver = true;
    for (const node of this.#cluster.nodesOf("session")) {
      this.#ask(node, { waitMs: LAST_MS, isStanding: false });
      this.#stand(node, LAST_MS);
    }
  }

  /** All standing questions end. */
  stop(): void {
    this.#isOver = true;
    for (const giveUp of this.#standing.values()) giveUp();
    this.#standing.clear();
  }

  #next(): void {
    const { dice, scheduler } = this.#environment;
    scheduler.after(dice.below(PAUSE_MS_MAX), () => {
      if (this.#isOver) return;
      const node = dice.pick(this.#cluster.nodesOf("session"));
      const waitMs = dice.below(WAIT_MS_MAX);
      const id = node.process?.id;
      const giveUp = id === undefined ? undefined : this.#standing.get(id);
      if (id === undefined || giveUp === undefined) this.#stand(node, waitMs);
      else if (dice.chance(GIVE_UP_CHANCE)) {
        giveUp();
        this.#standing.delete(id);
      } else this.#ask(node, { waitMs, isStanding: false });
      this.#next();
    });
  }

  #stand(node: SimNode, waitMs: number): void {
    const id = node.process?.id;
    if (id === undefined || this.#standing.has(id)) return;
    const giveUp = this.#ask(node, { waitMs, isStanding: true });
    if (giveUp !== undefined) this.#standing.set(id, giveUp);
  }

  /** Asks, and returns what gives up; undefined if the node is not there. */
  #ask(
    { session: host, process }: SimNode,
    { waitMs, isStanding }: { waitMs: number; isStanding: boolean },
  ): (() => void) | undefined {
    if (host === undefined || process === undefined) return undefined;
    const { record, dice } = this.#environment;
    const { gate, id: node, time, machine } = process;
    const question = ++this.#questions;
    const isLast = this.#isOver;
    const scope = dice.pick(SCOPES);
    // It may be killed in the middle of its step, and tells nothing then.
    const asker: CatalogueAsker = {
      answer: (answer) => {
        if (process.isRunning) record({ kind: "catalogueAnswered", question, node, ...shown(answer) });
      },
      changed: (entries) => {
        if (process.isRunning) record({ kind: "catalogueTold", question, node, entries });
      },
    };
    gate.message(() => {
      record({ kind: "catalogueAsked", question, node, machine, waitMs, isStanding, isLast });
      host.step({
        kind: "askedCatalogue",
        asker,
        scope,
        pattern: ANY_NAME,
        entriesMax: Number.MAX_SAFE_INTEGER,
        untilMs: time.clock.nowMs() + waitMs,
        isStanding,
      });
    });
    return () =>
      gate.message(() => {
        record({ kind: "catalogueGivenUp", question });
        host.step({ kind: "gaveUpCatalogue", asker });
      });
  }
}

function shown(
  answer: CatalogueAnswer,
): Pick<CatalogueAnswer & { kind: "catalogue" }, "entries" | "isWhole"> & { readonly error?: RegistryError } {
  if (answer.kind === "failed") return { entries: [], isWhole: false, error: answer.error };
  return { entries: answer.entries, isWhole: answer.isWhole };
}
