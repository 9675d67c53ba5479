// Clients of Eureka, Nacos and Consul by HTTP: providers that send heartbeats to one session and go to the next when it
// does not answer, and callers that ask every session, in each of the protocols, for every service.

import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "../history/event.ts";
import { HTTP_PROTOCOLS, type HttpCall, type HttpInstance, type HttpProtocol } from "./httpProtocols.ts";

const BEAT_MS = 1_000;
const ASK_MS = 250;
const ANSWER_MS = 2_000;

/** A session's address, without a port. */
interface Place {
  readonly name: string;
  readonly host: string;
}

/** A provider of an instance. */
export class HttpProvider {
  readonly instance: HttpInstance;
  readonly protocol: HttpProtocol;
  readonly #sessions: readonly Place[];
  #at: number;
  #isOver = false;
  #isKnown = false;
  /** The last heartbeat or registration that was taken. */
  takenMs = Number.NEGATIVE_INFINITY;
  readonly over: Promise<void>;

  constructor(protocol: HttpProtocol, instance: HttpInstance, sessions: readonly Place[], at: number) {
    this.protocol = protocol;
    this.instance = instance;
    this.#sessions = sessions;
    this.#at = at;
    this.over = this.#live();
  }

  get address(): string {
    return `${this.instance.ip}:${this.instance.port}`;
  }

  /** Says nothing more, as a process that was killed. */
  async crash(): Promise<void> {
    this.#isOver = true;
    await this.over;
  }

  /** Takes its instance back. */
  async leave(): Promise<void> {
    await this.crash();
    for (;;) {
      const { status } = await this.#ask(this.protocol.deregister(this.instance));
      if (status >= 200 && status < 300) return;
      await sleep(ASK_MS);
    }
  }

  async #live(): Promise<void> {
    while (!this.#isOver) {
      const { instance, protocol } = this;
      const { status, text } = await this.#ask(this.#isKnown ? protocol.beat(instance) : protocol.register(instance));
      const isTaken = status >= 200 && status < 300;
      if (this.#isKnown && protocol.isUnknown(status, text)) this.#isKnown = false;
      else if (isTaken) {
        this.#isKnown = true;
        this.takenMs = monotonicMs();
        await sleep(BEAT_MS);
      } else await sleep(ASK_MS);
    }
  }

  /** Asks its session; where that does not answer, or can't do it now, the next one is asked the next time. */
  async #ask(call: HttpCall): Promise<{ readonly status: number; readonly text: string }> {
    const place = this.#sessions[this.#at % this.#sessions.length];
    const answer = await ask(place?.host ?? "", this.protocol.port, call);
    if (answer.status === 0 || answer.status >= 500) this.#at++;
    return answer;
  }
}

/** Hears of every answer, with the one before. */
type Changed = (
  caller: string,
  service: string,
  change: { readonly before: readonly string[]; readonly now: readonly string[] },
) => void;

/** Asks one session in one protocol for all services, again and again. */
class HttpCaller {
  readonly name: string;
  /** By service, the addresses of the last answer. */
  readonly shown = new Map<string, readonly string[]>();
  readonly over: Promise<void>;
  readonly #place: Place;
  readonly #protocol: HttpProtocol;
  readonly #changed: Changed;
  #isOver = false;

  constructor(place: Place, protocol: HttpProtocol, services: readonly string[], changed: Changed) {
    this.name = `${protocol.name} at ${place.name}`;
    this.#place = place;
    this.#protocol = protocol;
    this.#changed = changed;
    this.over = this.#live(services);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.over;
  }

  async #live(services: readonly string[]): Promise<void> {
    while (!this.#isOver) {
      for (const service of services) await this.#look(service);
      await sleep(ASK_MS);
    }
  }

  async #look(service: string): Promise<void> {
    const { status, text } = await ask(this.#place.host, this.#protocol.port, this.#protocol.list(service));
    const now = status === 0 ? undefined : this.#protocol.callable(status, text);
    if (now === undefined) return;
    const before = this.shown.get(service) ?? [];
    this.shown.set(service, now);
    this.#changed(this.name, service, { before, now });
  }
}

/** All of them. */
export class HttpClients {
  /** Those that live; the scenario says which do. */
  readonly living: Set<HttpProvider>;
  /** Sentences about instances that were missing though their providers lived. */
  readonly lost: string[] = [];
  readonly #providers: readonly HttpProvider[];
  readonly #callers: readonly HttpCaller[];

  /** `tag` begins the names of all services. */
  constructor(tag: string, sessions: readonly Place[], providersOfEach: number) {
    const services = HTTP_PROTOCOLS.map(({ name }) => `${tag}-${name}`.toLowerCase());
    this.#providers = HTTP_PROTOCOLS.flatMap((protocol, row) =>
      Array.from({ length: providersOfEach }, (_, at) => {
        const instance = { service: services[row] ?? "", ip: `10.9.${row}.${at + 1}`, port: 8_000 + at };
        return new HttpProvider(protocol, instance, sessions, at);
      }),
    );
    this.living = new Set(this.#providers);
    const changed: Changed = (caller, service, change) => this.#judge(caller, service, change);
    this.#callers = sessions.flatMap((place) =>
      HTTP_PROTOCOLS.map((protocol) => new HttpCaller(place, protocol, services, changed)),
    );
  }

  /** An instance that a caller has seen must not be missing in its next answer. */
  #judge(
    caller: string,
    service: string,
    { before, now }: { before: readonly string[]; now: readonly string[] },
  ): void {
    for (const provider of this.living) {
      if (provider.instance.service !== service) continue;
      if (before.includes(provider.address) && !now.includes(provider.address)) {
        this.lost.push(`${caller}: ${provider.address} of ${service} was missing, and its provider lived`);
      }
    }
  }

  /** Whether every caller shows exactly the instances of the living providers. */
  areShown(): boolean {
    return this.#callers.every((caller) =>
      [...caller.shown].every(([service, shown]) => {
        const expected = [...this.living].filter(({ instance }) => instance.service === service);
        return shown.length === expected.length && expected.every(({ address }) => shown.includes(address));
      }),
    );
  }

  /** Whether every caller has an answer about every service. */
  haveAnswers(): boolean {
    return this.#callers.every(({ shown }) => shown.size === HTTP_PROTOCOLS.length);
  }

  /** The callers that show something else, for people. */
  differing(): readonly string[] {
    return this.#callers.flatMap(({ name, shown }) => [...shown].map(([service, now]) => `${name}: ${service} ${now}`));
  }

  async end(): Promise<void> {
    await Promise.all([...this.#callers.map((caller) => caller.end()), ...this.#providers.map((one) => one.crash())]);
  }
}

/** The status and text of an answer; 0 if there is none. */
async function ask(
  host: string,
  port: number,
  { method, path, json, form }: HttpCall,
): Promise<{ readonly status: number; readonly text: string }> {
  const body = json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json);
  const headers = { accept: "application/json", ...(json !== undefined && { "content-type": "application/json" }) };
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(`http://${host}:${port}${path}`, { method, headers, signal, ...(body && { body }) });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: "" };
  }
}
