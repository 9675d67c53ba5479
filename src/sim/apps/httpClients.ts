// Clients that register by HTTP through the real gateways, and keep their registrations by heartbeats. A client goes to
// one session for a while and then to another one, and waits for one answer before its next request. Some fall silent,
// some take their registrations back, some register anew; operators take them out of service and back. When all is well
// they go on with that, and each step must then be seen as it is.

import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { GatewayHost, HttpAnswer } from "../cluster/gatewayHost.ts";
import type { SimNode } from "../cluster/simNode.ts";
import type { HttpWhat } from "../httpFacts.ts";
import { HTTP_PROTOCOLS, type HttpProtocol, type HttpState, httpServiceKey, httpServiceName } from "../httpServices.ts";
import { HEAL_MS, httpCalm } from "../patience.ts";
import { HttpPollers } from "./httpPollers.ts";
import type { Registering } from "./httpWords.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";
import { sessionsByHttp } from "./sessionsByHttp.ts";
import { HTTP_WORDS } from "./wordsByHttp.ts";

const CLIENTS = 6;
const BEAT_MS = 1_500;
const START_SPREAD_MS = 2_000;
const WAY_MS_MAX = 20;
// A client goes on after this; a gateway may answer later.
const GIVE_UP_MS = 4_000;
// An answer that takes longer may be one without the leader, which is told when it can be reached.
const SURE_MS = 1_500;
const RETRY_MS = 300;
const CHANGE_MS = 1_500;
const CALM_CHANGE_MS = 2_500;
const MOVE_CHANCE = 0.2;
// More at once would be held.
const SILENT_MAX = 2;

interface Client extends Registering {
  readonly protocol: HttpProtocol;
  readonly registId: string;
  version: number;
  token: string;
  changedMs: number;
  state: "alive" | "silent";
  next: HttpWhat;
  /** An operator wants it out of service; and it is, as far as the answers say. Undefined: that is not known. */
  isWantedOut: boolean;
  isOut: boolean | undefined;
  /** All of its requests were answered since it has registered. */
  isSure: boolean;
  /** Its present request; a later one makes the answer to an earlier one void. */
  request: number;
  node: SimNode | undefined;
}

