// The ordered tree. The commits of the store are the truth: each answer shows it whole as of one transaction, no older
// than two thirds of a session; an acknowledged write is in the commit that its answer names. Sessions end neither
// early nor late, and their ephemeral znodes with them. The history of all clients is judged like that of real
// processes (./judgeTree.ts).

import type { NodeId } from "../../../model/ids.ts";
import type { SessionId } from "../../../records/tree/znode.ts";
import type { Fact } from "../../facts.ts";
import type { TreeFact } from "../../treeFacts.ts";
import type { Checker, Finding, Rule } from "../checker.ts";
import { judgeTree } from "./judgeTree.ts";
import { SeenWatches } from "./seenWatches.ts";
import type { TreeEvent } from "./treeEvent.ts";
import { type Effects, revisionOf, TreeTruth } from "./treeTruth.ts";

// Clocks of nodes run too fast by one percent at the most.
const DRIFT = 0.02;
// A node looks at its clients and at the store twice a second.
const SLACK_MS = 1_500;

type Of<Kind extends TreeFact["kind"]> = TreeFact & { readonly kind: Kind };

/** A session as its client has seen it. */
interface SeenSession {
  readonly timeoutMs: number;
  readonly watches: SeenWatches;
  /** By node, when the newest request that it has answered was sent. */
  readonly heard: Map<NodeId, number>;
  /** The newest transaction of an answer. */
  zxid: number;
  isClosing: boolean;
  /** The last answer in the order of its requests. */
  last: Asked;
}

interface Asked {
  readonly order: number;
  readonly zxid: number;
}

