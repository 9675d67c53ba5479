// A connection between two nodes of the cluster, as their transport promises it: messages arrive in order or the
// connection is lost, and then each side is told, late. What is sent before a side has been told is gone.

import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";

/** One end of a link: the process that is there now. */
export interface LinkEnd<Message> {
  up(isFresh: boolean): void;
  down(): void;
  received(message: Message): void;
}

export interface LinkWeather {
  readonly delayMs: number;
  readonly spikeMs: number;
  readonly spikeChance: number;
  /** A lost connection is noticed after at most this. */
  readonly noticeMs: number;
}

/** One end's view, which lags behind the truth. */
class Side<Message> {
  readonly end: LinkEnd<Message>;
  /** The connection that this end believes in; 0 for none. */
  believed = 0;
  /** Counts the processes that were here; what was meant for an earlier one is dropped. */
  life = 1;
  /** The last life of the other end that this process was connected to. */
  knownLife = 0;
  lastMs = 0;

  constructor(end: LinkEnd<Message>) {
    this.end = end;
  }
}

export class Link<ToA, ToB> {
  readonly #scheduler: Scheduler;
  readonly #dice: Dice;
  readonly #weather: LinkWeather;
  readonly #a: Side<ToA>;
  readonly #b: Side<ToB>;
  #connection = 0;
  #isUp = false;

  constructor(
    environment: { scheduler: Scheduler; dice: Dice; weather: LinkWeather },
    ends: { a: LinkEnd<ToA>; b: LinkEnd<ToB> },
  ) {
    this.#scheduler = environment.scheduler;
    this.#dice = environment.dice;
    this.#weather = environment.weather;
    this.#a = new Side(ends.a);
    this.#b = new Side(ends.b);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** False if the sender believes in a connection that is gone. */
  toA(message: ToA): boolean {
    return this.#send(this.#b, this.#a, message);
  }

  toB(message: ToB): boolean {
    return this.#send(this.#a, this.#b, message);
  }

  /** Connects anew. */
  connect(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    const connection = ++this.#connection;
    this.#tellUp(this.#a, this.#b, connection);
    this.#tellUp(this.#b, this.#a, connection);
  }

  /** Loses the connection and what is under way. */
  cut(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#connection++;
    this.#tellDown(this.#a);
    this.#tellDown(this.#b);
  }

  /** The process at one end is gone; the one that comes later knows nothing. */
  died(end: "a" | "b"): void {
    this.cut();
    const side = end === "a" ? this.#a : this.#b;
    side.life++;
    side.believed = 0;
    side.knownLife = 0;
  }

  #send<Message>(from: Side<unknown>, to: Side<Message>, message: Message): boolean {
    const connection = this.#connection;
    if (!this.#isUp || from.believed !== connection) return false;
    this.#later(to, this.#delayMs(), () => {
      if (connection === this.#connection) to.end.received(message);
    });
    return true;
  }

  #tellUp(side: Side<unknown>, other: Side<unknown>, connection: number): void {
    this.#later(side, this.#delayMs(), () => {
      if (connection !== this.#connection) return;
      side.believed = connection;
      const isFresh = side.knownLife !== other.life;
      side.knownLife = other.life;
      side.end.up(isFresh);
    });
  }

  #tellDown(side: Side<unknown>): void {
    this.#later(side, this.#dice.below(1 + this.#weather.noticeMs), () => {
      if (side.believed === 0) return;
      side.believed = 0;
      side.end.down();
    });
  }

  #later(side: Side<unknown>, delayMs: number, run: () => void): void {
    const { life } = side;
    side.lastMs = Math.max(side.lastMs, this.#scheduler.nowMs + delayMs);
    this.#scheduler.at(side.lastMs, () => {
      if (side.life === life) run();
    });
  }

  #delayMs(): number {
    const { delayMs, spikeMs, spikeChance } = this.#weather;
    return this.#dice.below(1 + (this.#dice.chance(spikeChance) ? spikeMs : delayMs));
  }
}
