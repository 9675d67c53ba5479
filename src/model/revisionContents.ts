// The contents of revisions that a node keeps: those used last. A revision never changes, so a copy is never
// wrong, and one that was let go is fetched again.

import type { AppRevision } from "./appRevision.ts";

// Each also takes a few hundred bytes beside its content, and its services as texts.
const ENTRY_BYTES = 500;
const SERVICE_BYTES = 150;

export class RevisionContents {
  readonly #bytesMax: number;
  /** In the order of their last use. */
  readonly #byId = new Map<string, AppRevision>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#byId.size;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** The content, which counts as used now. */
  take(id: string): AppRevision | undefined {
    const revision = this.#byId.get(id);
    if (revision === undefined) return undefined;
    this.#byId.delete(id);
    this.#byId.set(id, revision);
    return revision;
  }

  /** Keeps a content, and lets go of those that were not used for longest if there is no room. */
  keep(revision: AppRevision): void {
    if (this.#byId.has(revision.id)) return;
    this.#byId.set(revision.id, revision);
    this.#bytes += bytesOf(revision);
    for (const oldest of this.#byId.values()) {
      if (this.#bytes <= this.#bytesMax || oldest === revision) return;
      this.#byId.delete(oldest.id);
      this.#bytes -= bytesOf(oldest);
    }
  }

  delete(id: string): void {
    const revision = this.#byId.get(id);
    if (revision === undefined) return;
    this.#byId.delete(id);
    this.#bytes -= bytesOf(revision);
  }
}

function bytesOf({ content, services }: AppRevision): number {
  return ENTRY_BYTES + content.length + services.length * SERVICE_BYTES;
}
