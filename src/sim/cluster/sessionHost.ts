// The session role with its gateway in a simulated process. Its clients' connections break with the process.

import { Budget, type BudgetLimits, CHARGE } from "../../base/budget.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { ConnectionHandler } from "../../base/ports.ts";
import { Stepper } from "../../base/stepper.ts";
import type { SessionLinkEvent } from "../../cluster/links/roleEvents.ts";
import type { Members } from "../../cluster/messages/membership.ts";
import type { DataToSession } from "../../cluster/messages/sessionData.ts";
import type { DatumDelta, DatumSnapshot } from "../../model/datum.ts";
import type { NodeId } from "../../model/ids.ts";
import { OPEN_ACCESS } from "../../protocols/kit/clientAccess.ts";
import type { OpenGateway } from "../../protocols/kit/gateway.ts";
import { GatewayChecks } from "../../protocols/kit/gatewayChecks.ts";
import { SofaConnections } from "../../protocols/sofa/connections.ts";
import { hasOtherSessions } from "../../session/handOver.ts";
import { Session } from "../../session/session.ts";
import type { SessionEvent, SessionOutput } from "../../session/sessionPorts.ts";
import { leftovers, stuck, unfinished } from "../../session/unfinished.ts";
import { MARKING } from "../marking.ts";
import { addressOf } from "../network/machineNetwork.ts";
import type { Wire } from "../network/wire.ts";
import type { SimConfig } from "../plan.ts";
import { bug, bugLog, type MemberEnvironment } from "./environment.ts";
import { GatewayHost } from "./gatewayHost.ts";
import { KeeperHost } from "./keeperHost.ts";
import type { SimProcess } from "./simProcess.ts";
import type { Store } from "./store.ts";
import { TreeHost } from "./treeHost.ts";

// A check takes as long as some steps do.
const CHECKS_PER_LOOK = 4;
const CLIENT_NOTICE_MS = 50;

export interface SessionHostEnvironment extends MemberEnvironment {
  readonly store: Store;
}

export class SessionHost {
  /** Undefined in worlds without persistent registrations. */
  readonly keeper: KeeperHost | undefined;
  /** Undefined in worlds without the tree. */
  readonly tree: TreeHost | undefined;
  /** Undefined in worlds without clients by HTTP. */
  readonly gateways: GatewayHost | undefined;
  readonly #environment: SessionHostEnvironment;
  readonly #process: SimProcess;
  readonly #wires = new Set<Wire>();
  /** Data nodes with a link, as the role knows them. */
  readonly #datas = new Set<NodeId>();
  readonly #session: Session;
  readonly #stepper: Stepper<SessionEvent>;
  readonly #gateway: SofaConnections;
  readonly #budget: Budget;
  /** Its configuration as it is in force. */
  readonly #config: SimConfig;
  readonly #regularChecks: Stepper<{ readonly kind: "woken" }>;
  #isDraining = false;
  #checks = 0;

