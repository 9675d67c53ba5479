// A session node with its gateway. Its clients' connections break with its process.

import { noMetrics } from "../../base/metrics.ts";
import type { Cancel, Log } from "../../base/ports.ts";
import { Stepper } from "../../base/stepper.ts";
import { SofaGateway } from "../../gateways/sofa/gateway.ts";
import type { MemberToMeta } from "../../messages/membership.ts";
import type { SessionToData } from "../../messages/sessionData.ts";
import type { NodeId } from "../../model/ids.ts";
import { Session, type SessionEvent } from "../../session/session.ts";
import { MARKING } from "../marking.ts";
import type { Wire } from "../network/wire.ts";
import { bug, type SimEnvironment } from "./environment.ts";
import { BOOT_MS, type NodeTime, nodeTime } from "./nodeTime.ts";

export interface SessionNodePorts {
  toMeta(message: MemberToMeta): void;
  /** False if it is lost at once. */
  toData(to: NodeId, message: SessionToData): boolean;
}

// As in server/start.ts.
const IDLE_CHECK_MS = 500;
const CLIENT_NOTICE_MS = 50;

export class SessionNode {
  readonly id: NodeId;
  readonly #environment: SimEnvironment;
  readonly #ports: SessionNodePorts;
  readonly #wires = new Set<Wire>();
  #life = 0;
  #host: Stepper<SessionEvent> | undefined;
  #time: NodeTime;
  #gateway: SofaGateway | undefined;
  #cancelIdleCheck: Cancel = () => undefined;

  constructor(id: NodeId, environment: SimEnvironment, ports: SessionNodePorts) {
    this.id = id;
    this.#environment = environment;
    this.#ports = ports;
    this.#time = nodeTime(environment.scheduler, 0);
  }

  get isRunning(): boolean {
    return this.#host !== undefined;
  }

  /** The process, as facts name it. */
  get label(): string {
    return `${this.id}#${this.#life}`;
  }

  start(offsetMs: number): void {
    this.#life++;
    const { plan, scheduler, record } = this.#environment;
    record({ kind: "started", node: this.label, role: "session" });
    this.#time = nodeTime(scheduler, offsetMs);
    const session = new Session(
      { ...plan.config, id: this.id },
      {
        metrics: noMetrics,
        nowMs: this.#time.clock.nowMs(),
        output: {
          toMeta: (message) => this.#ports.toMeta(message),
          toData: (to, message) => {
            const isLost = !this.#ports.toData(to, message);
            record({ kind: "asked", from: this.label, to, message, isLost });
          },
        },
      },
    );
    const failed = (error: unknown) => bug(this.#environment, this.id, error);
    const host = new Stepper<SessionEvent>(session, { ...this.#time, failed });
    this.#host = host;
    this.#gateway = new SofaGateway({
      config: plan.config,
      registry: host,
      compression: MARKING,
      log: this.#log(),
      metrics: noMetrics,
    });
    this.#checkIdle();
    scheduler.after(BOOT_MS, () => host.step({ kind: "woken" }));
  }

  stop(): void {
    this.#cancelIdleCheck();
    this.#host?.close();
    this.#host = undefined;
    this.#gateway = undefined;
    this.#environment.record({ kind: "stopped", node: this.label, role: "session" });
    for (const wire of this.#wires) {
      wire.die("server");
      wire.cut({ clientMs: this.#environment.dice.below(CLIENT_NOTICE_MS), serverMs: 0 });
    }
    this.#wires.clear();
  }

  step(event: SessionEvent): void {
    this.#host?.step(event);
  }

  /** Takes a client's connection; false if nobody listens. */
  accept(wire: Wire): boolean {
    if (this.#gateway === undefined) return false;
    this.#wires.add(wire);
    const { clock } = this.#time;
    wire.serve(this.#gateway.accept(wire.serverEnd, clock.nowMs()), () => clock.nowMs());
    return true;
  }

  forget(wire: Wire): void {
    this.#wires.delete(wire);
  }

  #checkIdle(): void {
    this.#cancelIdleCheck = this.#time.timers.after(IDLE_CHECK_MS, (nowMs) => {
      this.#gateway?.closeIdle(nowMs);
      this.#checkIdle();
    });
  }

  /** A gateway logs as error what is a bug of ours, and as warning what a client did. */
  #log(): Log {
    const ignore = () => undefined;
    return {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (event, fields) => bug(this.#environment, this.id, `${event}: ${fields?.["reason"] ?? ""}`),
    };
  }
}
