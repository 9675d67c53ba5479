// A server of Eureka that hears the words of this session's clients, as Eureka's servers hear each other's: in batches,
// soon after each word was carried out here. It passes none of them on. One that it misses is made good by the next
// heartbeat, which it answers with 404 if it does not know the instance. So a word is told for half a minute and then
// forgotten: an older one may contradict a later word of the client elsewhere.

import { defined } from "../../../base/assert.ts";
import type { SentOutcome } from "../../../base/httpSender.ts";
import type { EurekaEnvironment, EurekaMetrics } from "../environment.ts";
import type { Registrations } from "../registrations.ts";
import { answersIn } from "./answers.ts";
import type { PeerUrl } from "./peerUrls.ts";
import { followedBy, type Word, wordJson } from "./word.ts";

interface Parts extends Pick<EurekaEnvironment, "sendHttp" | "log"> {
  readonly metrics: Pick<EurekaMetrics, "add">;
  readonly url: PeerUrl;
  readonly nowMs: () => number;
}

/** The instances that are listed here, and what becomes of those of which the peer has a newer state. */
export type Listing = Pick<Registrations, "listed" | "newer">;

/** The words about one instance, the oldest first. */
interface Waiting {
  readonly sinceMs: number;
  readonly words: readonly Word[];
}

// As Eureka's servers do it.
const BATCH_MAX = 250;
const KEPT_MS = 30_000;
// A server takes a body whole before it reads it.
const BATCH_BYTES_MAX = 1024 * 1024;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const ANSWER_MS = 3_000;
// Some 200 bytes each. Heartbeats of the others are told later.
const WAITING_MAX = 100_000;
const RETRY_MS = 500;
const RETRY_MS_MAX = 5_000;

export class Peer {
  readonly #parts: Parts;
  /** By application and instance, in the order in which they came. */
  readonly #waiting = new Map<string, Waiting>();
  #isSending = false;
  #failures = 0;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Tells the word soon, behind earlier ones of its instance. May be called within a step of the registry. */
  tell(word: Word, nowMs: number): void {
    const key = keyOf(word);
    const { sinceMs, words } = this.#waiting.get(key) ?? { sinceMs: nowMs, words: [] };
    if (words.length === 0 && this.#waiting.size >= WAITING_MAX) return this.#count("dropped", 1);
    this.#waiting.set(key, { sinceMs, words: followedBy(words, word) });
  }

  /** Called twice a second, not within a step of the registry. */
  check(nowMs: number, listing: Listing): void {
    if (this.#isSending || nowMs < this.#nextMs) return;
    const batch = this.#take(nowMs, listing);
    if (batch.length === 0) return;
    const { url, sendHttp } = this.#parts;
    this.#isSending = true;
    const headers = {
      accept: "application/json",
      "content-type": "application/json",
      "x-netflix-discovery-replication": "true",
      ...(url.authorization !== undefined && { authorization: url.authorization }),
    };
    const body = `{"replicationList":[${batch.map(({ text }) => text).join(",")}]}`;
    const limits = { timeoutMs: ANSWER_MS, answerBytesMax: ANSWER_BYTES_MAX };
    sendHttp({ method: "POST", url: url.batchUrl, headers, body, ...limits }, (outcome) => {
      this.#isSending = false;
      this.#heard(batch, outcome, listing);
    });
  }

  #heard(batch: readonly Told[], outcome: SentOutcome, listing: Listing): void {
    const nowMs = this.#parts.nowMs();
    const answers = "failure" in outcome ? outcome.failure : answersIn(outcome, batch.length, nowMs);
    if (typeof answers === "string") return this.#failed(batch, answers, nowMs);
    if (this.#failures > 0) this.#parts.log.info("a peer of Eureka's is told again", { peer: this.#parts.url.shown });
    this.#failures = 0;
    this.#nextMs = Number.NEGATIVE_INFINITY;
    this.#count("told", batch.length);
    for (const [at, { status, instance }] of answers.entries()) {
      const { word } = defined(batch[at], "there are as many answers as words");
      if (instance !== undefined) listing.newer(instance, nowMs);
      else if (status === 404 && word.action === "Heartbeat") this.tell({ ...word, action: "Register" }, nowMs);
      else if (status >= 400 && status !== 404) this.#count("refused", 1);
    }
    this.check(nowMs, listing);
  }

  /** The words of the batch are told again, before those that have come since. */
  #failed(batch: readonly Told[], reason: string, nowMs: number): void {
    const { log, url } = this.#parts;
    if (this.#failures === 0) log.warn("a peer of Eureka's could not be told", { peer: url.shown, reason });
    this.#nextMs = nowMs + Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    const later = new Map(this.#waiting);
    this.#waiting.clear();
    for (const { word, sinceMs } of batch) {
      const words = this.#waiting.get(keyOf(word))?.words ?? [];
      this.#waiting.set(keyOf(word), { sinceMs, words: followedBy(words, word) });
    }
    for (const [key, { sinceMs, words }] of later) {
      const before = this.#waiting.get(key);
      const all = words.reduce(followedBy, before?.words ?? []);
      this.#waiting.set(key, { sinceMs: before?.sinceMs ?? sinceMs, words: all });
    }
  }

  /** Takes a batch of the words that wait. */
  #take(nowMs: number, listing: Listing): Told[] {
    const batch: Told[] = [];
    let bytes = 0;
    for (const [key, { sinceMs, words }] of this.#waiting) {
      if (batch.length + words.length > BATCH_MAX || bytes > BATCH_BYTES_MAX) break;
      this.#waiting.delete(key);
      if (sinceMs + KEPT_MS < nowMs) {
        this.#count("dropped", words.length);
        continue;
      }
      for (const word of words) {
        const text = wordJson(word, listing.listed(word));
        if (text === undefined) continue;
        bytes += text.length;
        batch.push({ word, sinceMs, text });
      }
    }
    return batch;
  }

  #count(outcome: string, words: number): void {
    this.#parts.metrics.add("roster_eureka_peer_words_total", words, { outcome });
  }
}

/** A word of a batch that is under way. */
interface Told {
  readonly word: Word;
  readonly sinceMs: number;
  readonly text: string;
}

function keyOf({ app, instanceId }: Word): string {
  return `${app}\n${instanceId}`;
}
