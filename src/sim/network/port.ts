// A process listens on a port for one kind of link; others get a link by dialling, and dial again when it fails or
// ends.

import type { NodeId } from "../../model/ids.ts";
import { Link, type LinkEnd, type LinkHandlers, type LinkWords } from "./link.ts";
import type { NetworkProcess, NodeNetwork } from "./nodeNetwork.ts";
import { BY_REFERENCE } from "./nodeWords.ts";

/** The dialling process, as named in its first message. */
export interface Caller extends NetworkProcess {
  readonly id: NodeId;
}

export interface Listener<ToListener, ToDialer> {
  readonly id: NodeId;
  readonly process: NetworkProcess;
  accept(from: NodeId, end: LinkEnd<ToDialer>): LinkHandlers<ToListener>;
}

/** The events of a link for its caller: up and down as often as it is made and lost. */
export interface DialHandlers<In> {
  up(peer: NodeId): void;
  down(peer: NodeId): void;
  received(peer: NodeId, message: In): void;
}

/** A link that is kept: made again whenever it is lost. */
export interface Dialed<Out> {
  send(message: Out): boolean;
  /** Ends it for ever; neither side is told. */
  close(): void;
}

/** The target of a link; `expected` is undefined for any process there. */
export interface Place {
  readonly machine: string;
  readonly expected: NodeId | undefined;
}

interface OpenLink {
  readonly processes: readonly [NetworkProcess, NetworkProcess];
  died(process: NetworkProcess, isSilent: boolean): void;
}

const IN_ONE_PROCESS = { toListener: BY_REFERENCE, toDialer: BY_REFERENCE } as LinkWords<never, never>;

/** All listeners for one kind of link, by machine. */
export class Port<ToListener, ToDialer> {
  readonly #network: NodeNetwork;
  readonly #words: LinkWords<ToListener, ToDialer>;
  readonly #listeners = new Map<string, Listener<ToListener, ToDialer>>();
  readonly #links = new Set<OpenLink>();

  constructor(network: NodeNetwork, words: LinkWords<ToListener, ToDialer>) {
    this.#network = network;
    this.#words = words;
  }

  listen(listener: Listener<ToListener, ToDialer>): void {
    this.#listeners.set(listener.process.machine, listener);
  }

  /**
   * The process is gone, and with it all its links of this kind. `isSilent`: its machine too, so their peers are not
   * told.
   */
  died(process: NetworkProcess, isSilent: boolean): void {
    if (this.#listeners.get(process.machine)?.process === process) this.#listeners.delete(process.machine);
    for (const link of [...this.#links]) {
      if (!link.processes.includes(process)) continue;
      this.#links.delete(link);
      link.died(process, isSilent);
    }
  }

  /** Keeps a link to the process that listens at the machine; with `expected`, to that process only. */
  dial(caller: Caller, { machine, expected }: Place, handlers: DialHandlers<ToDialer>): Dialed<ToListener> {
    const connect = (ends: Ends<ToDialer>) => this.#connect(caller, { machine, expected }, ends);
    return new Dialer(caller, { network: this.#network, machine, connect }, handlers);
  }

  #connect(caller: Caller, { machine, expected }: Place, owner: Ends<ToDialer>): LinkEnd<ToListener> | undefined {
    const listener = this.#listeners.get(machine);
    // A process that is called by the name of another run refuses.
    if (listener === undefined || (expected !== undefined && expected !== listener.id)) return undefined;
    const ends = { dialer: caller, listener: listener.process };
    // One machine runs one process, whose roles pass each other objects.
    const words = caller.machine === machine ? IN_ONE_PROCESS : this.#words;
    const link = new Link<ToListener, ToDialer>(this.#network, ends, words);
    const open = {
      processes: link.ends,
      died: (process: NetworkProcess, isSilent: boolean) => link.died(process, isSilent),
    };
    this.#links.add(open);
    link.onDialerDown(() => {
      this.#links.delete(open);
      owner.failed();
    });
    link.shakeHands(
      () => listener.accept(caller.id, link.listenerEnd),
      () => {
        const handlers = owner.up(listener.id);
        return {
          received: (message) => handlers.received(message),
          down: () => {
            this.#links.delete(open);
            handlers.down();
          },
        };
      },
    );
    return link.dialerEnd;
  }
}

interface Ends<In> {
  up(peer: NodeId): LinkHandlers<In>;
  failed(): void;
}

interface Target<Out, In> {
  readonly network: NodeNetwork;
  readonly machine: string;
  /** Undefined if no process listens there, or a different one. */
  readonly connect: (ends: Ends<In>) => LinkEnd<Out> | undefined;
}

const BACK_OFF_MS_MIN = 50;
const BACK_OFF_MS_MAX = 1_000;
// The time after which a connect into the void is given up.
const CONNECT_MS_MAX = 2_000;

class Dialer<Out, In> implements Dialed<Out> {
  readonly #caller: Caller;
  readonly #target: Target<Out, In>;
  readonly #handlers: DialHandlers<In>;
  #end: LinkEnd<Out> | undefined;
  #backOffMs = BACK_OFF_MS_MIN;
  #isUp = false;
  #isClosed = false;

  constructor(caller: Caller, target: Target<Out, In>, handlers: DialHandlers<In>) {
    this.#caller = caller;
    this.#target = target;
    this.#handlers = handlers;
    this.#dialAfter(0);
  }

  send(message: Out): boolean {
    return this.#isUp && (this.#end?.send(message) ?? false);
  }

  close(): void {
    this.#isClosed = true;
    this.#isUp = false;
    this.#end?.close();
  }

  #dialAfter(delayMs: number): void {
    const { scheduler } = this.#target.network;
    scheduler.after(delayMs, () => {
      if (this.#caller.isRunning) this.#caller.gate.timer(() => this.#dial());
    });
  }

  #dial(): void {
    if (this.#isClosed) return;
    const { network, machine, connect } = this.#target;
    const own = this.#caller.machine;
    if (network.isBlocked(own, machine) || network.isBlocked(machine, own)) return this.#failed(CONNECT_MS_MAX);
    const end = connect({ up: (peer) => this.#up(peer), failed: () => this.#failed(0) });
    this.#end = end;
    if (end === undefined) this.#failed(0);
  }

  #up(peer: NodeId): LinkHandlers<In> {
    this.#backOffMs = BACK_OFF_MS_MIN;
    this.#isUp = true;
    this.#handlers.up(peer);
    return {
      received: (message) => {
        if (!this.#isClosed) this.#handlers.received(peer, message);
      },
      down: () => {
        if (this.#isClosed) return;
        this.#isUp = false;
        this.#handlers.down(peer);
        this.#failed(0);
      },
    };
  }

  #failed(afterMs: number): void {
    this.#end = undefined;
    if (this.#isClosed) return;
    this.#dialAfter(afterMs + this.#backOffMs);
    this.#backOffMs = Math.min(2 * this.#backOffMs, BACK_OFF_MS_MAX);
  }
}
