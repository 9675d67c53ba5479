// Which sessions keep registrations: those that are members of the cluster and have said that they can. During an
// upgrade sessions of the release before are members too, and would keep nothing.

import type { NodeId } from "../model/ids.ts";
import type { KeeperOutput, KeeperTimes } from "./keeperPorts.ts";
import { keeperBytes, keeperRecord } from "./recordForm.ts";

const RETRY_MS = 2_000;
const TIDY_MS = 60_000;

interface Parts {
  readonly id: NodeId;
  readonly output: Pick<KeeperOutput, "commit">;
  readonly times: KeeperTimes;
}

export class Presence {
  readonly #parts: Parts;
  #announceMs = Number.POSITIVE_INFINITY;
  #tidyMs = Number.POSITIVE_INFINITY;
  #members: ReadonlySet<NodeId> = new Set();
  #keepers: ReadonlySet<NodeId> = new Set();
  /** The time since which a session that has said that it can keep registrations is no member. */
  readonly #absent = new Map<NodeId, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The sessions that keep registrations now. */
  get sessions(): NodeId[] {
    return [...this.#members].filter((id) => this.#keepers.has(id));
  }

  /** The records of keepers, once they are known. */
  known(keepers: ReadonlySet<NodeId>, nowMs: number): void {
    this.#keepers = keepers;
    if (this.#tidyMs === Number.POSITIVE_INFINITY) this.#tidyMs = nowMs + TIDY_MS;
    if (keepers.has(this.#parts.id)) this.#announceMs = Number.POSITIVE_INFINITY;
    else if (this.#announceMs === Number.POSITIVE_INFINITY) this.#announceMs = nowMs;
  }

  membersChanged(members: readonly NodeId[]): void {
    this.#members = new Set(members);
  }

  nextMs(): number {
    return Math.min(this.#announceMs, this.#tidyMs);
  }

  wake(nowMs: number): void {
    if (nowMs >= this.#announceMs) this.#announce(nowMs);
    if (nowMs >= this.#tidyMs) this.#tidy(nowMs);
  }

  #announce(nowMs: number): void {
    const { id, output } = this.#parts;
    // The copy shows it then, and ends this. Otherwise it is tried again.
    this.#announceMs = nowMs + RETRY_MS;
    const operations = [{ kind: "put", key: keeperRecord(id), value: keeperBytes() }] as const;
    output.commit({ conditions: [], operations }, () => undefined);
  }

  /** Sessions have a new id each time that they start. The first of those that keep something removes the old ones. */
  #tidy(nowMs: number): void {
    const { id, output, times } = this.#parts;
    this.#tidyMs = nowMs + TIDY_MS;
    for (const node of this.#absent.keys())
      if (this.#members.has(node) || !this.#keepers.has(node)) this.#absent.delete(node);
    for (const node of this.#keepers)
      if (!this.#members.has(node) && !this.#absent.has(node)) this.#absent.set(node, nowMs);
    if (this.sessions.sort()[0] !== id) return;
    const gone = [...this.#absent].filter(([, sinceMs]) => nowMs >= sinceMs + times.absentMs).slice(0, OPERATIONS);
    const operations = gone.map(([node]) => ({ kind: "delete", key: keeperRecord(node) }) as const);
    if (operations.length > 0) output.commit({ conditions: [], operations }, () => undefined);
  }
}

const OPERATIONS = 50;
