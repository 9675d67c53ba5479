// Clients without connections, that keep their registrations by heartbeats: each request goes to any session that runs,
// as over HTTP. A client waits for one answer before its next request. Some fall silent, some take their registrations
// back, some register again with something new.

import type { Account } from "../../base/budget.ts";
import { unlimitedBudget } from "../../base/budget.ts";
import { textOf } from "../../base/text.ts";
import { clientId, type ServiceKey } from "../../model/ids.ts";
import { packBoxes } from "../../model/payload.ts";
import type { Lease } from "../../model/publication.ts";
import { NO_VERSION } from "../../model/version.ts";
import type { LeaseAnswer, LeaseEvent } from "../../registry/lease.ts";
import type { QueryAnswer } from "../../registry/registry.ts";
import { tokenOf } from "../checkers/commits.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimProcess } from "../cluster/simProcess.ts";
import { LEASE_MS_MAX, leaseService } from "../leaseServices.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";

const CLIENTS = 8;
const SERVICES = 2;
const BEAT_MS = 1_500;
const LEASES: readonly Lease[] = [{ unhealthyAfterMs: 5_000, removedAfterMs: LEASE_MS_MAX }, { removedAfterMs: 8_000 }];
const START_SPREAD_MS = 2_000;
const ANSWER_MS = 1_000;
// A client whose session does not answer at all goes on after this.
const GIVE_UP_MS = 2_500;
const RETRY_MS = 300;
const CHANGE_MS = 1_500;
// More at once would be held.
const SILENT_MAX = 2;
const LAST_MS = 3_000;

type What = "register" | "renew" | "end";

interface Beating {
  readonly name: string;
  readonly service: ServiceKey;
  readonly lease: Lease;
  version: number;
  state: "alive" | "silent";
  next: What;
  /** Its present request; a later one makes the answer to an earlier one void. */
  request: number;
}

