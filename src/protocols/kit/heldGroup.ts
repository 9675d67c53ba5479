// The lists of all services of the default namespace and group, as one protocol shows them. They are followed from the
// first request of a client of that protocol on, and for as long as such clients ask: a node without them holds
// nothing.

import type { ServiceKey } from "../../model/ids.ts";
import type { Registry } from "../../registry/registry.ts";
import { GroupFollower, type GroupListener } from "./groupFollower.ts";

export interface HeldGroupParts {
  readonly registry: Pick<Registry, "step">;
  readonly nowMs: () => number;
  readonly later: (run: () => void) => void;
}

/** `known`: all but the lists that are held since a restart, until their clients have registered again. */
export type HeldState = "known" | "shown";

/** The lists as a protocol has them. */
export interface GroupView<Shown> extends Pick<GroupListener, "listed"> {
  readonly shown: Shown;
  /** Called twice a second. */
  check?(nowMs: number): void;
}

/** A request that came before the lists had. */
interface Waiting<Shown> {
  readonly state: HeldState;
  readonly untilMs: number;
  readonly then: (shown: Shown, nowMs: number) => void;
  readonly refuse: () => void;
}

interface Followed<Shown> {
  readonly view: GroupView<Shown>;
  readonly follower: GroupFollower;
}

// Clients ask every 30 s; heartbeats come as often. The session keeps lists no longer than this for nothing.
const IDLE_MS = 600_000;
const WAIT_MS = 5_000;
// Clients are many when a session has just begun. Others are refused at once, and try the next server.
const WAITING_MAX = 10_000;

export class HeldGroup<Shown> {
  readonly #parts: HeldGroupParts;
  readonly #makeView: () => GroupView<Shown>;
  #followed: Followed<Shown> | undefined;
  #usedMs = 0;
  #waiting: Waiting<Shown>[] = [];
  #isReleasing = false;

  constructor(parts: HeldGroupParts, makeView: () => GroupView<Shown>) {
    this.#parts = parts;
    this.#makeView = makeView;
  }

  /** The lists as far as they are known now; a request that looks at them keeps them. */
  now(): Shown {
    return this.#follow().view.shown;
  }

  /**
   * Calls `then` when the lists are here, at once if they are; `refuse` if they do not come in time, as after the start
   * of a cluster.
   */
  when(state: HeldState, nowMs: number, then: (shown: Shown, nowMs: number) => void, refuse: () => void): void {
    const followed = this.#follow();
    if (isIn(followed, state)) return then(followed.view.shown, nowMs);
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
    followed.view.check?.(nowMs);
    if (nowMs < this.#usedMs + IDLE_MS) return;
    this.#followed = undefined;
    followed.follower.close();
  }

  #follow(): Followed<Shown> {
    this.#usedMs = this.#parts.nowMs();
    if (this.#followed !== undefined) return this.#followed;
    const view = this.#makeView();
    const follower = new GroupFollower(this.#parts, {
      listed: (serviceKey, publications, version) => view.listed(serviceKey, publications, version),
      settled: () => this.#releaseLater(),
    });
    this.#followed = { view, follower };
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
      if (followed !== undefined && isIn(followed, one.state)) one.then(followed.view.shown, nowMs);
      else if (nowMs >= one.untilMs) one.refuse();
      else this.#waiting.push(one);
    }
  }
}

function isIn({ follower }: Pick<Followed<unknown>, "follower">, state: HeldState): boolean {
  return state === "known" ? follower.isKnown : follower.isShown;
}