export class HttpClients {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #clients: readonly Client[];
  readonly #pollers: HttpPollers;
  #requests = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
    const number = environment.plan.hasHttpClients === true ? CLIENTS : 0;
    this.#clients = Array.from({ length: number }, (_, at) => this.#client(at));
    this.#pollers = new HttpPollers({ ...environment, dice: environment.dice.fork() }, cluster);
  }

  #client(at: number): Client {
    const { dice, scheduler } = this.#environment;
    const protocol = dice.pick(HTTP_PROTOCOLS);
    const name = `h${at + 1}`;
    const common = { name, service: httpServiceName(at), address: `10.9.2.${at + 1}`, port: 80 + at };
    return {
      ...common,
      protocol,
      registId: HTTP_WORDS[protocol].registIdOf(name),
      ...{ version: 1, token: `${name}~1`, changedMs: scheduler.nowMs, state: "alive", next: "register" },
      ...{ isWantedOut: false, isOut: false, isSure: false, request: 0, node: undefined },
    };
  }

  start(): void {
    const { scheduler, dice } = this.#environment;
    if (this.#clients.length === 0) return;
    for (const client of this.#clients) {
      this.#tell(client);
      scheduler.after(dice.below(START_SPREAD_MS), () => this.#go(client));
    }
    const change = () => this.#change(dice.pick(this.#clients));
    repeatAtRandom(this.#environment, CHANGE_MS, change, () => this.#isOver);
    this.#pollers.start();
  }

  /** Asks every session for every list. */
  last(): void {
    this.#pollers.last();
  }

  /** From now on nothing changes until all is well. Then clients whose state is not known begin anew, and all go on. */
  stop(): void {
    this.#isOver = true;
    if (this.#clients.length === 0) return;
    const { scheduler, plan, dice } = this.#environment;
    const { afterMs, forMs } = httpCalm(plan);
    scheduler.after(HEAL_MS + afterMs, () => {
      for (const client of this.#clients) if (client.state === "alive" && !client.isSure) this.#changeClient(client);
      let isOver = false;
      const change = () => this.#change(dice.pick(this.#clients));
      repeatAtRandom(this.#environment, CALM_CHANGE_MS, change, () => isOver);
      scheduler.after(forMs, () => {
        isOver = true;
      });
    });
  }

  #change(client: Client): void {
    const { dice } = this.#environment;
    if (client.state === "silent") {
      client.state = "alive";
      if (client.next === "renew" && dice.chance(0.5)) this.#tell(client);
      else {
        // The operator's word may be gone with the registration.
        if (client.isOut === true) this.#unsure(client);
        this.#changeClient(client);
      }
      return this.#go(client);
    }
    const silent = this.#clients.filter(({ service, state }) => service === client.service && state === "silent");
    const roll = dice.next();
    if (roll < 0.3) this.#changeClient(client);
    else if (roll < 0.65) client.isWantedOut = !client.isWantedOut;
    else if (silent.length < SILENT_MAX) {
      client.state = "silent";
      if (roll < 0.8) client.next = "end";
      this.#tell(client);
    }
  }

  #changeClient(client: Client): void {
    client.version++;
    client.token = `${client.name}~${client.version}`;
    client.changedMs = this.#environment.scheduler.nowMs;
    client.next = "register";
    this.#tell(client);
  }

  #tell({ name, registId, service, protocol, state, token }: Client): void {
    const { lease } = HTTP_WORDS[protocol];
    const common = { service: httpServiceKey(service), lease, isAlive: state === "alive" };
    this.#environment.record({ kind: "httpClient", client: name, ...common });
    this.#environment.record({ kind: "leaseClient", client: registId, token, ...common });
  }

  /** Sends the client's next request, unless it has none. */
  #go(client: Client): void {
    if (client.state === "silent" && client.next !== "end") return;
    const request = ++this.#requests;
    client.request = request;
    const node = this.#nodeFor(client);
    if (node === undefined) return this.#goOn(client, request, RETRY_MS);
    this.#send(client, node, request);
    this.#environment.scheduler.after(GIVE_UP_MS, () => {
      if (client.request !== request) return;
      client.node = undefined;
      this.#unsure(client);
      this.#go(client);
    });
  }

  #goOn(client: Client, request: number, afterMs: number): void {
    this.#environment.scheduler.after(afterMs, () => {
      if (client.request === request) this.#go(client);
    });
  }

  #nodeFor(client: Client): SimNode | undefined {
    const { dice } = this.#environment;
    const running = sessionsByHttp(this.#cluster);
    if (client.node?.isListening === true && !dice.chance(MOVE_CHANCE)) return client.node;
    client.node = running.length === 0 ? undefined : dice.pick(running);
    return client.node;
  }

  #send(client: Client, { process, session }: SimNode, request: number): void {
    const { scheduler, dice, record } = this.#environment;
    const gateways = session?.gateways;
    if (process === undefined || gateways === undefined) return;
    const words = HTTP_WORDS[client.protocol];
    const { next: what, token, name, registId, isOut } = client;
    const node = process.id;
    const sent = words[what](client);
    const sentMs = scheduler.nowMs;
    const answered = (answer: HttpAnswer) => {
      const outcome = words.outcomeOf(answer);
      if (client.request !== request) return;
      const waitMs = this.#answered(client, { what, token }, outcome);
      if (scheduler.nowMs - sentMs > SURE_MS) this.#unsure(client);
      record({ kind: "httpAnswered", client: name, request, node, outcome, state: stateOf(client, token) });
      this.#goOn(client, request, waitMs);
    };
    scheduler.after(dice.below(WAY_MS_MAX), () => {
      process.gate.message(() => {
        const asked = { request, node, token, what };
        const service = httpServiceKey(client.service);
        if (what === "end") record({ kind: "leaseAsked", client: registId, service, ...asked, what });
        // The list at a session decides which of an operator's words is left, and it may be behind.
        const isBehind = what === "register" && isOut === true && !isShownOut(client, gateways);
        if (isBehind && client.request === request) this.#unsure(client);
        record({ kind: "httpAsked", client: name, ...asked });
        gateways.ask(sent, (answer) => void scheduler.after(dice.below(WAY_MS_MAX), () => answered(answer)));
      });
    });
  }

  /** Takes an answer, and returns the time until the next request. */
  #answered(
    client: Client,
    { what, token }: { readonly what: HttpWhat; readonly token: string },
    outcome: "done" | "unknown" | "failed",
  ): number {
    const isPresent = client.next === what && client.token === token;
    if (outcome === "failed") return RETRY_MS;
    if (outcome === "unknown") {
      if (what === "end") return this.#next(client, isPresent);
      // The operators' words went with the registration.
      client.isOut = undefined;
      if (client.next !== "end") client.next = "register";
      return 0;
    }
    if (what === "register") client.isSure = true;
    if (what === "takeOut" || what === "takeBack") client.isOut = what === "takeOut";
    if (what === "end") client.isOut = false;
    return this.#next(client, isPresent);
  }

  /** Decides what comes next. It may have got something else to do meanwhile. */
  #next(client: Client, isPresent: boolean): number {
    const { dice } = this.#environment;
    if (isPresent) client.next = "renew";
    if (client.next === "renew" && client.isOut !== client.isWantedOut) {
      client.next = client.isWantedOut ? "takeOut" : "takeBack";
    }
    return client.next === "register" || client.next === "end" ? 0 : dice.between(BEAT_MS / 2, BEAT_MS);
  }

  /** The outcome of a request is not known: an operator says again what it wants. */
  #unsure(client: Client): void {
    Object.assign(client, { isSure: false, isOut: undefined });
    this.#environment.record({ kind: "httpUnsure", client: client.name });
  }
}

/** The state of a registration by the last answer. */
function stateOf({ isSure, isOut, state }: Client, token: string): HttpState | undefined {
  return isSure && isOut !== undefined && state === "alive" ? { token, isOut } : undefined;
}

function isShownOut({ protocol, name, service, address }: Client, gateways: GatewayHost): boolean {
  const words = HTTP_WORDS[protocol];
  let list: readonly string[] | undefined;
  gateways.ask(words.list(service, address), (answer) => {
    list = words.listIn(answer);
  });
  return list?.some((entry) => entry.startsWith(`${name}~`) && entry.endsWith("!")) === true;
}