export class LeaseClients {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #account: Account = unlimitedBudget().open("10.9.0.1");
  readonly #clients: readonly Beating[];
  #requests = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
    const number = environment.plan.hasLeases === true ? CLIENTS : 0;
    this.#clients = Array.from({ length: number }, (_, at) => ({
      name: `b${at + 1}`,
      service: leaseService(1 + (at % SERVICES)),
      lease: environment.dice.pick(LEASES),
      version: 1,
      state: "alive",
      next: "register",
      request: 0,
    }));
  }

  start(): void {
    const { scheduler, dice } = this.#environment;
    if (this.#clients.length === 0) return;
    for (const client of this.#clients) {
      this.#tell(client);
      scheduler.after(dice.below(START_SPREAD_MS), () => this.#go(client));
    }
    repeatAtRandom(
      this.#environment,
      CHANGE_MS,
      () => this.#change(dice.pick(this.#clients)),
      () => this.#isOver,
    );
  }

  /** Clients that are alive remain so, and the silent ones silent. */
  stop(): void {
    this.#isOver = true;
  }

  /** Asks every session for the lists. */
  last(): void {
    if (this.#clients.length === 0) return;
    for (const { session, process } of this.#cluster.nodesOf("session")) {
      if (session === undefined || process === undefined) continue;
      for (let number = 1; number <= SERVICES; number++) {
        const serviceKey = leaseService(number);
        const asker = { answer: (answer: QueryAnswer) => this.#listed(process, serviceKey, answer) };
        process.gate.message(() => {
          const untilMs = process.time.clock.nowMs() + LAST_MS;
          session.step({ kind: "asked", asker, serviceKey, since: NO_VERSION, untilMs });
        });
      }
    }
  }

  #change(client: Beating): void {
    const { dice } = this.#environment;
    if (client.state === "silent") {
      Object.assign(client, { state: "alive", next: "register", version: client.version + 1 });
      this.#tell(client);
      return this.#go(client);
    }
    const silent = this.#clients.filter(({ service, state }) => service === client.service && state === "silent");
    const roll = dice.next();
    if (roll < 0.4) Object.assign(client, { next: "register", version: client.version + 1 });
    else if (silent.length < SILENT_MAX && roll < 0.7) client.state = "silent";
    else if (silent.length < SILENT_MAX) Object.assign(client, { state: "silent", next: "end" });
    this.#tell(client);
  }

  #tell({ name, service, lease, state, version }: Beating): void {
    const token = tokenFor(name, version);
    this.#environment.record({ kind: "leaseClient", client: name, service, lease, token, isAlive: state === "alive" });
  }

  /** Sends the client's next request, unless it has none. */
  #go(client: Beating): void {
    const { scheduler, dice, record } = this.#environment;
    if (client.state === "silent" && client.next !== "end") return;
    const running = this.#cluster
      .nodesOf("session")
      .filter(({ session, isRunning }) => session !== undefined && isRunning);
    const request = ++this.#requests;
    client.request = request;
    const goOn = (afterMs: number) => {
      scheduler.after(afterMs, () => {
        if (client.request === request) this.#go(client);
      });
    };
    if (running.length === 0) return goOn(RETRY_MS);
    const { session, process } = dice.pick(running);
    if (session === undefined || process === undefined) return goOn(RETRY_MS);
    const { next: what, name, service, version } = client;
    let isAnswered = false;
    const asker = {
      answer: (answer: LeaseAnswer) => {
        if (!process.isRunning) return;
        record({ kind: "leaseAnswered", client: name, request, node: process.id, outcome: outcomeOf(answer) });
        if (client.request !== request) return;
        isAnswered = true;
        goOn(this.#answered(client, what, version, answer));
      },
    };
    process.gate.message(() => {
      const token = tokenFor(name, version);
      record({ kind: "leaseAsked", client: name, request, node: process.id, service, what, token });
      const untilMs = process.time.clock.nowMs() + ANSWER_MS;
      session.step(this.#eventOf(client, { what, version, asker, untilMs }));
    });
    scheduler.after(GIVE_UP_MS, () => {
      if (!isAnswered && client.request === request) this.#go(client);
    });
  }

  /** Returns the time until the next request. */
  #answered(client: Beating, what: What, version: number, answer: LeaseAnswer): number {
    if (answer.kind === "failed") return RETRY_MS;
    if (answer.kind === "unknown") {
      if (client.next === "renew") client.next = "register";
      return 0;
    }
    // It may have got something else to do meanwhile.
    if (client.next === what && client.version === version) client.next = "renew";
    return client.next === "renew" ? this.#environment.dice.between(BEAT_MS / 2, BEAT_MS) : 0;
  }

  #eventOf(
    { name, service: serviceKey, lease }: Beating,
    { what, version, ...common }: { what: What; version: number } & Pick<LeaseEvent, "asker" | "untilMs">,
  ): LeaseEvent {
    const request = { ...common, account: this.#account, holder: clientId(`10.9.0.${name.slice(1)}:0_${name}`) };
    if (what === "renew") return { kind: "leaseRenewed", ...request, serviceKey, registId: name };
    if (what === "end") return { kind: "leaseEnded", ...request, key: { serviceKey, registId: name, version: 1n } };
    const payload = packBoxes([textOf(tokenFor(name, version))]);
    const publication = { serviceKey, registId: name, version: 1n, zone: "Z1", appName: "", payload };
    return { kind: "leased", ...request, lease, publication: { ...publication, attributes: new Map() } };
  }

  #listed(process: SimProcess, service: ServiceKey, answer: QueryAnswer): void {
    if (!process.isRunning) return;
    const publications = answer.kind === "list" ? [...answer.view.publications.values()] : undefined;
    const list = publications?.map((one) => `${tokenOf(one)}${one.condition?.isHealthy === false ? "?" : ""}`).sort();
    this.#environment.record({ kind: "leaseListed", node: process.id, service, list });
  }
}

function tokenFor(client: string, version: number): string {
  return `${client}~${version}`;
}

function outcomeOf(answer: LeaseAnswer): "heard" | "unheard" | "unknown" | "failed" {
  if (answer.kind !== "accepted") return answer.kind;
  return answer.isHeard ? "heard" : "unheard";
}
