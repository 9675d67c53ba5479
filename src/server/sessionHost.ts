// The role session in its process.

import type { Metrics } from "../base/metrics.ts";
import type { Clock, Timers } from "../base/ports.ts";
import { Stepper, type StepperEnvironment } from "../base/stepper.ts";
import type { ClientAddresses, MemberToMeta } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";
import type { AppsListed } from "../registry/apps.ts";
import { Session } from "../session/session.ts";
import type { SessionEvent, SessionOptions, SessionOutput } from "../session/sessionPorts.ts";

export interface SessionHostEnvironment extends StepperEnvironment {
  readonly metrics: Metrics;
  readonly output: SessionOutput;
}

// Operators' questions whether the rules have come, each for a few seconds.
const AWAITED_MAX = 1_000;

// The leading meta node answers in milliseconds.
const LIST_APPS_MS = 3_000;

export class SessionHost {
  readonly session: Session;
  readonly stepper: Stepper<SessionEvent>;
  /** The address for clients, which the other sessions pass to theirs; empty while it takes none. */
  clientAddresses: ClientAddresses = new Map();
  /** Operators let it take clients. */
  servesClients = true;
  /** The number of clients of each session that reports one. */
  clientCounts: ReadonlyMap<NodeId, number> = new Map();

  readonly #zone: string;
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** Called after each of the cluster's events. */
  readonly #awaited = new Set<() => void>();

  constructor(options: SessionOptions, { output, ...environment }: SessionHostEnvironment) {
    this.#zone = options.zone;
    this.#clock = environment.clock;
    this.#timers = environment.timers;
    const toMeta = (message: MemberToMeta) => output.toMeta(this.#withClients(message));
    this.session = new Session(options, {
      metrics: environment.metrics,
      nowMs: environment.clock.nowMs(),
      output: { ...output, toMeta },
    });
    this.stepper = new Stepper<SessionEvent>(this.session, environment);
  }

  /** The cluster's events for the session. Data that is only for clients is kept here. */
  step(event: SessionEvent): void {
    if (event.kind === "fromMeta" && event.message.kind === "clientCounts") {
      this.clientCounts = new Map(event.message.counts.map(({ session, clients }) => [session, clients]));
    }
    this.stepper.step(event);
    if (this.#awaited.size > 0) for (const awaited of [...this.#awaited]) awaited();
  }

  /** Resolves to true when the rules of meta have this epoch or a later one; to false after `waitMs`. */
  hasRules(epoch: bigint, waitMs: number): Promise<boolean> {
    const isThere = () => this.session.rules.rules.epoch >= epoch;
    if (isThere()) return Promise.resolve(true);
    if (this.#awaited.size >= AWAITED_MAX) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = () => {
        this.#awaited.delete(awaited);
        cancel();
        resolve(isThere());
      };
      const awaited = () => void (isThere() && end());
      const cancel = this.#timers.after(waitMs, end);
      this.#awaited.add(awaited);
    });
  }

  /** All revisions and services of applications. Rejects with a RegistryError. */
  listApps(): Promise<AppsListed> {
    return new Promise((resolve, reject) => {
      const asker = { answer: (listed: AppsListed) => (listed.error ? reject(listed.error) : resolve(listed)) };
      const untilMs = this.#clock.nowMs() + LIST_APPS_MS;
      this.stepper.step({ kind: "listedApps", asker, untilMs });
    });
  }

  // The role knows nothing of ports; its host does.
  #withClients(message: MemberToMeta): MemberToMeta {
    if (message.kind !== "heartbeat" || this.clientAddresses.size === 0) return message;
    const { clientAddresses } = this;
    return { ...message, clientAddresses, clients: this.session.connections, zone: this.#zone };
  }
}