  constructor(environment: SessionHostEnvironment, process: SimProcess) {
    this.#environment = environment;
    this.#process = process;
    const { plan, record } = environment;
    const { id, time } = process;
    record({ kind: "started", node: id, role: "session", machine: process.machine });
    this.#session = new Session(
      { ...plan.config, id, address: addressOf(process.machine), isDataHere: false },
      { metrics: noMetrics, nowMs: time.clock.nowMs(), output: this.#output() },
    );
    const failed = (error: unknown) => bug(environment, id, error);
    this.#config = { ...plan.config };
    this.#budget = new Budget(this.#limits);
    this.#stepper = new Stepper<SessionEvent>(this.#session, { ...time, failed });
    this.#gateway = new SofaConnections({
      config: this.#config,
      registry: this.#stepper,
      access: OPEN_ACCESS,
      budget: this.#budget,
      compression: MARKING,
      log: bugLog(environment, id),
      metrics: noMetrics,
    });
    const gatewayParts = { registry: this.#stepper, budget: this.#budget };
    this.gateways = plan.hasHttpClients === true ? new GatewayHost(environment, process, gatewayParts) : undefined;
    const sessions = () => sessionsOf(this.#session.members);
    const parts = { registry: this.#stepper, sessions };
    const { turns, store } = environment;
    this.tree = turns && new TreeHost(environment, process, { ...parts, turns, store });
    this.#regularChecks = this.#checkRegularly();
    this.keeper = plan.hasPersistent === true ? new KeeperHost(environment, process, parts) : undefined;
  }

  /** Tells it to stop, and begins to send its clients away. Returns false if they could go nowhere. */
  drain(): boolean {
    if (!hasOtherSessions(this.#session.members, this.#process.id)) return false;
    this.#isDraining = true;
    this.step({ kind: "drain" });
    return true;
  }

  /** Sends some clients away, so that they come back elsewhere. */
  endSome(count: number): void {
    for (const wire of this.wires.slice(0, count)) wire.serverEnd.close();
  }

  /** The state that decides whether it may end. */
  get handOverState(): { readonly connections: number; readonly isDrained: boolean } {
    return { connections: this.#wires.size, isDrained: this.#session.isDrained };
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  unfinished(): Iterable<string> {
    return unfinished(this.#session.parts);
  }

  *leftovers(): Generator<string> {
    yield* leftovers(this.#session.parts);
    if (this.tree !== undefined) yield* this.tree.leftovers();
    const { heldBytes, addresses } = this.#budget;
    if (heldBytes !== 0 || addresses !== 0) yield `${addresses} addresses are charged for ${heldBytes} bytes`;
    if (this.#gateway.bodyBytes !== 0) yield `${this.#gateway.bodyBytes} bytes of what was pushed are kept`;
  }

  step(event: SessionEvent): void {
    this.#stepper.step(event);
  }

  /** Steps the role with an event of the process's links. */
  heard(event: SessionLinkEvent): void {
    const { record } = this.#environment;
    const { id } = this.#process;
    switch (event.kind) {
      case "fromMeta":
        record({ kind: "learned", node: id, role: "session", message: event.message });
        break;
      case "dataUp":
        this.#datas.add(event.node);
        record({ kind: "linkMade", session: id, data: event.node });
        break;
      case "dataDown":
        this.#datas.delete(event.node);
        record({ kind: "linkLost", session: id, data: event.node });
        break;
      case "fromData": {
        const list = listIn(event.message);
        if (list !== undefined) record({ kind: "listed", node: id, service: list.serviceKey, version: list.version });
        break;
      }
      default:
    }
    this.step(event);
    if (event.kind === "fromMeta" && event.message.kind === "rules") this.#settingsChanged();
  }

  /** Accepts a client's connection. While the process is stopped, its kernel accepts it. */
  accept(wire: Wire): void {
    this.#wires.add(wire);
    const { gate, time } = this.#process;
    const nowMs = () => time.clock.nowMs();
    let handler: ConnectionHandler | undefined;
    gate.message(() => {
      handler = this.#gateway.accept(wire.serverEnd, nowMs());
    });
    wire.serve(
      {
        received: (chunk) => gate.message(() => handler?.received(chunk, nowMs())),
        drained: () => gate.message(() => handler?.drained(nowMs())),
        closed: () => gate.message(() => handler?.closed(nowMs())),
      },
      nowMs,
    );
  }

  /** Accepts the connection of a client of the tree. */
  acceptTree(wire: Wire): void {
    if (this.tree === undefined) return;
    this.#wires.add(wire);
    wire.serve(this.tree.accept(wire.serverEnd), this.#process.time.clock.nowMs);
  }

  forget(wire: Wire): void {
    this.#wires.delete(wire);
  }

  /** All open connections of clients. */
  get wires(): readonly Wire[] {
    return [...this.#wires];
  }

  /** The process ends. If its machine ends too, no client is told. */
  close(isSilent: boolean): void {
    this.#regularChecks.close();
    this.keeper?.close();
    this.tree?.close();
    this.#stepper.close();
    this.#environment.record({ kind: "stopped", node: this.#process.id, role: "session" });
    for (const wire of this.#wires) {
      wire.die("server");
      if (isSilent) wire.fallSilent();
      else wire.cut({ clientMs: this.#environment.dice.below(CLIENT_NOTICE_MS), serverMs: 0 });
    }
  }

  /** The machine is back: a client that still believes in a connection from before learns that it is gone. */
  reboot(): void {
    for (const wire of this.#wires) wire.speakAgain();
  }

  get #limits(): BudgetLimits {
    const { memoryBytesMax: bytesMax, clientBytesMax, registrationsPerSecondMax: workPerSecondMax } = this.#config;
    return { bytesMax, clientBytesMax, workPerSecondMax };
  }

  #settingsChanged(): void {
    const { settings } = this.#session.rules;
    Object.assign(this.#config, this.#environment.plan.config, settings);
    this.#budget.changeLimits(this.#limits);
    this.#environment.record({ kind: "settings", node: this.#process.id, role: "session", settings });
  }

  #output(): SessionOutput {
    const { record, refused, links } = this.#environment;
    const { id } = this.#process;
    const { toMeta, toData, linkData } = links.sessionOutput;
    return {
      toMeta: (message) => {
        if (!this.#process.isRunning) return;
        if (message.kind === "heartbeat") record({ kind: "heartbeat", from: id, message });
        toMeta(message);
      },
      toData: (to, message) => {
        if (!this.#process.isRunning) return;
        record({ kind: "asked", from: id, to, message, isLost: !this.#datas.has(to) });
        toData(to, message);
      },
      linkData,
      refused: (reason) => refused(this.#process, "session", reason),
    };
  }

  /** As the server does, and the checks of the simulation. */
  #checkRegularly(): Stepper<{ readonly kind: "woken" }> {
    const { time, id } = this.#process;
    const gateway: OpenGateway = {
      listeners: [],
      check: (nowMs) => {
        this.#gateway.closeIdle(nowMs);
        this.#checkBudget();
        this.#checkStuck();
      },
      resumed: (awayMs, nowMs) => this.#gateway.resumed(awayMs, nowMs),
    };
    const tree = this.tree === undefined ? [] : [this.tree.gateway];
    const gateways = [gateway, ...tree, ...(this.gateways?.gateways ?? [])];
    const failed = (error: unknown) => bug(this.#environment, id, error);
    const stepper = new Stepper(new GatewayChecks(gateways, time.clock.nowMs()), { ...time, failed });
    stepper.step({ kind: "woken" });
    return stepper;
  }

  /** Everything charged is held, and everything no longer held was released. */
  #checkBudget(): void {
    const charged = [CHARGE.registrations, CHARGE.subscriptions, CHARGE.configWatches];
    const bytes = charged.reduce<number>((sum, kind) => sum + this.#budget.heldOf(kind), 0);
    const { chargedBytes } = this.#session;
    if (bytes === chargedBytes) return;
    bug(this.#environment, this.#process.id, `${bytes} bytes are charged for what takes ${chargedBytes}`);
  }

  /** Checks from time to time, and not in the last step of a process that was killed in the middle of it. */
  #checkStuck(): void {
    if (++this.#checks % CHECKS_PER_LOOK > 0 || !this.#process.isRunning) return;
    const { record } = this.#environment;
    for (const what of stuck(this.#session.parts)) record({ kind: "unfinished", node: this.#process.id, what });
  }
}

function sessionsOf(members: Members | undefined): NodeId[] {
  return (members?.list ?? []).flatMap(({ id, role }) => (role === "session" ? [id] : []));
}

/** The list, or the change to one, that a message carries. */
function listIn(message: DataToSession): DatumSnapshot | DatumDelta | undefined {
  switch (message.kind) {
    case "snapshot":
      return message.datum;
    case "delta":
      return message.delta;
    default:
      return undefined;
  }
}
