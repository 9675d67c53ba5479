// Clients that put registrations which stay, and take them back, at any session that runs. Some of them have a check of
// a target that is up and down in turns.

import type { Account } from "../../base/budget.ts";
import { unlimitedBudget } from "../../base/budget.ts";
import { checkOf } from "../../model/check.ts";
import { instancesOf } from "../../model/content.ts";
import { clientId, type ServiceKey } from "../../model/ids.ts";
import type { Instance } from "../../model/instance.ts";
import { NO_VERSION } from "../../model/version.ts";
import { isTakenBack, PERSISTENT_PREFIX, readRegistration, recordNameOf } from "../../persistent/recordForm.ts";
import { keysWith } from "../../records/keys.ts";
import type { PersistentAnswer, PersistentRegistration } from "../../registry/persistent.ts";
import type { QueryAnswer } from "../../registry/registry.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimProcess } from "../cluster/simProcess.ts";
import { isTargetUp, KEPT_INTERVAL_MS, keptService } from "../keptServices.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";

const REGISTRATIONS = 6;
const SERVICES = 2;
const CHANGE_MS = 1_500;
const ANSWER_MS = 3_000;
const LAST_MS = 3_000;

interface Client {
  readonly registId: string;
  readonly service: ServiceKey;
  readonly port: number;
  readonly hasCheck: boolean;
  state: number;
  isWaiting: boolean;
}

export class PersistentClients {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #account: Account = unlimitedBudget().open("10.9.0.3");
  readonly #clients: readonly Client[];
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
    const number = environment.plan.hasPersistent === true ? REGISTRATIONS : 0;
    this.#clients = Array.from({ length: number }, (_, at) => ({
      registId: `k${at + 1}`,
      service: keptService(1 + (at % SERVICES)),
      port: 5 + at,
      hasCheck: at % 3 !== 0,
      state: 0,
      isWaiting: false,
    }));
  }

  start(): void {
    if (this.#clients.length === 0) return;
    const { dice } = this.#environment;
    repeatAtRandom(
      this.#environment,
      CHANGE_MS,
      () => this.#change(dice.pick(this.#clients)),
      () => this.#isOver,
    );
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Asks every session for the lists, and tells what the store has. */
  last(): void {
    if (this.#clients.length === 0) return;
    for (let number = 1; number <= SERVICES; number++) {
      const service = keptService(number);
      this.#environment.record({ kind: "keptStored", service, list: this.#stored(service) });
      for (const { session, process } of this.#cluster.nodesOf("session")) {
        if (session === undefined || process === undefined) continue;
        const asker = { answer: (answer: QueryAnswer) => this.#listed(process, service, answer) };
        process.gate.message(() => {
          const untilMs = process.time.clock.nowMs() + LAST_MS;
          session.step({ kind: "asked", asker, serviceKey: service, since: NO_VERSION, untilMs });
        });
      }
    }
  }

  #change(client: Client): void {
    const { dice, record, scheduler } = this.#environment;
    const running = this.#cluster.nodesOf("session").filter((node) => node.session?.keeper !== undefined);
    if (client.isWaiting || running.length === 0) return;
    const { session, process } = dice.pick(running);
    if (session === undefined || process === undefined) return;
    const isPut = client.state === 0 || dice.chance(0.6);
    const state = ++client.state;
    client.isWaiting = true;
    const { registId, service } = client;
    const token = isPut ? tokenOf(registId, state) : undefined;
    const registration = registrationOf(client);
    record({ kind: "keptAsked", node: process.id, service, registId, token });
    const done = (answer: PersistentAnswer) => {
      client.isWaiting = false;
      if (!process.isRunning) return;
      const { kind: outcome } = answer;
      record({ kind: "keptAnswered", service, registId, token, outcome });
    };
    process.gate.message(() => {
      const request = { done, account: this.#account, untilMs: process.time.clock.nowMs() + ANSWER_MS };
      if (isPut) session.keeper?.step({ kind: "put", request: { ...request, registration } });
      else session.keeper?.step({ kind: "remove", request: { ...request, key: { serviceKey: service, registId } } });
    });
    // Its session may have died with the answer.
    scheduler.after(2 * ANSWER_MS, () => {
      if (client.state === state) client.isWaiting = false;
    });
  }

  /** The list as it has to be, by the records: healthy ones without a question mark. */
  #stored(service: ServiceKey): string[] {
    const { plan, scheduler } = this.#environment;
    const list: string[] = [];
    for (const { key, value } of this.#cluster.store.recordsUnder(keysWith(PERSISTENT_PREFIX))) {
      if (recordNameOf(key)?.kind !== "registration") continue;
      const read = readRegistration(value);
      if (read === undefined || isTakenBack(read) || read.serviceKey !== service) continue;
      const { instance, checks } = read;
      const isUp = checks.length === 0 || isTargetUp(instance.port, plan, scheduler.nowMs);
      list.push(shown(instance, isUp));
    }
    return list.sort();
  }

  #listed(process: SimProcess, service: ServiceKey, answer: QueryAnswer): void {
    if (!process.isRunning) return;
    const publications = answer.kind === "list" ? [...answer.view.publications.values()] : undefined;
    const list = publications?.flatMap(instancesOf).map((instance) => shown(instance, instance.isHealthy));
    this.#environment.record({ kind: "keptListed", node: process.id, service, list: list?.sort() });
  }
}

function shown({ metadata }: Instance, isHealthy: boolean): string {
  return `${metadata.get("token") ?? ""}${isHealthy ? "" : "?"}`;
}

function tokenOf(registId: string, state: number): string {
  return `${registId}~${state}`;
}

function registrationOf({ registId, service, port, hasCheck, state }: Client): PersistentRegistration {
  const host = `10.8.0.${port}`;
  const probe = { kind: "tcp", host, port } as const;
  const check = checkOf({ id: "tcp", probe, intervalMs: KEPT_INTERVAL_MS, timeoutMs: 1_000, initial: "passing" });
  return {
    ...{ serviceKey: service, registId, zone: "Z1", appName: "", holder: clientId(`${host}:${port}_kept`) },
    instance: {
      ...{ host, port, securePort: undefined, weight: 1, zone: "", source: "kept", bags: new Map() },
      ...{ isEnabled: true, isHealthy: true, isPersistent: true },
      metadata: new Map([["token", tokenOf(registId, state)]]),
    },
    checks: hasCheck ? [check] : [],
  };
}
