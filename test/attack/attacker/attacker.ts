// The interface for the code of an attack. It runs in the attacker's own process, which ends with the attack.

import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "../target.ts";
import { AttackConnection, type AttackConnectionOptions } from "./attackConnection.ts";
import type { FrameTemplate } from "./frameTemplate.ts";
import type { Tally } from "./tally.ts";

export type OpenOptions = Omit<AttackConnectionOptions, "host" | "port">;

// The attacker comes from the address that honest clients come from too, unless the attack says another.
const BATCH_BYTES = 64 * 1024;

export class Attacker {
  readonly target: Target;
  /** How much of it is to be sent. */
  readonly size: number;
  readonly isFull: boolean;
  readonly tally: Tally;
  readonly #endMs: number;

  constructor(target: Target, how: { size: number; isFull: boolean; durationMs: number }, tally: Tally) {
    this.target = target;
    this.size = how.size;
    this.isFull = how.isFull;
    this.tally = tally;
    this.#endMs = performance.now() + how.durationMs;
  }

  /** The time of the attack is up. */
  get isOver(): boolean {
    return performance.now() > this.#endMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#endMs - performance.now());
  }

  /** A connection as a client makes it. Rejects if the server takes none. */
  async open(options: OpenOptions = {}): Promise<AttackConnection> {
    const { host, boltPort: port } = this.target;
    const connection = await AttackConnection.open({ host, port, ...options }, this.tally);
    this.tally.connections++;
    return connection;
  }

  /** A bare socket to any of the ports; undefined if the server takes none. Its end is counted. */
  async dial(port: number, localAddress?: string): Promise<Socket | undefined> {
    const local = localAddress === undefined ? {} : { localAddress };
    const socket = createConnection({ host: this.target.host, port, noDelay: true, ...local });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.on("error", () => socket.destroy());
    if (!isOpen) {
      this.tally.closed++;
      return undefined;
    }
    this.tally.connections++;
    socket.once("close", () => this.tally.closed++);
    return socket;
  }

  /** Sends the frames of a template with the numbers from `from` on, as many as the attack is large. */
  async sendAll(connection: AttackConnection, template: FrameTemplate, { from = 0, count = this.size } = {}) {
    const atOnce = Math.max(1, Math.floor(BATCH_BYTES / template.bytes));
    for (let at = from; at < from + count && !this.isOver && !connection.isClosed; at += atOnce) {
      await connection.send(template.batch(at, Math.min(atOnce, from + count - at)));
    }
  }

  /** Waits until the server has answered so many requests, has closed the connection, or the time is up. */
  async answered(connection: AttackConnection, count: number): Promise<void> {
    await this.until(() => connection.answers >= count || connection.isClosed);
  }

  /** Waits for something, until the time is up; says whether it has come. */
  async until(condition: () => boolean): Promise<boolean> {
    while (!condition()) {
      if (this.isOver) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  pause(durationMs: number): Promise<void> {
    return sleep(durationMs);
  }
}

const POLL_MS = 10;