export class TreeChecker implements Checker {
  readonly #truth = new TreeTruth();
  readonly #events: TreeEvent[] = [];
  readonly #sessions = new Map<SessionId, SeenSession>();
  readonly #deleting = new Set<string>();
  readonly #together: Of<"treeTogether">["values"][] = [];
  readonly #live = new Set<SessionId>();

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "treeCommitted":
        return this.#committed(fact, nowMs);
      case "treeConnected":
        this.#connected(fact);
        return undefined;
      case "treeClosing":
      case "treeDied":
        this.#closing(fact);
        return undefined;
      case "treeExpired":
        return this.#expired(fact);
      case "treeAnswered":
        return this.#answered(fact);
      case "treeDid":
        return this.#did(fact);
      case "treeTogether":
        this.#together.push(fact.values);
        return undefined;
      case "treeListed":
        return this.#listed(fact);
      case "treeDeleting":
        this.#deleting.add(fact.path);
        return undefined;
      case "treeWatched":
        this.#sessions.get(fact.session)?.watches.set(fact.watch, fact.path, fact.zxid);
        return undefined;
      case "treeRewatched":
        return watchFinding(fact, this.#sessions.get(fact.session)?.watches.setAgain(fact.zxid));
      case "treeFired":
        return this.#fired(fact);
      case "treeWrong":
        return found("tree: an answer is the truth", `${fact.client}: ${fact.what}`);
      case "treeHeld":
        if (fact.held === fact.stored) return undefined;
        return found(
          "tree: an answer is the truth",
          `${fact.node} holds at the end\n${fact.held}\nand not\n${fact.stored}`,
        );
      case "treeLives":
        return this.#lives(fact);
      case "over":
        return this.#over();
      default:
        return undefined;
    }
  }

  #committed(fact: Of<"treeCommitted">, nowMs: number): Finding | undefined {
    const effects = this.#truth.add(fact, nowMs);
    if (effects === undefined) return undefined;
    for (const [path, session] of this.#truth.ephemerals) {
      if (!this.#truth.sessions.has(session)) {
        return found("tree: sessions", `${path} outlives its session ${session}, by a commit of ${fact.by}`);
      }
    }
    if (effects.repeated !== undefined) {
      return found("tree: acknowledged is made", `${effects.repeated} is written twice, by ${fact.by}`);
    }
    return this.#ended(effects, fact.by, nowMs);
  }

  #ended({ ended, gone }: Effects, by: NodeId, nowMs: number): Finding | undefined {
    for (const id of ended) {
      const seen = this.#sessions.get(id);
      if (seen === undefined || seen.isClosing) continue;
      const silentMs = nowMs - (seen.heard.get(by) ?? Number.NEGATIVE_INFINITY);
      if (silentMs >= seen.timeoutMs * (1 - DRIFT)) continue;
      return found(
        "tree: sessions",
        `${by} ends session ${id} of ${seen.timeoutMs} ms, which it heard ${silentMs} ms ago`,
      );
    }
    for (const { path, session } of gone) {
      const isOver = !this.#truth.sessions.has(session) || this.#truth.sessions.get(session)?.isEnding === true;
      if (!isOver && !this.#deleting.has(path)) {
        return found("tree: sessions", `${path} has gone, and its session ${session} lives`);
      }
    }
    return undefined;
  }

  #connected({ session, timeoutMs, isNew }: Of<"treeConnected">): void {
    const known = this.#sessions.get(session);
    if (known !== undefined && !isNew) return known.watches.reconnected(known.zxid);
    const watches = new SeenWatches(this.#truth.events);
    const last = { order: 0, zxid: 0 };
    this.#sessions.set(session, { timeoutMs, watches, heard: new Map(), zxid: 0, isClosing: false, last });
  }

  #closing({ session }: Of<"treeClosing" | "treeDied">): void {
    const seen = this.#sessions.get(session);
    if (seen !== undefined) seen.isClosing = true;
  }

  /** Only a session that the store does not have has ended. */
  #expired({ session, client, node }: Of<"treeExpired">): Finding | undefined {
    const state = this.#truth.sessions.get(session);
    if (session === 0 || state === undefined || state.isEnding) return undefined;
    return found("tree: sessions", `${node} tells ${client} that session ${session} has ended, and it lives`);
  }

  #answered(fact: Of<"treeAnswered">): Finding | undefined {
    const { session, node, sentMs, zxid, client } = fact;
    const seen = this.#sessions.get(session);
    if (seen === undefined) return undefined;
    seen.heard.set(node, Math.max(seen.heard.get(node) ?? 0, sentMs));
    const staleMs = (seen.timeoutMs * 2) / 3 + SLACK_MS;
    const due = this.#truth.newestBefore(sentMs - staleMs);
    if (revisionOf(zxid) < due) {
      const what = `${node} answers ${client} as of ${zxid}, and revision ${due} was there ${staleMs} ms before`;
      return found("tree: no answer is too old", what);
    }
    seen.zxid = Math.max(seen.zxid, zxid);
    return watchFinding(fact, seen.watches.answered(zxid));
  }

  #fired(fact: Of<"treeFired">): Finding | undefined {
    const seen = this.#sessions.get(fact.session);
    return seen && watchFinding(fact, seen.watches.fired(fact));
  }

  #did({ event, zxid, order, session, node }: Of<"treeDid">): Finding | undefined {
    this.#events.push(event);
    const isWrite = event.kind === "write" || event.kind === "created";
    const inOrder = () => this.#inOrder(session, { order, zxid, isWrite });
    if (event.kind === "read") return this.#read(event, zxid, node) ?? inOrder();
    if (event.kind === "created") return inOrder();
    if (event.kind !== "write") return undefined;
    if (event.outcome !== "done") return undefined;
    return this.#written(event, zxid, node) ?? inOrder();
  }

  #read({ register, version, value, client }: TreeEvent & { kind: "read" }, zxid: number, node: NodeId) {
    const state = this.#truth.dataAt(register, revisionOf(zxid));
    if (state?.version === version && state.value === value) return undefined;
    const what = `${node} shows ${client} version ${version} "${value}" of ${register} as of ${zxid}`;
    return found("tree: an answer is the truth", `${what}, which was ${state?.version} "${state?.value}"`);
  }

  /** An acknowledged write is in the commit that its answer names. */
  #written({ register, version = 0, value }: TreeEvent & { kind: "write" }, zxid: number, node: NodeId) {
    const revision = revisionOf(zxid);
    const after = this.#truth.dataAt(register, revision);
    const before = this.#truth.dataAt(register, revision - 1);
    const isThere = after !== undefined && (before?.version ?? -1) < version && version <= after.version;
    if (isThere && (after.version !== version || after.value === value)) return undefined;
    const what = `${node} has acknowledged "${value}" as version ${version} of ${register} in ${zxid}`;
    return found("tree: acknowledged is made", `${what}, where it went from ${before?.version} to ${after?.version}`);
  }

  /** A read shows the writes before it, and a write is made after what the reads before it have shown. */
  #inOrder(session: SessionId, { order, zxid, isWrite }: Asked & { readonly isWrite: boolean }): Finding | undefined {
    const seen = this.#sessions.get(session);
    if (seen === undefined || seen.last.order === order) return undefined;
    const { last } = seen;
    seen.last = { order, zxid };
    if (order > last.order && (isWrite ? zxid > last.zxid : zxid >= last.zxid)) return undefined;
    return found(
      "tree: the order of one client",
      `session ${session}: request ${order} is ${zxid}, after ${last.order} as ${last.zxid}`,
    );
  }

  #listed({ path, names, zxid, node }: Of<"treeListed">): Finding | undefined {
    const expected = this.#truth.namesAt(path, revisionOf(zxid)).sort().join(" ");
    const shown = [...names].sort().join(" ");
    if (shown === expected) return undefined;
    return found(
      "tree: an answer is the truth",
      `${node} lists ${path} as of ${zxid} as\n${shown}\nand not\n${expected}`,
    );
  }

  #lives({ client, session, isConnected }: Of<"treeLives">): Finding | undefined {
    this.#live.add(session);
    if (isConnected) return undefined;
    return found("tree: sessions", `${client} is not connected at the end`);
  }

  #over(): Finding | undefined {
    for (const id of this.#truth.sessions.keys()) {
      if (!this.#live.has(id))
        return found("tree: sessions", `session ${id} is there at the end, and its client is not`);
    }
    for (const event of this.#events) {
      const isRefused = event.kind === "write" && event.outcome === "refused";
      if (!isRefused || this.#truth.stateOf(event.register, event.value) === undefined) continue;
      return found("tree: acknowledged is made", `"${event.value}" was refused to ${event.client}, and is written`);
    }
    for (const values of this.#together) {
      const made = values.map((value) => REGISTERS.find((path) => this.#truth.stateOf(path, value) !== undefined));
      const [one, other] = made.map((path, at) => path && this.#truth.stateOf(path, values[at] ?? "")?.revision);
      if (one !== undefined && other !== undefined && one !== other) {
        return found("tree: acknowledged is made", `${values.join(" and ")} were to be written together`);
      }
    }
    const [first] = judgeTree(this.#events);
    return first === undefined ? undefined : found("tree: the history of its clients", first);
  }
}

const REGISTERS = ["/r0", "/r1", "/r2"] as const;

function watchFinding(
  { client, node }: { client: string; node: NodeId },
  what: string | undefined,
): Finding | undefined {
  return what === undefined
    ? undefined
    : found("tree: watches fire once and in order", `${client} at ${node}: ${what}`);
}

function found(rule: Rule, text: string): Finding {
  return { rule, service: undefined, text };
}
