// Identities and policies at a node without the store: it asks the leading meta node for changes twice a second, or
// another meta node while none leads. While no meta node answers, it goes on with what it knows.

import type { AccessSet } from "../../access/accessSet.ts";
import { type AccessView, readTold } from "../../access/accessTold.ts";
import type { Cancel, Timers } from "../../base/ports.ts";
import type { OperationCalls, OperationTarget } from "../../cluster/links/operationCalls.ts";
import type { NodeId } from "../../model/ids.ts";
import { LOOK_MS } from "./accessKeeper.ts";

/**
 * The name under which nodes ask for identities and policies, with the epoch that they have as the parameters. No
 * operation of operators has it, so no HTTP path leads here.
 */
export const TELL_ACCESS = "access/tell";

export interface FollowerEnvironment {
  readonly ask: OperationCalls["ask"];
  readonly metaNodes: () => Iterable<NodeId>;
  readonly timers: Timers;
  /** The node has the next set. */
  readonly changed: (set: AccessSet) => void;
}

// A meta node has the answer in its memory.
const ANSWER_MS_MAX = 2_000;

export class AccessFollower {
  readonly #environment: FollowerEnvironment;
  readonly #view: AccessView;
  #cancel: Cancel = () => undefined;
  #isClosed = false;
  #asking: Promise<boolean> | undefined;
  #hasHeard = false;

  constructor(environment: FollowerEnvironment, view: AccessView) {
    this.#environment = environment;
    this.#view = view;
  }

  /** Whether a meta node has told what there is. */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  /** Asks from now on. */
  begin(): void {
    void this.refresh().then(() => {
      if (this.#isClosed) return;
      this.#cancel = this.#environment.timers.after(LOOK_MS, () => this.begin());
    });
  }

  /** Asks once. Resolves with whether a meta node has answered. */
  refresh(): Promise<boolean> {
    this.#asking ??= this.#askAll().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #askAll(): Promise<boolean> {
    if (await this.#ask("leader", this.#view.set.epoch)) return true;
    for (const node of this.#environment.metaNodes()) if (await this.#ask(node, this.#view.set.epoch)) return true;
    return false;
  }

  /** Returns false if that node does not answer. */
  async #ask(to: OperationTarget, epoch: bigint): Promise<boolean> {
    const body = await this.#answer(to, epoch);
    if (body === undefined || this.#isClosed) return false;
    this.#hasHeard = true;
    if (body === "null") return true;
    const told = readTold(body);
    if (told === undefined) return false;
    const outcome = this.#view.received(told);
    if (outcome === "taken") this.#environment.changed(this.#view.set);
    return outcome === "behind" && epoch !== 0n ? this.#ask(to, 0n) : outcome !== "behind";
  }

  #answer(to: OperationTarget, epoch: bigint): Promise<string | undefined> {
    const asked = { operation: TELL_ACCESS, parameters: String(epoch) };
    return new Promise((resolve) => {
      this.#environment.ask(to, { asked, waitMs: ANSWER_MS_MAX }, (outcome) =>
        resolve(outcome.kind === "answered" && outcome.status === 200 ? outcome.body : undefined),
      );
    });
  }
}
