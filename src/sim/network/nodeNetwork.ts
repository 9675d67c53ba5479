// The network between the nodes of a cluster: which machines reach each other, and the time that it takes. A blocked
// way is like a firewall or a dead cable: nothing arrives, and neither end is told.

import type { Cancel } from "../../base/ports.ts";
import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Gate } from "./gate.ts";

export interface LinkWeather {
  readonly delayMs: number;
  readonly spikeMs: number;
  readonly spikeChance: number;
  /** A connection that is reset is noticed after at most this. */
  readonly noticeMs: number;
}

/** A process as the network sees it. */
export interface NetworkProcess {
  readonly machine: string;
  readonly gate: Gate;
  readonly isRunning: boolean;
}

/** One way between two machines. */
export interface Way {
  readonly from: string;
  readonly to: string;
}

/** A connection, as far as the network cares. */
export interface Attached {
  readonly ends: readonly [NetworkProcess, NetworkProcess];
  /** The blocked ways have changed. */
  review(): void;
  /** It is lost with all messages under way, and both sides are told. */
  reset(): void;
}

export class NodeNetwork {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly #weather: LinkWeather;
  readonly #blocked = new Map<string, number>();
  readonly #attached = new Set<Attached>();
  #extraDelayMs = 0;

  constructor(environment: { scheduler: Scheduler; dice: Dice; weather: LinkWeather }) {
    this.scheduler = environment.scheduler;
    this.dice = environment.dice;
    this.#weather = environment.weather;
  }

  get noticeMs(): number {
    return this.#weather.noticeMs;
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(`${from}>${to}`);
  }

  /** Blocks these ways until the returned function is called; ways may be blocked more than once. */
  block(ways: readonly Way[]): Cancel {
    for (const way of ways) this.#count(way, 1);
    this.review();
    let isOpen = false;
    return () => {
      if (isOpen) return;
      isOpen = true;
      for (const way of ways) this.#count(way, -1);
      this.review();
    };
  }

  /** Delays all messages between machines by up to this from now on. */
  setExtraDelay(delayMs: number): void {
    this.#extraDelayMs = delayMs;
  }

  /** The delay of the next message. */
  delayMs(from: string, to: string): number {
    if (from === to) return 0;
    const { delayMs, spikeMs, spikeChance } = this.#weather;
    const mostMs = (this.dice.chance(spikeChance) ? spikeMs : delayMs) + this.#extraDelayMs;
    return this.dice.below(1 + mostMs);
  }

  attach(connection: Attached): void {
    this.#attached.add(connection);
  }

  detach(connection: Attached): void {
    this.#attached.delete(connection);
  }

  /** The open connections between machines. */
  connections(): readonly Attached[] {
    return [...this.#attached].filter(({ ends: [a, b] }) => a.machine !== b.machine);
  }

  /** A process was stopped, went on, or vanished, or a way was blocked or opened. */
  review(): void {
    for (const connection of [...this.#attached]) connection.review();
  }

  #count({ from, to }: Way, by: number): void {
    const key = `${from}>${to}`;
    const count = (this.#blocked.get(key) ?? 0) + by;
    if (count === 0) this.#blocked.delete(key);
    else this.#blocked.set(key, count);
  }
}
