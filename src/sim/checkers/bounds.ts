// Rule 8, as far as the network shows it: bytes that wait for a client that does not read, the size of batches, and the
// number of batches under way.

import { BATCH_ITEMS_MAX, INVENTORY_ENTRIES_MAX, type SessionToData } from "../../cluster/messages/sessionData.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";

// The gateway holds pushes back above 1 MiB; one push may cross that, and answers still follow.
const UNREAD_BYTES_MAX = 1024 * 1024;
const ANSWER_BYTES_MAX = 64 * 1024;

export class Bounds implements Checker {
  #largestWrite = 0;
  // By link: a batch that was sent and neither answered nor lost.
  readonly #underWay = new Map<string, { batch: number; epoch: bigint }>();

  see(fact: Fact): Finding | undefined {
    switch (fact.kind) {
      case "buffered":
        return this.#buffered(fact);
      case "asked":
        return fact.isLost ? undefined : this.#asked(fact, fact.message);
      case "told":
        if (fact.message.kind === "taken" || fact.message.kind === "moved") this.#answered(fact, fact.message.batch);
        return undefined;
      case "linkLost":
        this.#underWay.delete(`${fact.session} ${fact.data}`);
        return undefined;
      default:
        return undefined;
    }
  }

  #buffered({ client, bytes, written }: { client: string; bytes: number; written: number }): Finding | undefined {
    this.#largestWrite = Math.max(this.#largestWrite, written);
    const bytesMax = UNREAD_BYTES_MAX + this.#largestWrite + ANSWER_BYTES_MAX;
    if (bytes <= bytesMax) return undefined;
    return bounded(`${bytes} bytes wait for ${client}, more than ${bytesMax}`);
  }

  /** The answer to a batch that was sorted anew does not concern the next one. */
  #answered({ from, to }: { from: string; to: string }, batch: number): void {
    const link = `${to} ${from}`;
    if (this.#underWay.get(link)?.batch === batch) this.#underWay.delete(link);
  }

  #asked(where: { from: string; to: string }, message: SessionToData): Finding | undefined {
    if (message.kind === "publish") return this.#batch(where, message);
    if (message.kind !== "inventory" || message.entries.length <= INVENTORY_ENTRIES_MAX) return undefined;
    return bounded(`a part of an inventory from ${where.from} to ${where.to} has ${message.entries.length} entries`);
  }

  #batch(
    { from, to }: { from: string; to: string },
    { batch, items, epoch }: SessionToData & { kind: "publish" },
  ): Finding | undefined {
    const key = `${from} ${to}`;
    const other = this.#underWay.get(key);
    this.#underWay.set(key, { batch, epoch });
    if (items.length > BATCH_ITEMS_MAX) return bounded(`a batch from ${from} to ${to} has ${items.length} items`);
    // With a newer table everything is sorted anew, even items under way.
    if (other === undefined || other.epoch < epoch) return undefined;
    return bounded(`${from} sent batch ${batch} to ${to} while ${other.batch} is under way`);
  }
}

function bounded(text: string): Finding {
  return { rule: "8 everything is bounded", service: undefined, text };
}
