// The network between the machines of a cluster: which machines reach each other, the time that it takes, and the TCP
// connections between their processes. A blocked way is like a firewall or a dead cable: nothing arrives, and neither
// end is told. The links between nodes know nothing of this; they have bytes, silence and closed connections to go by.

import type { Acceptor, Cancel } from "../../base/ports.ts";
import type { Dial } from "../../cluster/links/linkDialer.ts";
import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Weather } from "./byteStream.ts";
import { type NetworkProcess, NodeWire, type WireNetwork } from "./nodeWire.ts";

/** The behaviour of the connections between machines. */
export interface LinkWeather extends Weather {
  /** A connection that is reset is noticed after at most this. */
  readonly noticeMs: number;
}

/** One way between two machines. */
export interface Way {
  readonly from: string;
  readonly to: string;
}

interface Listener {
  readonly process: NetworkProcess;
  readonly accept: Acceptor;
}

const PORT_NUMBER = 9620;
// The server's own value: the time that a node has to answer a dial.
const DIAL_MS_MAX = 1_000;
const INSIDE: Weather = { delayMs: 0, spikeMs: 0, spikeChance: 0, splitChance: 0 };

/** The address of a machine's node port. */
export function addressOf(machine: string): string {
  return `${machine}:${PORT_NUMBER}`;
}

function machineOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}

export class MachineNetwork implements WireNetwork {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly #weather: LinkWeather;
  readonly #between: Weather;
  readonly #blocked = new Map<string, number>();
  readonly #wires = new Set<NodeWire>();
  readonly #listeners = new Map<string, Listener>();
  // Machines that have vanished: nothing there answers, not even a kernel.
  readonly #dark = new Set<string>();
  #extraDelayMs = 0;
  #dials = 0;

  constructor(environment: { scheduler: Scheduler; dice: Dice; weather: LinkWeather }) {
    this.scheduler = environment.scheduler;
    this.dice = environment.dice;
    this.#weather = environment.weather;
    this.#between = this.#withExtraDelay(environment.weather);
  }

  get noticeMs(): number {
    return this.#weather.noticeMs;
  }

  /** The behaviour of a connection between two machines, or inside one. */
  weather({ from, to }: Way): Weather {
    return from === to ? INSIDE : this.#between;
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(`${from}>${to}`);
  }

  /** Blocks these ways until the returned function is called; ways may be blocked more than once. */
  block(ways: readonly Way[]): Cancel {
    for (const way of ways) this.#count(way, 1);
    this.#review();
    let isOpen = false;
    return () => {
      if (isOpen) return;
      isOpen = true;
      for (const way of ways) this.#count(way, -1);
      this.#review();
    };
  }

  /** Delays everything between machines by up to this from now on. */
  setExtraDelay(delayMs: number): void {
    this.#extraDelayMs = delayMs;
  }

  /** Breaks the connections between two machines and loses everything under way on them; both sides are told. */
  reset(one: string, other: string): void {
    if (one === other) return;
    for (const wire of [...this.#wires]) if (wire.isBetween(one, other)) wire.reset();
  }

  /** The process listens at its machine's node port. */
  listen(process: NetworkProcess, accept: Acceptor): void {
    this.#listeners.set(process.machine, { process, accept });
    this.#dark.delete(process.machine);
  }

  /** Whether the machine runs, with or without a process. */
  isUp(machine: string): boolean {
    return !this.#dark.has(machine);
  }

  /** Opens a connection from the process to the one that listens at the address. */
  dial(process: NetworkProcess, address: string, outcome: Parameters<Dial>[1]): Cancel {
    const machine = machineOf(address);
    let wire: NodeWire | undefined;
    let isSettled = false;
    const settle = () => {
      isSettled = true;
      cancelTimeout();
    };
    const fail = (reason: string) => {
      if (isSettled) return;
      settle();
      wire?.dialer.close();
      outcome.failed(reason);
    };
    const connect = (opened: NodeWire) => {
      if (isSettled) return;
      if (!opened.dialer.isOpen) return fail("the connection was closed");
      settle();
      opened.dialer.use(outcome.connected(opened.dialer, process.time.clock.nowMs()));
    };
    const cancelTimeout = process.time.timers.after(DIAL_MS_MAX, () => fail(`no connection within ${DIAL_MS_MAX} ms`));
    this.#travel({ from: process.machine, to: machine }, () => {
      if (isSettled || !process.isRunning || this.#dark.has(machine)) return;
      const listener = this.#listeners.get(machine);
      const opened = listener && this.#open(process, listener);
      wire = opened;
      this.#travel({ from: machine, to: process.machine }, () =>
        process.gate.message(() => (opened === undefined ? fail("refused by its machine") : connect(opened))),
      );
    });
    return () => {
      if (isSettled) return;
      settle();
      wire?.dialer.close();
    };
  }

  /**
   * The process is gone, and its connections with it: its kernel closes them. `isSilent`: its machine is gone too, so
   * its peers are not told.
   */
  died(process: NetworkProcess, isSilent: boolean): void {
    const { machine } = process;
    if (this.#listeners.get(machine)?.process === process) this.#listeners.delete(machine);
    if (isSilent) this.#dark.add(machine);
    for (const wire of [...this.#wires]) wire.died(process, isSilent);
  }

  /** The connection has ended at both sides. */
  forget(wire: NodeWire): void {
    this.#wires.delete(wire);
  }

  #open(dialer: NetworkProcess, { process, accept }: Listener): NodeWire {
    // Ports of outgoing connections, all different.
    const wire = new NodeWire(this, { dialer, listener: process }, ++this.#dials);
    this.#wires.add(wire);
    process.gate.message(() => {
      const { listener } = wire;
      if (listener.isOpen) listener.use(accept(listener, process.time.clock.nowMs()));
    });
    return wire;
  }

  /** A packet of a handshake; on a blocked way it is lost. */
  #travel(way: Way, arrive: () => void): void {
    const { delayMs, spikeMs, spikeChance } = this.weather(way);
    const takesMs = this.dice.below(1 + (this.dice.chance(spikeChance) ? spikeMs : delayMs));
    this.scheduler.after(takesMs, () => {
      if (!this.isBlocked(way.from, way.to)) arrive();
    });
  }

  #withExtraDelay({ delayMs, spikeMs, spikeChance, splitChance }: Weather): Weather {
    const extraMs = () => this.#extraDelayMs;
    return {
      get delayMs() {
        return delayMs + extraMs();
      },
      get spikeMs() {
        return spikeMs + extraMs();
      },
      spikeChance,
      splitChance,
    };
  }

  #review(): void {
    for (const wire of [...this.#wires]) wire.review();
  }

  #count({ from, to }: Way, by: number): void {
    const key = `${from}>${to}`;
    const count = (this.#blocked.get(key) ?? 0) + by;
    if (count === 0) this.#blocked.delete(key);
    else this.#blocked.set(key, count);
  }
}
