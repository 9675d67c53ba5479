// The expectations of a scenario. Each line is checked once all commands have run, or at its `expect` among them.

import { serviceKeyOf } from "../../protocols/sofa/serviceName.ts";
import type { Commands } from "./commands.ts";
import { durationMs, type Line, refused } from "./parse.ts";
import { type SeenList, type Stage, serviceName } from "./stage.ts";

/** Undefined if it is as expected; otherwise the actual state. */
type Expectation = (found: RegExpMatchArray) => string | undefined;

export class Expectations {
  readonly #stage: Stage;
  readonly #commands: Commands;
  readonly #forms: readonly (readonly [RegExp, Expectation])[];

  constructor(stage: Stage, commands: Commands) {
    this.#stage = stage;
    this.#commands = commands;
    this.#forms = [...this.#ofLists(), ...this.#ofNodes()];
  }

  /** The difference from the line. */
  difference(line: Line, text = line.text): string | undefined {
    const meant = text
      .split(" ")
      .map((word) => this.#stage.resolve(word))
      .join(" ");
    for (const [form, expectation] of this.#forms) {
      const found = form.exec(meant);
      if (found === null) continue;
      const difference = expectation(found);
      return difference === undefined ? undefined : `line ${line.number}: ${text}\n  but ${difference}`;
    }
    throw refused(line, "nobody knows what that means");
  }

  #ofLists(): (readonly [RegExp, Expectation])[] {
    return [
      // s1 sees orders: 10.0.0.1:80, 10.0.0.2:80 (2 pushes)
      [
        /^(\S+) sees (\S+): (.+?)(?: \((\d+) push(?:es)?\))?$/,
        ([, who, service, list, count]) => this.#sees(`${who} ${service}`, list ?? "", count),
      ],
      [
        /^(\S+) never saw (\S+): (\S+)$/,
        ([, who, service, address = ""]) => {
          const saw = this.#since(`${who} ${service}`).some(({ addresses }) => addresses.includes(address));
          return saw ? "it did" : undefined;
        },
      ],
      [
        /^(\S+) was told nothing of (\S+)$/,
        ([, who, service]) => {
          const lists = this.#since(`${who} ${service}`);
          return lists.length === 0 ? undefined : `it was shown ${lists.map(textOf).join(" | ")}`;
        },
      ],
      // Lists seen before count too.
      [
        /^(\S+) received (\d+) push(?:es)? of (\S+)$/,
        ([, who = "", count, service = ""]) => {
          const serviceKey = serviceKeyOf(serviceName(service));
          const pushes = this.#facts().filter(
            ({ fact }) => fact.kind === "pushed" && fact.client === `client-${who}` && fact.service === serviceKey,
          );
          return pushes.length === Number(count) ? undefined : `there were ${pushes.length}`;
        },
      ],
      [/^nobody saw a removal$/, () => this.#removal(undefined)],
      [/^nobody saw (\S+) removed$/, ([, address]) => this.#removal(address)],
      // orders reached s1 within 500 ms: since its last change.
      [
        /^(\S+) reached (\S+) within (\d+ \w+)$/,
        ([, service = "", who, time = ""]) => {
          const last = this.#stage.seen.get(`${who} ${service}`)?.at(-1);
          const tookMs = (last?.atMs ?? Number.POSITIVE_INFINITY) - this.#stage.changedMs(service);
          return tookMs <= (durationMs(time.split(" ")) ?? 0) ? undefined : `it took ${tookMs} ms`;
        },
      ],
      [
        /^every client is served$/,
        () => {
          const { apps } = this.#stage;
          const unserved = apps.find((app) => !app.isDead && (!app.isConnected || app.undone > 0));
          return unserved === undefined ? undefined : `${unserved.name} is not`;
        },
      ],
    ];
  }

  #ofNodes(): (readonly [RegExp, Expectation])[] {
    const { cluster } = this.#stage;
    return [
      [
        /^meta leaders: (\d+)$/,
        ([, count]) => {
          const leading = cluster.nodesOf("meta").filter(({ meta }) => meta?.isLeading === true);
          return leading.length === Number(count)
            ? undefined
            : `${leading.map(({ machine }) => machine).join(" ")} lead`;
        },
      ],
      [
        /^(\S+) leads the metas$/,
        ([, machine = ""]) => (cluster.node(machine)?.meta?.isLeading === true ? undefined : "it does not"),
      ],
      [
        /^slot leader of (\S+): (\S+)$/,
        ([, service = "", machine]) => {
          const leader = this.#stage.slotLeader(service);
          return leader === machine ? undefined : `it is ${leader}`;
        },
      ],
      [
        /^(\S+) leads (no|some) slots$/,
        ([, machine, amount]) => {
          const leads = this.#slots().some(({ leader }) => leader.startsWith(`${machine}.`));
          return leads === (amount === "some") ? undefined : "it is the other way round";
        },
      ],
      [
        /^(\S+) is (running|not running)$/,
        ([, machine = "", state]) => {
          const isRunning = cluster.node(machine)?.isRunning === true;
          return isRunning === (state === "running") ? undefined : "it is the other way round";
        },
      ],
      [
        /^nobody was refused$/,
        () => {
          const refusal = this.#facts().find(({ fact }) => fact.kind === "refused");
          return refusal === undefined ? undefined : "somebody was";
        },
      ],
      [
        /^(\S+) was refused$/,
        ([, machine = ""]) => {
          const refusals = this.#facts().flatMap(({ fact }) => (fact.kind === "refused" ? [fact.node] : []));
          const runs = this.#runsOf(machine);
          return refusals.some((id) => runs.includes(id)) ? undefined : `refused were ${refusals.join(" ") || "none"}`;
        },
      ],
      [
        /^the slot table stays$/,
        () => {
          const saves = this.#facts().filter(({ fact }) => fact.kind === "saved" && fact.table !== undefined);
          return saves.length === 0 ? undefined : `it was saved ${saves.length} times`;
        },
      ],
      // Only nodes that have slots in the table are named in it.
      [
        /^every slot has (\d+) cop(?:y|ies)$/,
        ([, count]) => {
          const other = this.#slots().find(({ followers }) => followers.length + 1 !== Number(count));
          return other === undefined ? undefined : `one has ${other.followers.length + 1}`;
        },
      ],
      [
        /^(\S+) is held$/,
        ([, service = ""]) => {
          const serviceKey = serviceKeyOf(serviceName(service));
          const held = cluster.nodesOf("data").flatMap(({ data }) => data?.held ?? []);
          return held.includes(serviceKey) ? undefined : `held are ${held.join(" ") || "none"}`;
        },
      ],
    ];
  }

