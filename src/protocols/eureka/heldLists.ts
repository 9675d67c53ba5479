// The applications of this session. They are followed from the first request of a client of Eureka on, and for as long
// as such clients ask: a node without them holds nothing.

import type { Compression } from "../../base/ports.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Registry } from "../../registry/registry.ts";
import { Applications } from "./applications.ts";
import { Bodies } from "./bodies.ts";
import { GroupFollower } from "./groupFollower.ts";
import type { Reading, Shown } from "./http/readRoutes.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly compression: Pick<Compression, "gzip">;
  readonly nowMs: () => number;
  readonly later: (run: () => void) => void;
}

/** A request that came before the lists had. */
interface Waiting {
  readonly state: "known" | "shown";
  readonly untilMs: number;
  readonly then: (shown: Shown, nowMs: number) => void;
  readonly refuse: () => void;
}

interface Followed extends Shown {
  readonly follower: GroupFollower;
}

// Clients ask every 30 s; heartbeats come as often. The session keeps lists no longer than this for nothing.
const IDLE_MS = 600_000;
const WAIT_MS = 5_000;
// Clients are many when a session has just begun. Others are refused at once, and try the next server.
const WAITING_MAX = 10_000;

export class HeldLists implements Reading {
  readonly #parts: Parts;
  #followed: Followed | undefined;
  #usedMs = 0;
  #waiting: Waiting[] = [];
  #isReleasing = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The applications as far as they are known now; a request that looks at them keeps them. */
  applications(): Applications {
    return this.#follow().applications;
  }

  when(state: Waiting["state"], nowMs: number, then: Waiting["then"], refuse: () => void): void {
    const followed = this.#follow();
    if (isIn(followed, state)) return then(followed, nowMs);
    if (this.#waiting.length >= WAITING_MAX) return refuse();
    this.#waiting.push({ state, untilMs: nowMs + WAIT_MS, then, refuse });
  }

  /** Calls `then` when the list of the service here is at least as new as when it was asked for. */
  refresh(serviceKey: ServiceKey, untilMs: number, then: () => void): void {
    this.#follow().follower.refresh(serviceKey, untilMs, then);
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    this.#release(nowMs);
    const followed = this.#followed;
    if (followed === undefined) return;
    followed.follower.check(nowMs);
    followed.bodies.tidy(nowMs);
    if (nowMs < this.#usedMs + IDLE_MS) return;
    this.#followed = undefined;
    followed.follower.close();
  }

  #follow(): Followed {
    this.#usedMs = this.#parts.nowMs();
    if (this.#followed !== undefined) return this.#followed;
    const { compression, nowMs } = this.#parts;
    const applications = new Applications();
    const follower = new GroupFollower(this.#parts, {
      listed: (serviceKey, publications) => void applications.set(serviceKey, publications, nowMs()),
      settled: () => this.#releaseLater(),
    });
    this.#followed = { applications, bodies: new Bodies(applications, compression), follower };
    follower.start();
    return this.#followed;
  }

  #releaseLater(): void {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    this.#parts.later(() => {
      this.#isReleasing = false;
      this.#release(this.#parts.nowMs());
    });
  }

  /** Lets requests go on for which the lists are here, and refuses those that have waited too long. */
  #release(nowMs: number): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const followed = this.#followed;
    this.#waiting = [];
    for (const one of waiting) {
      if (followed !== undefined && isIn(followed, one.state)) one.then(followed, nowMs);
      else if (nowMs >= one.untilMs) one.refuse();
      else this.#waiting.push(one);
    }
  }
}

function isIn({ follower }: Followed, state: Waiting["state"]): boolean {
  return state === "known" ? follower.isKnown : follower.isShown;
}
