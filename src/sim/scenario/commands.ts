// The commands of a scenario.

import type { Cancel } from "../../base/ports.ts";
import type { Rule, RuleDraft } from "../../model/rule.ts";
import { serviceKeyOf } from "../../protocols/sofa/serviceName.ts";
import type { SimNode } from "../cluster/simNode.ts";
import { STORE } from "../cluster/store.ts";
import type { Fact, Role } from "../facts.ts";
import { COMPARE_MS, quietMs } from "../patience.ts";
import { durationMs, type Line, refused } from "./parse.ts";
import { type Stage, serviceName } from "./stage.ts";

type Command = (words: readonly string[], line: Line) => void;

const SETTLE_MS = 10_000;
const ROLLING_MS = 4_000;
const RESTART_MS = 100;

export class Commands {
  readonly #stage: Stage;
  readonly #open = new Set<Cancel>();
  readonly #commands: ReadonlyMap<string, Command>;
  /** The time from which expectations count. */
  markMs = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#commands = new Map([
      ...Object.entries(this.#clientCommands()),
      ...Object.entries(this.#nodeCommands()),
      ...Object.entries(this.#networkCommands()),
      ...Object.entries(this.#timeCommands()),
    ]);
  }

  run(line: Line): void {
    const [name = "", ...words] = line.words;
    const command = this.#commands.get(name);
    if (command === undefined) throw refused(line, `there is no command ${name}`);
    if (name !== "clock") this.#stage.start();
    command(
      words.map((word) => this.#stage.resolve(word)),
      line,
    );
  }

  #clientCommands(): Record<string, Command> {
    const stage = this.#stage;
    const appOf = (who: string) => stage.actor(who).app;
    return {
      // client c1 at s1 s2 [beside c2]: it goes to the first of them that listens; it is another process of c2's host.
      client: ([who = "", , ...words]) => {
        const beside = words.indexOf("beside");
        const sessions = beside < 0 ? words : words.slice(0, beside);
        stage.actor(who, sessions, beside < 0 ? undefined : words[beside + 1]).sessions = sessions;
      },
      // crowd 20 at s1 publish orders: k1 to k20, each with an address.
      crowd: ([count = "", , sessions = "", , service = ""]) => {
        for (let at = 1; at <= Number(count); at++) {
          stage.actor(`k${at}`, sessions.split(","));
          stage.publish(`k${at}`, service, { address: `10.1.0.${at}:80`, name: undefined });
        }
      },
      subscribe: ([who = "", service = "", scope]) => {
        appOf(who).subscribe(
          serviceName(service),
          scope === "zone" || scope === "global" ? scope : "dataCenter",
          false,
        );
      },
      // publish c1 orders 10.0.0.1:80 [as name]: under a name, two clients can publish one registration.
      publish: ([who = "", service = "", address = "", , name]) => stage.publish(who, service, { address, name }),
      unpublish: ([who = "", service = "", , name], line) => {
        if (!stage.unpublish(who, name ?? service)) throw refused(line, `${who} does not publish it`);
      },
      // cut c1 [half-open 5 s]: the session learns of it that much later.
      cut: ([who = "", , amount, unit]) =>
        appOf(who).cut({ clientMs: 0, serverMs: durationMs([amount, unit]) ?? 0 }, 0),
      // away c1 3 s: it does not come back before.
      away: ([who = "", ...time]) => appOf(who).cut({ clientMs: 0, serverMs: 0 }, durationMs(time) ?? 0),
      // move c1 s2 [half-open 5 s]: it loses its connection and comes back there.
      move: ([who = "", to = "", , amount, unit]) => {
        stage.actor(who).sessions = [to];
        appOf(who).cut({ clientMs: 0, serverMs: durationMs([amount, unit]) ?? 0 }, 0);
      },
      die: ([who = ""]) => appOf(who).die("killed"),
      silence: ([who = ""]) => appOf(who).fallSilent(),
      // freeze c1: its process stands still, its machine does not.
      freeze: ([who = ""]) => appOf(who).standStill(),
      wake: ([who = ""]) => appOf(who).heal(),
      // late c1 2500 ms: its messages, answers too, take that much longer, until it connects anew.
      late: ([who = "", ...time]) => appOf(who).answerLate(durationMs(time) ?? 0),
      // line c1 1000: it receives that many bytes a second, until it connects anew.
      line: ([who = "", bytesPerSecond = ""]) => appOf(who).readThroughNarrowLine(Number(bytesPerSecond)),
      // offline c1 [for 3 s]: an operator takes its address out of all lists.
      offline: ([who = "", , ...time]) => {
        const match = { addresses: [appOf(who).address] };
        this.#rule(`off-${who}`, { effect: "hidePublications", match, lastsMs: durationMs(time) });
      },
      online: ([who = ""]) => this.#rule(`off-${who}`, undefined),
      // stop-push [but c1]: the others are pushed nothing.
      "stop-push": ([, who]) => {
        const match = who === undefined ? {} : { exceptAddresses: [appOf(who).address] };
        this.#rule("stop-push", { effect: "holdPushes", match, lastsMs: undefined });
      },
      "open-push": () => this.#rule("stop-push", undefined),
      // set session-lease-ms 3000; unset session-lease-ms: an operator changes a setting of the whole cluster.
      set: ([name = "", value = ""]) => {
        const settings = new Map([[name, value]]);
        this.#rule(`setting:${name}`, { effect: "changeSettings", match: {}, settings, lastsMs: undefined });
      },
      unset: ([name = ""]) => this.#rule(`setting:${name}`, undefined),
      storm: ([machine = ""], line) => {
        for (const wire of this.#node(machine, line).session?.wires ?? []) wire.cut({ clientMs: 0, serverMs: 0 });
      },
    };
  }

  #nodeCommands(): Record<string, Command> {
    const stage = this.#stage;
    const { cluster, scheduler } = stage;
    const each =
      (run: (node: SimNode) => void): Command =>
      (words, line) => {
        for (const node of this.#named(words, line)) run(node);
      };
    return {
      // kill d1 d2, or kill d1 when replicated: in the middle of its step, before that message is sent.
      kill: (words, line) => {
        const [machine = "", when, kind = ""] = words;
        if (when === "when") this.#killWhen(this.#node(machine, line), kind);
        else for (const node of this.#named(words, line)) cluster.stop(node, "killed");
      },
      // call L @orders: from here on L is the machine that leads orders now.
      call: ([name = "", machine = ""]) => stage.call(name, machine),
      vanish: each((node) => cluster.stop(node, "vanished")),
      start: each((node) => node.start()),
      restart: each((node) => {
        cluster.stop(node, "killed");
        scheduler.after(RESTART_MS, () => node.start());
      }),
      // stop d1: in order; it hands over its work and ends.
      stop: each((node) => node.stopInOrder(() => undefined)),
      pause: each((node) => cluster.pause(node)),
      resume: each((node) => cluster.resume(node)),
      join: each((node) => node.start()),
      copy: each((node) => void cluster.startCopy(node)),
      // clock s1 +30 s: for its next process; as the first command, for its first one.
      clock: ([machine = "", amount = "", unit = ""], line) => {
        const node = this.#node(machine, line);
        node.clock = { ...node.clock, offsetMs: node.clock.offsetMs + (durationMs([amount, unit]) ?? 0) };
      },
      rolling: () => this.#roll(cluster.nodes),
      block: ([machine = ""]) => this.#operate(machine, true),
      allow: ([machine = ""]) => this.#operate(machine, false),
      "pause-slots": () => this.#pauseSlots({ setBy: "operator", reason: "" }),
      "step-down": each((node) => node.meta?.stepDown()),
      "resume-slots": () => this.#pauseSlots(undefined),
      release: ([service = ""]) => {
        const serviceKey = serviceKeyOf(serviceName(service));
        for (const { data } of cluster.nodesOf("data")) data?.step({ kind: "releaseHeld", serviceKey });
      },
    };
  }

  #networkCommands(): Record<string, Command> {
    const { cluster } = this.#stage;
    return {
      // partition s1 d1 | rest
      partition: (words) => {
        const groups = words.join(" ").split("|");
        const named = groups.map((group) => group.trim().split(/\s+/));
        const all = [STORE, ...cluster.nodes.map(({ machine }) => machine)];
        const rest = all.filter((machine) => !named.flat().includes(machine));
        const whole = named.map((group) => group.flatMap((machine) => (machine === "rest" ? rest : [machine])));
        this.#open.add(cluster.partition(whole));
      },
      // oneway s1 > d1: nothing passes from the one to the other.
      oneway: ([from = "", , to = ""]) => {
        this.#open.add(cluster.block([{ from, to }], `nothing passes from ${from} to ${to}`));
      },
      reset: ([one = "", other = ""]) => cluster.reset(one, other),
      // delay 200 ms: every message takes up to that much longer, until heal.
      delay: (words) => this.#open.add(cluster.slowDown(durationMs(words) ?? 0)),
      heal: () => {
        for (const open of this.#open) open();
        this.#open.clear();
      },
      store: ([what, ...words], line) => this.#store(what, words, line),
    };
  }

  #timeCommands(): Record<string, Command> {
    const stage = this.#stage;
    return {
      wait: (words, line) => {
        const time = durationMs(words);
        if (time === undefined) throw refused(line, "that is no time");
        stage.pass(time);
      },
      settle: () => stage.pass(SETTLE_MS),
      // at 5 s: that long after the cluster was started.
      at: (words) => stage.pass(Math.max(0, (durationMs(words) ?? 0) - stage.atMs)),
      mark: () => {
        this.markMs = stage.scheduler.nowMs;
      },
      // Everything heals, and the world has all its patience; then every rule of the end is checked.
      finish: () => this.#finish(),
    };
  }

  #store(what: string | undefined, words: readonly string[], line: Line): void {
    const { store } = this.#stage.cluster;
    switch (what) {
      case "down":
      case "up":
        store.setSlow(0);
        store.setUnknown(0);
        return store.setDown(what === "down");
      case "slow":
        return store.setSlow(durationMs(words) ?? 0);
      case "unsure":
        return store.setUnknown(1);
      case "loses":
        store.failOver(durationMs(words) ?? 0);
        return this.#stage.record({
          kind: "failedOver",
          table: store.state.slotTable,
          rules: store.rules,
          access: store.access,
        });
      case "clock":
        return store.jumpClock(durationMs(words) ?? 0);
      default:
        throw refused(line, "a store is down, up, slow, unsure, loses or has a clock");
    }
  }

  #killWhen(node: SimNode, kind: string): void {
    this.#stage.once((fact) => {
      const id = node.process?.id;
      if (id === undefined || fact.kind !== kind || sayerOf(fact) !== id) return false;
      this.#stage.cluster.stop(node, "killed");
      return true;
    });
  }

  #roll([node, ...rest]: readonly SimNode[]): void {
    if (node === undefined) return;
    const { scheduler } = this.#stage;
    node.stopInOrder(() => {
      scheduler.after(RESTART_MS, () => node.start());
      scheduler.after(RESTART_MS + ROLLING_MS, () => this.#roll(rest));
    });
  }

  #operate(machine: string, isBlocked: boolean): void {
    for (const { meta } of this.#stage.cluster.nodesOf("meta")) {
      meta?.step({ kind: "blockNode", request: 1, node: machine, isBlocked });
    }
  }

  #pauseSlots(pause: { readonly setBy: string; readonly reason: string } | undefined): void {
    for (const { meta } of this.#stage.cluster.nodesOf("meta")) meta?.pauseSlots(pause);
  }

  /** The leading meta node puts a rule, or removes it. */
  #rule(
    id: string,
    rule: (Pick<Rule, "effect" | "match" | "settings"> & { lastsMs: number | undefined }) | undefined,
  ): void {
    const leader = this.#stage.cluster.nodesOf("meta").find(({ meta }) => meta?.isLeading === true);
    const nowMs = leader?.process?.time.clock.nowMs() ?? 0;
    const put: RuleDraft[] = [];
    if (rule !== undefined) {
      const { lastsMs, ...what } = rule;
      const end = lastsMs === undefined ? {} : { untilMs: Math.ceil(nowMs) + lastsMs };
      put.push({ id, ...what, ...end, isInForce: true, setBy: "operator", reason: "" });
    }
    leader?.meta?.changeRules({ put, removed: rule === undefined ? [id] : [], expected: new Map() });
  }

  #finish(): void {
    const stage = this.#stage;
    for (const open of this.#open) open();
    this.#open.clear();
    stage.cluster.heal();
    for (const app of stage.apps) app.heal();
    stage.record({ kind: "healed" });
    stage.pass(quietMs(stage.plan));
    stage.record({ kind: "compared" });
    const datas = stage.cluster.nodesOf("data").map(({ machine }) => machine);
    for (const one of datas) for (const other of datas) if (one < other) stage.cluster.reset(one, other);
    stage.pass(COMPARE_MS);
    const living = stage.apps.filter((app) => !app.isDead);
    const live = living.map(({ name, isConnected, undone, heldByOthers }) => {
      return { client: name, isConnected, undone, heldByOthers };
    });
    stage.record({ kind: "over", live });
  }

  #named(words: readonly string[], line: Line): SimNode[] {
    return words.map((machine) => this.#node(machine, line));
  }

  #node(machine: string, line: Line): SimNode {
    const known = this.#stage.cluster.node(machine);
    if (known !== undefined) return known;
    const role = ROLES[machine[0] ?? ""];
    if (role === undefined || line.words[0] !== "join") throw refused(line, `there is no node ${machine}`);
    return this.#stage.cluster.addNode(machine, [role]);
  }
}

const ROLES: Readonly<Record<string, Role>> = { m: "meta", d: "data", s: "session" };

/** The machine that causes the fact, for facts at which a node can be killed. */
function sayerOf(fact: Fact): string | undefined {
  switch (fact.kind) {
    case "told":
    case "asked":
    case "replicated":
    case "followed":
      return fact.from;
    case "saved":
      return fact.by;
    case "learned":
    case "leads":
      return fact.node;
    case "acknowledged":
      return fact.session;
    default:
      return undefined;
  }
}
