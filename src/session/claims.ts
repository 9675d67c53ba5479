// Registrations that another client holds at another session. A client of this one has been answered with success
// before that was known. They are said again, so that the client has them when the other one is gone. The leader of
// their slot says when that is; this is for when the leader does not remember.

import type { DataLinks } from "./dataLinks.ts";
import type { Publications } from "./publications.ts";

// As long as a client waits whose old connection at its own session is dead.
const CLAIM_MS = 2_000;
// A new leader has heard all sessions within this, unless one of them is lost, and knows what others hold.
const NEW_LEADER_MS = 6_000;
// The others wait for their turn. Whoever registers large ones in vain must not keep the links busy.
const CLAIMS = { publicationsMax: 100, bytesMax: 1024 * 1024 };

export class Claims {
  readonly #publications: Publications;
  readonly #links: DataLinks;
  #nextMs = 0;

  constructor(publications: Publications, links: DataLinks) {
    this.#publications = publications;
    this.#links = links;
  }

  nextMs(): number {
    return this.#publications.isContested ? this.#nextMs : Number.POSITIVE_INFINITY;
  }

  /** A data node has just said what is contested. */
  told(nowMs: number): void {
    if (this.#nextMs <= nowMs) this.#nextMs = nowMs + CLAIM_MS;
  }

  /** Slots have new leaders. */
  moved(nowMs: number): void {
    if (this.#publications.isContested) this.#nextMs = nowMs + NEW_LEADER_MS;
  }

  wake(nowMs: number): void {
    if (nowMs < this.nextMs()) return;
    this.#nextMs = nowMs + CLAIM_MS;
    for (const publication of this.#publications.claims(CLAIMS)) this.#links.publish({ kind: "put", publication });
  }
}