  #sees(key: string, list: string, count: string | undefined): string | undefined {
    const lists = this.#stage.seen.get(key) ?? [];
    const wanted = list === "nothing" ? "" : list.split(/,\s*/).sort().join(", ");
    const last = lists.at(-1);
    const shown = last === undefined ? "was never shown anything" : `sees ${textOf(last)}`;
    if (last === undefined || last.addresses.join(", ") !== wanted) return `it ${shown}`;
    const pushes = this.#since(key).length;
    return count === undefined || pushes === Number(count) ? undefined : `there were ${pushes} pushes`;
  }

  /** A subscriber was shown a list that lacks an entry of the one before: any entry, or the one with this address. */
  #removal(address: string | undefined): string | undefined {
    for (const [key, lists] of this.#stage.seen) {
      for (const [at, { atMs, addresses }] of lists.entries()) {
        const before = lists[at - 1];
        if (before === undefined || atMs < this.#commands.markMs) continue;
        const gone = before.addresses.filter((one) => !addresses.includes(one));
        const isSeen = address === undefined ? gone.length > 0 : gone.includes(address);
        if (isSeen)
          return `${key.replace(" ", " saw ")} without ${gone.join(", ")} at ${atMs - this.#stage.plan.startMs} ms`;
      }
    }
    return undefined;
  }

  #since(key: string): readonly SeenList[] {
    return (this.#stage.seen.get(key) ?? []).filter(({ atMs }) => atMs >= this.#commands.markMs);
  }

  #facts() {
    const fromMs = this.#commands.markMs - this.#stage.plan.startMs;
    return this.#stage.log.facts.filter(({ atMs }) => atMs >= fromMs);
  }

  #runsOf(machine: string): string[] {
    return this.#stage.log.facts.flatMap(({ fact }) =>
      fact.kind === "started" && fact.machine === machine ? [fact.node] : [],
    );
  }

  #slots() {
    return this.#stage.cluster.store.state.slotTable?.slots ?? [];
  }
}

function textOf({ addresses }: SeenList): string {
  return addresses.length === 0 ? "nothing" : addresses.join(", ");
}
