// Any node takes any operation. This part finds the node that knows, asks it, and returns its answer; or the answers
// of several as one. A question is passed on once: the node that it goes to answers it or says why it can't.
//
// Every question has its principal, which goes with it. The node that is asked judges it before anything else is looked
// at, and the node that answers judges it again.

import { readPrincipal } from "../access/accessJson.ts";
import type { Decision } from "../access/accessSet.ts";
import type { Permission } from "../access/policy.ts";
import { anonymous, type Principal } from "../access/principal.ts";
import { fail, RegistryError } from "../base/errors.ts";
import type { Log } from "../base/ports.ts";
import { type NodeId, nodeNameOf, type ServiceKey } from "../model/ids.ts";
import { leaderOf } from "../model/slot.ts";
import { type Audited, madeEntry, refusedEntry } from "./audit.ts";
import type { Audit } from "./auditEntry.ts";
import type { NodeRole, OperatedNode, Reply } from "./operatedNode.ts";
import { checkPermissions, type Operation } from "./operation.ts";
import { type RawParameters, readParameters } from "./parameter.ts";
import { refusalOf } from "./refusal.ts";
import type { Json } from "./schema.ts";

/** A question to another node, or to the leading meta node. */
export interface Question {
  readonly operation: string;
  /** An object in JSON. */
  readonly parameters: string;
  /** The principal, in JSON. */
  readonly by: string;
  readonly waitMs: number;
}

export type Outcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "unreachable"; readonly reason: string };

export interface RouterEnvironment {
  /** Calls `outcome` once, at the latest when the time of the question is over. */
  readonly ask: (to: NodeId | "leader", question: Question, outcome: (outcome: Outcome) => void) => void;
  readonly log: Log;
  /** Whether a principal has a permission. */
  readonly mayDo: (principal: Principal, permission: Permission) => Decision;
  /** Keeps an entry of the audit trail. */
  readonly audit: Audit;
}

/** The node without the part that depends on the operator who asks. */
export type AskedNode = Omit<OperatedNode, "ask" | "caller">;

// Everything is in memory, or one write to the store, which answers or fails within a few seconds.
const ANSWER_MS_MAX = 10_000;
// Nodes that are asked at once for one question: a cluster has some hundreds.
const ASKED_AT_ONCE_MAX = 64;

type Values = Readonly<Record<string, unknown>>;

/** An operation with its parameters, checked and as they came. */
interface Asked {
  readonly operation: Operation;
  readonly values: Values;
  readonly raw: RawParameters;
  readonly caller: Principal;
}

/** The principal of a question from a node of an earlier release, which has asked no operator for a proof. */
const UNNAMED: Principal = anonymous("127.0.0.1");

export class OperationRouter {
  readonly #byName: ReadonlyMap<string, Operation>;
  readonly #node: AskedNode;
  readonly #environment: RouterEnvironment;

  constructor(operations: readonly Operation[], node: AskedNode, environment: RouterEnvironment) {
    checkPermissions(operations);
    this.#byName = new Map(operations.map((operation) => [operation.name, operation]));
    this.#node = node;
    this.#environment = environment;
  }

