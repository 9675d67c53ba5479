// The rules have changed: the publications that this concerns are marked anew, and where that changes a list of a led
// slot, the list gets a version. The node goes through its slots for that, led and followed ones, a part at a time, at
// 0.16 microseconds a publication; where the rules name addresses, publications of other hosts are not read
// (addressSearch.ts). Publications taken meanwhile are marked by the new rules when they are taken.

import type { RulesTaken } from "../cluster/ruleView.ts";
import { hostNumberOfHost, type ServiceKey } from "../model/ids.ts";
import { namesOnlyHosts, type Rule } from "../model/rule.ts";
import type { Commits } from "./commits.ts";
import type { Datum } from "./datum.ts";
import type { KeptSlot, Slots } from "./slots.ts";

// Some four milliseconds in one step. The next one follows at once, since operators wait for it.
const WORK_PER_STEP = 20_000;
// Going to a service takes as long as going over some of its publications.
const WORK_PER_SERVICE = 3;
// A publication that may be concerned is read, matched and perhaps marked.
const WORK_PER_READ = 10;

/** The publications that may be concerned. */
interface Concerned {
  /** All of them. */
  areAll: boolean;
  /** Those of clients whose hosts have these numbers. */
  readonly hosts: Set<number>;
  /** Those of these services. */
  readonly services: Set<ServiceKey>;
}

interface Pass {
  readonly kept: KeptSlot;
  readonly rest: Iterator<Datum>;
}

interface Parts {
  readonly slots: Pick<Slots, "keptSlot" | "kept" | "slotOf">;
  readonly commits: Pick<Commits, "commit">;
}

export class RuleSweep {
  readonly #parts: Parts;
  readonly #due = new Set<number>();
  #concerned: Concerned = { areAll: false, hosts: new Set(), services: new Set() };
  #pass: Pass | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The rules have changed. A sweep that is under way begins anew, for both changes. */
  changed({ before, change }: RulesTaken): void {
    const earlier = [...change.removed, ...change.put.map(({ id }) => id)].map((id) => before.get(id));
    const rules = [...earlier, ...change.put].filter((rule) => rule?.effect === "hidePublications" && rule.isInForce);
    if (rules.length === 0) return;
    for (const rule of rules) if (rule !== undefined) this.#concern(rule);
    this.#pass = undefined;
    this.#plan();
  }

  /** Every publication is marked by the newest rules. */
  get isDone(): boolean {
    return this.#pass === undefined && this.#due.size === 0;
  }

  /** Goes on, through one part. */
  wake(nowMs: number): void {
    let left = WORK_PER_STEP;
    while (left > 0) {
      this.#pass ??= this.#nextPass();
      if (this.#pass === undefined) return;
      const { value: datum, done } = this.#pass.rest.next();
      if (done === true) this.#pass = undefined;
      else left -= WORK_PER_SERVICE + this.#sweep(this.#pass.kept, datum, nowMs);
    }
  }

  #concern({ match }: Rule): void {
    const { addresses = [], services } = match;
    if (namesOnlyHosts(match)) for (const host of addresses) this.#concerned.hosts.add(hostNumberOfHost(host));
    else if (services === undefined) this.#concerned.areAll = true;
    else for (const service of services) this.#concerned.services.add(service);
  }

  #plan(): void {
    const { areAll, hosts, services } = this.#concerned;
    if (areAll || hosts.size > 0) for (const slot of this.#parts.slots.kept()) this.#due.add(slot.contents.slot);
    for (const service of services) {
      const slot = this.#parts.slots.slotOf(service);
      if (slot !== undefined) this.#due.add(slot);
    }
  }

  #nextPass(): Pass | undefined {
    for (const slot of this.#due) {
      this.#due.delete(slot);
      const kept = this.#parts.slots.keptSlot(slot);
      // A Map may change while it is iterated.
      if (kept !== undefined) return { kept, rest: kept.contents.datums.values() };
    }
    this.#concerned = { areAll: false, hosts: new Set(), services: new Set() };
    return undefined;
  }

  /** Returns the work that it was. */
  #sweep(kept: KeptSlot, datum: Datum, nowMs: number): number {
    const { areAll, hosts, services } = this.#concerned;
    const isWhole = areAll || services.has(datum.serviceKey);
    if (!isWhole && hosts.size === 0) return 0;
    const marked = [...datum.marked(isWhole ? undefined : hosts)];
    const work = datum.size + WORK_PER_READ * marked.length;
    const changes = marked.map((publication) => datum.mark(publication)).filter((change) => change !== undefined);
    // The slot may have passed from one duty to the other since the pass began.
    const { contents } = kept;
    const now = this.#parts.slots.keptSlot(contents.slot);
    if (changes.length > 0 && now?.duty === "lead" && now.contents === contents) {
      this.#parts.commits.commit(now, datum, { changes, taken: [], isResized: false }, nowMs);
    }
    return work;
  }
}
