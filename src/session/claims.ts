// Registrations that clients want at one session and others hold at another. One part is wanted here: a client was
// answered with success before it was known that another one holds them. They are sent again, so that the client gets
// them when the other one is gone; the leader of their slot reports that, and the repetition covers a leader that does
// not remember. The other part is held here, and wanted elsewhere by what may be the same client: the holder is asked,
// and the registrations for which it does not answer go to the other session.

import { Deadlines } from "../base/deadlines.ts";
import type { InventoryEntry } from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Publications } from "./publications.ts";
import { answerDueMs, isGone, mayBeReplaced, type When } from "./takeOver.ts";

// As long as a client waits whose old connection at its own session is dead.
const CLAIM_MS = 2_000;
// Within this a new leader has heard all sessions, unless one is lost, and knows what others hold.
const NEW_LEADER_MS = 6_000;
// The others wait for their turn. A client that registers large ones in vain must not keep the links busy.
const CLAIMS = { publicationsMax: 100, bytesMax: 1024 * 1024 };

export class Claims {
  readonly #publications: Publications;
  readonly #links: DataLinks;
  // Registrations held here, and the time by which their client should have answered.
  readonly #answers = new Deadlines<InventoryEntry>();
  #nextMs = 0;

  constructor(publications: Publications, links: DataLinks) {
    this.#publications = publications;
    this.#links = links;
  }

  nextMs(): number {
    return Math.min(this.#answers.nextMs(), this.#claimsMs);
  }

  get #claimsMs(): number {
    return this.#publications.isContested ? this.#nextMs : Number.POSITIVE_INFINITY;
  }

  /** A data node reports that these are wanted at other sessions. */
  challenged(registrations: readonly InventoryEntry[], when: When): void {
    const yielded = registrations.filter((entry) => {
      const client = this.#publications.answersFor(entry)?.client;
      if (client === undefined) return false;
      if (mayBeReplaced(client, when)) return true;
      this.#answers.set(entry, answerDueMs(client, when.resumedMs));
      return false;
    });
    this.#yield(yielded);
  }

  /** A data node has just heard of the contested registrations. */
  told(nowMs: number): void {
    if (this.#nextMs <= nowMs) this.#nextMs = nowMs + CLAIM_MS;
  }

  /** These slots have new leaders. */
  moved(slots: ReadonlySet<number>, nowMs: number): void {
    for (const publication of this.#publications.renewed(slots)) this.#links.publish({ kind: "put", publication });
    if (this.#publications.isContested) this.#nextMs = nowMs + NEW_LEADER_MS;
  }

  wake(when: When): void {
    const { nowMs } = when;
    if (nowMs >= this.#answers.nextMs()) this.#judgeAnswers(when);
    if (nowMs < this.#claimsMs) return;
    this.#nextMs = nowMs + CLAIM_MS;
    for (const publication of this.#publications.claims(CLAIMS)) this.#links.publish({ kind: "put", publication });
  }

  #judgeAnswers(when: When): void {
    const yielded: InventoryEntry[] = [];
    for (let entry = this.#answers.take(when.nowMs); entry !== undefined; entry = this.#answers.take(when.nowMs)) {
      const client = this.#publications.answersFor(entry)?.client;
      if (client !== undefined && isGone(client, when)) yielded.push(entry);
    }
    this.#yield(yielded);
  }

  /**
   * A yielded registration stays here until the other client has it, like one that its client's own return has outrun.
   */
  #yield(entries: readonly InventoryEntry[]): void {
    const byLeader = new Map<NodeId, InventoryEntry[]>();
    for (const entry of entries) {
      const leader = this.#links.leader(entry.serviceKey);
      if (leader === undefined || !this.#links.isReachable(leader)) continue;
      const ofLeader = byLeader.get(leader) ?? [];
      byLeader.set(leader, ofLeader);
      ofLeader.push(entry);
    }
    for (const [leader, registrations] of byLeader) this.#links.send(leader, { kind: "yielded", registrations });
  }
}