  /** Answers an operation that a principal asks at this node. */
  async ask(name: string, raw: RawParameters, caller: Principal): Promise<Reply> {
    return this.#replying(name, async () => {
      const asked = this.#read(name, raw, caller);
      const { kind } = asked.operation.answeredBy;
      return kind === "each" ? this.#gather(asked) : this.#answer(asked);
    });
  }

  /** Answers an operation that another node passes on, with the principal that it names. */
  async answerHere(name: string, parameters: string, by?: string): Promise<Reply> {
    return this.#replying(name, async () => {
      const caller = by === undefined ? UNNAMED : readPrincipal(fromJson(by));
      if (caller === undefined) throw fail("FIELD_INVALID", { field: "by", expected: "a principal" });
      return this.#run(this.#read(name, parsed(parameters), caller));
    });
  }

  /** The principal is judged before its parameters are looked at. */
  #read(name: string, raw: RawParameters, caller: Principal): Asked {
    const operation = this.#byName.get(name);
    if (operation === undefined) {
      throw fail("FIELD_INVALID", { field: "operation", value: name, expected: "an operation of this release" });
    }
    const asked = { operation, raw, caller };
    try {
      this.#judge(operation, caller);
      return { ...asked, values: readParameters(operation.parameters, raw) };
    } catch (error) {
      this.refused(asked, caller.from, refusalOf(error));
      throw error;
    }
  }

  /** Records an operation that was refused; a question only if it was the caller who was. */
  refused(asked: Pick<Audited, "operation" | "raw" | "caller">, from: string, { status, body }: Reply): void {
    const isOfCaller = status === 401 || status === 403 || status === 429;
    if (!isOfCaller && (!asked.operation.isChange || asked.raw["preview"] === true)) return;
    const { error } = body as unknown as { readonly error?: { readonly code: string } };
    this.#environment.audit(refusedEntry({ ...asked, from }, { status, code: error?.code ?? "" }));
  }

  /** Throws CREDENTIALS_NEEDED or PERMISSION_NEEDED. */
  #judge({ name, permission }: Operation, caller: Principal): void {
    if (permission === "open") return;
    const { isAllowed, by } = this.#environment.mayDo(caller, permission);
    if (isAllowed) return;
    const wanted = { operation: name, permission, ...(by !== undefined && { deniedBy: by }) };
    if (caller.kind === "anonymous") throw fail("CREDENTIALS_NEEDED", { ...wanted, from: caller.from });
    throw fail("PERMISSION_NEEDED", { principal: caller.name, ...wanted });
  }

  /** Turns a refusal into a reply. A bug of ours is logged, and is no reason to end the node. */
  async #replying(operation: string, answer: () => Promise<Reply>): Promise<Reply> {
    try {
      return await answer();
    } catch (error) {
      if (!(error instanceof RegistryError)) {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#environment.log.error("an operation has failed", { operation, reason });
      }
      return refusalOf(error);
    }
  }

  async #run(asked: Asked): Promise<Reply> {
    const { operation, values, raw, caller } = asked;
    const { isBegunOnly = false, run, isChange, delegates = false } = operation;
    const isPreview = values["preview"] === true;
    const node = this.#nodeFor(caller);
    const status = isBegunOnly && !isPreview ? 202 : 200;
    if (!isChange || isPreview || delegates) return { status, body: await run(node, values, isPreview) };
    const before = stateOf(asked, node);
    try {
      const body = await run(node, values, isPreview);
      const after = operation.state === undefined ? body : stateOf(asked, node);
      this.#environment.audit(madeEntry({ operation, raw, caller, from: caller.from }, { status, before, after }));
      return { status, body };
    } catch (error) {
      this.refused(asked, caller.from, refusalOf(error));
      throw error;
    }
  }

  #nodeFor(caller: Principal): OperatedNode {
    return { ...this.#node, caller, ask: (operation, parameters) => this.ask(operation, parameters, caller) };
  }

  async #answer(asked: Asked): Promise<Reply> {
    const target = this.#targetOf(asked);
    if (target === this.#node.id) return this.#run(asked);
    const outcome = await this.#askNode(target, asked);
    if (outcome.kind === "answered") return replyOf(outcome);
    const isAnyMeta = asked.operation.answeredBy.kind === "meta";
    const meta = isAnyMeta ? this.#nodeWith("meta") : undefined;
    if (meta === undefined) throw this.#unreachable(asked, target, outcome.reason);
    if (meta === this.#node.id) return this.#run(asked);
    const second = await this.#askNode(meta, asked);
    if (second.kind === "answered") return replyOf(second);
    throw this.#unreachable(asked, meta, second.reason);
  }

  /** The node may have made the change all the same; then it has recorded that. */
  #unreachable(asked: Asked, node: string, reason: string): RegistryError {
    const error = fail("NODE_ASKED_UNREACHABLE", { node, reason });
    if (asked.operation.delegates !== true) this.refused(asked, asked.caller.from, refusalOf(error));
    return error;
  }

  /** The node that has the answer. Throws ROLE_NEEDED or NODE_UNKNOWN. */
  #targetOf({ operation: { answeredBy }, values }: Asked): NodeId | "leader" {
    const { id, meta, slotTable } = this.#node;
    switch (answeredBy.kind) {
      case "session": {
        const session = this.#nodeWith("session");
        if (session === undefined) throw fail("ROLE_NEEDED", { role: "session" });
        return session;
      }
      case "leader":
      case "meta":
        return meta?.isLeading() === true ? id : "leader";
      case "slotLeader": {
        const table = slotTable();
        if (table === undefined) throw fail("ROLE_NEEDED", { role: "data", reason: "there is no slot table yet" });
        return leaderOf(table, values[answeredBy.parameter] as ServiceKey);
      }
      case "namedNode": {
        const named = values[answeredBy.parameter];
        return typeof named === "string" ? this.#named(named) : id;
      }
      default:
        return id;
    }
  }

  #nodeWith(role: NodeRole): NodeId | undefined {
    const { id, roles, nodes } = this.#node;
    if (roles.includes(role)) return id;
    for (const [other, itsRoles] of nodes()) if (itsRoles.has(role)) return other;
    return undefined;
  }

  /** The node of this name or id. */
  #named(named: string): NodeId {
    const all = [...this.#node.nodes().keys()];
    const found = all.find((id) => id === named || nodeNameOf(id) === named);
    if (found === undefined) throw fail("NODE_UNKNOWN", { node: named, known: all.map(nodeNameOf) });
    return found;
  }

  async #gather(asked: Asked): Promise<Reply> {
    const { answeredBy, gather } = asked.operation;
    const role = answeredBy.kind === "each" ? answeredBy.role : "any";
    const targets = [...this.#node.nodes()].filter(([, roles]) => role === "any" || roles.has(role));
    if (targets.length === 0) throw fail("ROLE_NEEDED", { role });
    const parts: { node: string; body: Json }[] = [];
    const unreachable: { node: string; reason: string }[] = [];
    let refused: Reply | undefined;
    for (let at = 0; at < targets.length; at += ASKED_AT_ONCE_MAX) {
      const some = targets.slice(at, at + ASKED_AT_ONCE_MAX);
      const replies = await Promise.all(some.map(([node]) => this.#partOf(node, asked)));
      for (const { node, reply, reason } of replies) {
        if (reply === undefined) unreachable.push({ node, reason });
        else if (reply.status >= 400) refused ??= reply;
        else parts.push({ node, body: reply.body });
      }
    }
    if (parts.length === 0 && refused !== undefined) return refused;
    return { status: 200, body: gather?.({ parts, unreachable }, asked.values) ?? null };
  }

  async #partOf(node: NodeId, asked: Asked): Promise<{ node: NodeId; reply: Reply | undefined; reason: string }> {
    if (node === this.#node.id) {
      return { node, reply: await this.#replying(asked.operation.name, () => this.#run(asked)), reason: "" };
    }
    const outcome = await this.#askNode(node, asked);
    if (outcome.kind === "unreachable") return { node, reply: undefined, reason: outcome.reason };
    return { node, reply: replyOf(outcome), reason: "" };
  }

  #askNode(to: NodeId | "leader", { operation, values, raw, caller }: Asked): Promise<Outcome> {
    const waitMs = ANSWER_MS_MAX + operation.waitMs(values);
    const question = { operation: operation.name, parameters: JSON.stringify(raw), by: JSON.stringify(caller), waitMs };
    return new Promise((resolve) => this.#environment.ask(to, question, resolve));
  }
}

/** The state of what an operation changes; unknown for a subject that there is not. */
function stateOf({ operation: { state }, values }: Asked, node: OperatedNode): Json | undefined {
  try {
    return state?.(node, values);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** The parameters that another node has sent: it has checked them, and they are checked again. */
function parsed(parameters: string): RawParameters {
  const value = fromJson(parameters);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as RawParameters;
  throw fail("FIELD_INVALID", { field: "parameters", expected: "an object in JSON" });
}

/** The value of a text in JSON; undefined for a text that is none. */
function fromJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function replyOf({ status, body }: Outcome & { readonly kind: "answered" }): Reply {
  const value = fromJson(body);
  if (value !== undefined) return { status, body: value };
  return refusalOf(fail("NODE_ASKED_UNREACHABLE", { reason: "the answer is not in JSON" }));
}
