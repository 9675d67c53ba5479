// A machine on which a process runs, ends and is started again, with one role or several.

import { noMetrics } from "../../base/metrics.ts";
import { LINK_TIMES } from "../../cluster/links/link.ts";
import { NodeNetwork } from "../../cluster/links/nodeNetwork.ts";
import { DataHandOver } from "../../data/handOver.ts";
import { SessionHandOver } from "../../session/handOver.ts";
import type { Role } from "../facts.ts";
import { addressOf, type MachineNetwork } from "../network/machineNetwork.ts";
import { AccessHost } from "./accessHost.ts";
import { DataHost } from "./dataHost.ts";
import { bug, bugLog, type MemberEnvironment } from "./environment.ts";
import { MetaHost } from "./metaHost.ts";
import type { ClockError } from "./nodeTime.ts";
import { SessionHost } from "./sessionHost.ts";
import { type Disk, SimProcess } from "./simProcess.ts";
import { simSecret, WORLD_SECRET } from "./simSecret.ts";
import type { Store } from "./store.ts";

/** `killed`: its kernel tells the others. `vanished`: its machine ends too, so the others are not told. */
export type End = "killed" | "vanished" | "orderly";

// The interval at which a stopping node checks whether it may end.
const STOP_CHECK_MS = 20;
// Longer than a hold after a restart: held services are handed over only after it.
const HAND_OVER_MS_MAX = 18_000;
// The time over which a session sends its clients away.
const SPREAD_MS = 1_000;
const RESIGN_MS = 100;

/** The surroundings of a machine. */
export interface NodeEnvironment extends Omit<MemberEnvironment, "links"> {
  readonly network: MachineNetwork;
  readonly clusterName: string;
  /** The addresses of the meta nodes. */
  readonly metaAddresses: readonly string[];
  readonly store: Store;
}

interface Hosts {
  readonly process: SimProcess;
  readonly links: NodeNetwork;
  readonly meta: MetaHost | undefined;
  readonly data: DataHost | undefined;
  readonly session: SessionHost | undefined;
  /** Undefined in worlds without identities. */
  readonly access: AccessHost | undefined;
}

interface HandOvers {
  readonly session: SessionHandOver | undefined;
  readonly data: DataHandOver | undefined;
}

export class SimNode {
  readonly machine: string;
  readonly roles: readonly Role[];
  readonly disk: Disk;
  /** The machine's clock; a running process does not notice when it changes. */
  clock: ClockError;
  readonly #environment: NodeEnvironment;
  readonly #nextRun: () => number;
  #hosts: Hosts | undefined;
  #silent: SessionHost | undefined;
  #isStopping = false;

  constructor(
    environment: NodeEnvironment,
    setup: { machine: string; roles: readonly Role[]; disk: Disk; clock: ClockError; nextRun: () => number },
  ) {
    this.#environment = environment;
    this.machine = setup.machine;
    this.roles = setup.roles;
    this.disk = setup.disk;
    this.clock = setup.clock;
    this.#nextRun = setup.nextRun;
  }

  get isRunning(): boolean {
    return this.#hosts !== undefined;
  }

  get isPaused(): boolean {
    return this.#hosts?.process.gate.isPaused ?? false;
  }

  /** It is stopping in order. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Clients can connect. */
  get isListening(): boolean {
    return this.#hosts?.session !== undefined && !this.#isStopping;
  }

  get process(): SimProcess | undefined {
    return this.#hosts?.process;
  }

  get meta(): MetaHost | undefined {
    return this.#hosts?.meta;
  }

  get data(): DataHost | undefined {
    return this.#hosts?.data;
  }

  get session(): SessionHost | undefined {
    return this.#hosts?.session;
  }

  get access(): AccessHost | undefined {
    return this.#hosts?.access;
  }

