// One TCP connection between two nodes. Messages arrive in order, and none is lost from the middle: on a blocked way
// all wait, until the way opens or a side that hears nothing for five seconds closes the connection.

import type { NetworkProcess, NodeNetwork } from "./nodeNetwork.ts";
import type { Words } from "./nodeWords.ts";

/** The events for the owner of one end. Nothing comes after `down`. */
export interface LinkHandlers<In> {
  received(message: In): void;
  down(): void;
}

/** The encoding of each direction of a connection. */
export interface LinkWords<ToListener, ToDialer> {
  readonly toListener: Words<ToListener>;
  readonly toDialer: Words<ToDialer>;
}

/** One end of a connection. */
export interface LinkEnd<Out> {
  /** False if this side knows that the connection is gone. */
  send(message: Out): boolean;
  /** Ends it; the caller's own handlers are not told. */
  close(): void;
}

// Both ends send something each second; an end that hears nothing for five seconds closes.
const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 5_000;
// After a way opens, TCP tries again only when its timer says so.
const RESEND_MS_MAX = 1_000;

class Side<In> {
  readonly process: NetworkProcess;
  /** Undefined until the handshake has come so far. */
  handlers: LinkHandlers<In> | undefined;
  isClosed = false;
  /** Messages that have arrived on a blocked way; they wait there. */
  held: (() => void)[] = [];
  lastMs = 0;
  isStarving = false;
  starvations = 0;

  constructor(process: NetworkProcess) {
    this.process = process;
  }
}

export class Link<ToListener, ToDialer> {
  readonly ends: readonly [NetworkProcess, NetworkProcess];
  readonly #network: NodeNetwork;
  readonly #dialer: Side<ToDialer>;
  readonly #listener: Side<ToListener>;
  readonly #words: LinkWords<ToListener, ToDialer>;
  #isReset = false;

  constructor(
    network: NodeNetwork,
    { dialer, listener }: { dialer: NetworkProcess; listener: NetworkProcess },
    words: LinkWords<ToListener, ToDialer>,
  ) {
    this.#network = network;
    this.#words = words;
    this.#dialer = new Side(dialer);
    this.#listener = new Side(listener);
    this.ends = [dialer, listener];
    network.attach(this);
    this.review();
  }

  get dialerEnd(): LinkEnd<ToListener> {
    return {
      send: (message) => {
        if (this.#dialer.isClosed) return false;
        const read = this.#words.toListener.send(message);
        return this.#send(this.#listener, () => this.#listener.handlers?.received(read()));
      },
      close: () => this.#close(this.#dialer, this.#listener),
    };
  }

  get listenerEnd(): LinkEnd<ToDialer> {
    return {
      send: (message) => {
        if (this.#listener.isClosed) return false;
        const read = this.#words.toDialer.send(message);
        return this.#send(this.#dialer, () => this.#dialer.handlers?.received(read()));
      },
      close: () => this.#close(this.#listener, this.#dialer),
    };
  }

  /** The handshake: the dialer sends its identity, the listener accepts and sends its own. */
  shakeHands(accept: () => LinkHandlers<ToListener>, up: () => LinkHandlers<ToDialer>): void {
    this.#send(this.#listener, () => {
      // The answer is on its way before anything that the new owner sends.
      this.#send(this.#dialer, () => {
        this.#dialer.handlers = up();
      });
      this.#listener.handlers = accept();
    });
  }

  /** Called if the connection ends before the handshake has. */
  onDialerDown(down: () => void): void {
    this.#dialer.handlers = { received: () => undefined, down };
  }

  review(): void {
    for (const [side, other] of [
      [this.#dialer, this.#listener],
      [this.#listener, this.#dialer],
    ] as const) {
      this.#reviewSide(side, other);
    }
  }

  reset(): void {
    if (this.#isReset) return;
    this.#isReset = true;
    this.#network.detach(this);
    for (const side of [this.#dialer, this.#listener]) {
      const noticeMs = this.#network.dice.below(1 + this.#network.noticeMs);
      this.#network.scheduler.after(noticeMs, () => side.process.gate.message(() => this.#closed(side)));
    }
  }

  /** The process at one end is gone: its kernel reports it, unless its machine is gone too. */
  died(process: NetworkProcess, isSilent: boolean): void {
    const [side, other] =
      this.#dialer.process === process ? [this.#dialer, this.#listener] : [this.#listener, this.#dialer];
    side.handlers = undefined;
    if (!isSilent) return this.#close(side, other);
    side.isClosed = true;
    this.#reviewSide(other, side);
  }

  #send(to: Side<unknown>, deliver: () => void): boolean {
    const from = to === this.#dialer ? this.#listener : this.#dialer;
    const { scheduler } = this.#network;
    const delayMs = this.#network.delayMs(from.process.machine, to.process.machine);
    to.lastMs = Math.max(to.lastMs, scheduler.nowMs + delayMs);
    scheduler.at(to.lastMs, () => {
      if (to.held.length > 0 || this.#isBlockedTo(to)) to.held.push(deliver);
      else this.#deliver(to, deliver);
    });
    return true;
  }

  #deliver(to: Side<unknown>, deliver: () => void): void {
    if (this.#isReset) return;
    to.process.gate.message(() => {
      if (!to.isClosed) deliver();
    });
  }

  #close(side: Side<unknown>, other: Side<unknown>): void {
    if (side.isClosed) return;
    side.isClosed = true;
    side.handlers = undefined;
    if (other.isClosed) this.#network.detach(this);
    else this.#send(other, () => this.#closed(other));
  }

  /** The side learns of the end. */
  #closed(side: Side<unknown>): void {
    if (side.isClosed) return;
    const { handlers } = side;
    this.#close(side, side === this.#dialer ? this.#listener : this.#dialer);
    handlers?.down();
  }

  #reviewSide(side: Side<unknown>, other: Side<unknown>): void {
    if (side.isClosed) return;
    const isBlocked = this.#isBlockedTo(side);
    if (!isBlocked && side.held.length > 0) this.#resendSoon(side);
    const isStarving = isBlocked || other.process.gate.isPaused || !other.process.isRunning;
    if (isStarving && !side.isStarving) this.#starve(side);
    side.isStarving = isStarving;
  }

  /** Closes the side in five seconds if it still hears nothing then. */
  #starve(side: Side<unknown>): void {
    const starvation = ++side.starvations;
    const { scheduler, dice } = this.#network;
    const { gate } = side.process;
    const isOver = () => side.isClosed || !side.isStarving || side.starvations !== starvation;
    const check = () => {
      if (isOver()) return;
      // A process that was stopped first reads the input that has come meanwhile.
      if (gate.hasMail) scheduler.after(HEARTBEAT_MS, () => gate.timer(check));
      else this.#closed(side);
    };
    scheduler.after(SILENCE_MS - dice.below(HEARTBEAT_MS), () => {
      if (!isOver()) gate.timer(check);
    });
  }

  #resendSoon(side: Side<unknown>): void {
    this.#network.scheduler.after(this.#network.dice.below(RESEND_MS_MAX), () => {
      if (this.#isBlockedTo(side)) return;
      const { held } = side;
      side.held = [];
      for (const deliver of held) this.#deliver(side, deliver);
    });
  }

  #isBlockedTo(side: Side<unknown>): boolean {
    const from = side === this.#dialer ? this.#listener : this.#dialer;
    return this.#network.isBlocked(from.process.machine, side.process.machine);
  }
}
