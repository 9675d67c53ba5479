// Bolt's idle watch, as in the Java client: a read timer and a write timer each ring after 15 s of silence. Each ring
// sends a heartbeat, and a ring that finds three in a row unanswered gives up the connection.

const IDLE_MS = 15_000;
const UNANSWERED_MAX = 3;

export type Ring = "nothing" | "send" | "giveUp";

export class HeartbeatTimer {
  #readRingMs = Number.POSITIVE_INFINITY;
  #writeRingMs = Number.POSITIVE_INFINITY;
  #unanswered = 0;

  begin(nowMs: number): void {
    this.#readRingMs = nowMs + IDLE_MS;
    this.#writeRingMs = nowMs + IDLE_MS;
    this.#unanswered = 0;
  }

  end(): void {
    this.#readRingMs = Number.POSITIVE_INFINITY;
    this.#writeRingMs = Number.POSITIVE_INFINITY;
  }

  postponeRead(nowMs: number): void {
    this.#readRingMs = nowMs + IDLE_MS;
  }

  postponeWrite(nowMs: number): void {
    this.#writeRingMs = nowMs + IDLE_MS;
  }

  answered(): void {
    this.#unanswered = 0;
  }

  nextWakeMs(): number {
    return Math.min(this.#readRingMs, this.#writeRingMs);
  }

  /** The action that is due now. After `send` the caller sends a heartbeat. */
  ring(nowMs: number): Ring {
    if (this.nextWakeMs() > nowMs) return "nothing";
    if (this.#readRingMs <= nowMs) this.#readRingMs = nowMs + IDLE_MS;
    if (this.#writeRingMs <= nowMs) this.#writeRingMs = nowMs + IDLE_MS;
    if (this.#unanswered >= UNANSWERED_MAX) return "giveUp";
    this.#unanswered++;
    return "send";
  }
}