  start(): void {
    if (this.#hosts !== undefined) return;
    const { machine, disk, clock } = this;
    const process = new SimProcess(this.#environment.scheduler, { machine, disk, run: this.#nextRun(), clock });
    this.#silent?.reboot();
    this.#silent = undefined;
    const links = this.#links(process);
    const environment = { ...this.#environment, links };
    const has = (role: Role) => this.roles.includes(role);
    const meta = has("meta") ? new MetaHost(environment, process) : undefined;
    const data = has("data") ? new DataHost(environment, process) : undefined;
    const session = has("session") ? new SessionHost(environment, process) : undefined;
    const access = environment.plan.hasAccess === true ? new AccessHost(environment, process, meta) : undefined;
    this.#hosts = { process, links, meta, data, session, access };
    links.attach({
      ...(meta && { meta: (event) => meta.heard(event) }),
      ...(data && { data: (event) => data.heard(event) }),
      ...(session && { session: (event) => session.heard(event) }),
    });
    this.#environment.network.listen(process, (connection, nowMs) => links.accept(connection, nowMs));
    for (const host of [meta, data, session]) host?.step({ kind: "woken" });
    links.begin();
    access?.begin();
  }

  /** The process ends now. */
  stop(end: End): void {
    const hosts = this.#hosts;
    if (hosts === undefined) return;
    this.#hosts = undefined;
    this.#isStopping = false;
    const isSilent = end === "vanished";
    hosts.session?.close(isSilent);
    hosts.data?.close(end === "orderly");
    hosts.meta?.close();
    hosts.access?.close(end === "orderly");
    if (end === "orderly") hosts.links.close();
    hosts.process.end();
    this.#environment.network.died(hosts.process, isSilent);
    if (isSilent) this.#silent = hosts.session;
  }

  /**
   * Asks the process to stop: it hands over its work and ends, or is ended when it takes too long. `done` receives the
   * number of slots that it still led or followed.
   */
  stopInOrder(done: (slotsKept: number) => void): void {
    const hosts = this.#hosts;
    if (hosts === undefined || this.#isStopping) return;
    this.#isStopping = true;
    hosts.process.gate.message(() => {
      const { session, data } = hosts;
      const nowMs = hosts.process.time.clock.nowMs();
      const clients = session?.handOverState.connections ?? 0;
      const ways = {
        session:
          session?.drain() === true ? new SessionHandOver({ clients, spreadMsMax: SPREAD_MS }, nowMs) : undefined,
        data: data?.leave() === true ? new DataHandOver(HAND_OVER_MS_MAX, nowMs) : undefined,
      };
      this.#handOver(hosts, ways, done);
    });
  }

  pause(): void {
    const hosts = this.#hosts;
    if (hosts === undefined || this.isPaused) return;
    hosts.process.gate.pause();
  }

  resume(): void {
    const hosts = this.#hosts;
    if (hosts === undefined || !this.isPaused) return;
    hosts.process.gate.resume(this.#environment.dice.chance(0.5));
  }

  /** The process's links to all others, over the simulated network. */
  #links(process: SimProcess): NodeNetwork {
    const { metaAddresses, network, dice } = this.#environment;
    const { id, time, local } = process;
    const { clusterName, plan } = this.#environment;
    return new NodeNetwork(
      {
        id,
        clusterName,
        slotCount: plan.meta.slotCount,
        address: addressOf(this.machine),
        roles: this.roles,
        metaAddresses,
      },
      {
        ...time,
        local,
        times: LINK_TIMES,
        random: dice.fork(),
        metrics: noMetrics,
        log: bugLog(this.#environment, id),
        failed: (error) => bug(this.#environment, id, error),
        dial: (address, outcome) => network.dial(process, address, outcome),
        ...(plan.hasStrangers === true && { secret: simSecret(WORLD_SECRET) }),
      },
    );
  }

  /** Continues until all roles report that they are done, as server/drain.ts does. */
  #handOver(hosts: Hosts, ways: HandOvers, done: (slotsKept: number) => void): void {
    // It was killed meanwhile.
    if (this.#hosts !== hosts) return;
    const { session, data, process } = hosts;
    const nowMs = process.time.clock.nowMs();
    if (session !== undefined) session.endSome(ways.session?.due(session.handOverState.connections, nowMs) ?? 0);
    const isSessionDone = session === undefined || (ways.session?.isOver(session.handOverState, nowMs) ?? true);
    const isDataDone = data === undefined || (ways.data?.isOver(data.handOverState, nowMs) ?? true);
    const { scheduler } = this.#environment;
    const later = (delayMs: number, run: () => void) => scheduler.after(delayMs, () => process.gate.timer(run));
    if (!isSessionDone || !isDataDone) return void later(STOP_CHECK_MS, () => this.#handOver(hosts, ways, done));
    const { store, record } = this.#environment;
    const isHeard = store.isWellFor(this.machine);
    hosts.meta?.step({ kind: "resign" });
    later(RESIGN_MS, () => {
      if (this.#hosts !== hosts) return;
      const keepsLead = isHeard && store.isWellFor(this.machine) && store.lease.holder === process.id;
      if (hosts.meta !== undefined) record({ kind: "resigned", node: process.id, keepsLead });
      const slotsKept = data?.slotsKept ?? 0;
      this.stop("orderly");
      done(slotsKept);
    });
  }
}
