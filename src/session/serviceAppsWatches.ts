// The applications that offer services, for which consumers ask. The session asks the meta nodes once for each service,
// is told the changes from then on, and answers from its copy until no question has come for a while.

import { Deadlines } from "../base/deadlines.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import { APP_NAMES_MAX } from "../cluster/messages/apps.ts";
import type { MemberToMeta } from "../cluster/messages/membership.ts";
import type { ServiceApps } from "../model/appRevision.ts";
import type { AppAsker, AppEvent, ServiceAppsFound } from "../registry/apps.ts";

// Consumers ask when they start, and some every few minutes.
const KEPT_MS = 1_800_000;
// Some hundred bytes each, and more for each application.
const KEPT_MAX = 50_000;
const ASKS_MAX = 10_000;
// An entry that has not come is asked for again.
const AGAIN_MS = 1_000;
// Notices are lost only with a link; this finds what was lost in any other way.
const REPAIR_MS = 60_000;

interface Watched {
  readonly service: string;
  entry: ServiceApps | undefined;
  askedMs: number;
  readonly asks: Set<Ask>;
}

interface Ask {
  readonly asker: AppAsker<ServiceAppsFound>;
  readonly services: readonly Watched[];
  open: number;
}

type Asked = Extract<AppEvent, { kind: "askedServiceApps" }>;

export class ServiceAppsWatches {
  readonly #toMeta: (message: MemberToMeta) => void;
  /** In the order of their last questions. */
  readonly #watched = new Map<string, Watched>();
  readonly #again = new Deadlines<Watched>();
  readonly #ends = new Deadlines<Ask>();
  #repairMs: number;

  constructor(toMeta: (message: MemberToMeta) => void, nowMs: number) {
    this.#toMeta = toMeta;
    this.#repairMs = nowMs + REPAIR_MS;
  }

  /** The number of questions that wait for their answers. */
  get waiting(): number {
    return this.#ends.size;
  }

  asked({ asker, services: names, untilMs }: Asked, nowMs: number): void {
    if (this.#ends.size >= ASKS_MAX) {
      const error = fail("QUERIES_EXHAUSTED", { waiting: this.#ends.size });
      return asker.answer({ services: [], error });
    }
    const services = names.map((service) => this.#watch(service, nowMs));
    const open = new Set(services.filter(({ entry }) => entry === undefined));
    const ask: Ask = { asker, services, open: open.size };
    if (open.size === 0) return answer(ask, undefined);
    for (const watched of open) watched.asks.add(ask);
    this.#ends.set(ask, untilMs);
    this.#letGo();
  }

  received(entries: readonly ServiceApps[]): void {
    for (const entry of entries) {
      const watched = this.#watched.get(entry.service);
      if (watched === undefined || (watched.entry !== undefined && watched.entry.version > entry.version)) continue;
      watched.entry = entry;
      this.#again.delete(watched);
      for (const ask of watched.asks) {
        if (--ask.open > 0) continue;
        this.#ends.delete(ask);
        answer(ask, undefined);
      }
      watched.asks.clear();
    }
  }

  /** A meta node can be reached: it is to know what is watched here. */
  askAll(): void {
    this.#send("watchServiceApps", this.#watched.keys());
  }

  /** This process stood still: answers from that time are read after this. */
  resumed(nowMs: number): void {
    this.#ends.postpone(nowMs + AGAIN_MS);
  }

  nextMs(): number {
    return Math.min(this.#again.nextMs(), this.#ends.nextMs(), this.#repairMs);
  }

  wake(nowMs: number): void {
    for (let ask = this.#ends.take(nowMs); ask !== undefined; ask = this.#ends.take(nowMs)) {
      for (const { asks } of ask.services) asks.delete(ask);
      answer(ask, fail("REVISIONS_UNAVAILABLE"));
    }
    const missing: string[] = [];
    for (let next = this.#again.take(nowMs); next !== undefined; next = this.#again.take(nowMs)) {
      missing.push(next.service);
      this.#again.set(next, nowMs + AGAIN_MS);
    }
    this.#send("watchServiceApps", missing);
    if (nowMs < this.#repairMs) return;
    this.#repairMs = nowMs + REPAIR_MS;
    this.#letGo(nowMs - KEPT_MS);
    this.askAll();
  }

  #watch(service: string, nowMs: number): Watched {
    const watched = this.#watched.get(service) ?? { service, entry: undefined, askedMs: nowMs, asks: new Set() };
    watched.askedMs = nowMs;
    this.#watched.delete(service);
    this.#watched.set(service, watched);
    if (watched.entry === undefined && !this.#again.has(watched)) this.#again.set(watched, nowMs);
    return watched;
  }

  /** Lets those go that are too many, or were not asked for since `sinceMs`. */
  #letGo(sinceMs = Number.NEGATIVE_INFINITY): void {
    const gone: string[] = [];
    for (const watched of this.#watched.values()) {
      if (this.#watched.size <= KEPT_MAX && watched.askedMs >= sinceMs) break;
      if (watched.asks.size > 0) break;
      this.#watched.delete(watched.service);
      this.#again.delete(watched);
      gone.push(watched.service);
    }
    this.#send("unwatchServiceApps", gone);
  }

  #send(kind: "watchServiceApps" | "unwatchServiceApps", services: Iterable<string>): void {
    const all = [...services];
    for (let at = 0; at < all.length; at += APP_NAMES_MAX) {
      this.#toMeta({ kind, services: all.slice(at, at + APP_NAMES_MAX) });
    }
  }
}

function answer({ asker, services }: Ask, error: RegistryError | undefined): void {
  const known = services.map(({ service, entry }) => entry ?? { service, version: 0n, applications: [] });
  asker.answer({ services: known, error });
}
