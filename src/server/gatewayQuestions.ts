// Questions of a protocol's code at one node to its code at another. They travel as operators' questions do, under
// names that no operation has: `sofa/meta/changeSwitch`.

import type { Reply } from "../admin/operatedNode.ts";
import { refusalOf } from "../admin/refusal.ts";
import type { Json } from "../admin/schema.ts";
import { fail, RegistryError } from "../base/errors.ts";
import type { Log } from "../base/ports.ts";
import type { OperationCalls, OperationTarget } from "../cluster/links/operationCalls.ts";
import type { AnswerNode, NodeQuestion, OtherNodes } from "../protocols/kit/gateway.ts";

type AnsweringRole = "meta" | "session";

export class GatewayQuestions {
  readonly #operations: Pick<OperationCalls, "ask">;
  readonly #log: Log;
  readonly #answers = new Map<string, AnswerNode>();

  constructor(operations: Pick<OperationCalls, "ask">, log: Log) {
    this.#operations = operations;
    this.#log = log;
  }

  /** Sets the part of a protocol that answers at this node, in one of its roles. */
  attach(gateway: string, role: AnsweringRole, answer: AnswerNode | undefined): void {
    if (answer !== undefined) this.#answers.set(`${gateway}/${role}`, answer);
  }

  /** The way of a protocol to the other nodes. */
  otherNodes(gateway: string): OtherNodes {
    return {
      askLeader: (question) => this.#ask("leader", `${gateway}/meta`, question),
      askSession: (session, question) => this.#ask(session, `${gateway}/session`, question),
    };
  }

  /** Answers a question of another node; undefined for one that is none of a protocol's. */
  answer(operation: string, parameters: string): Promise<Reply> | undefined {
    const [gateway = "", role, name] = operation.split("/");
    if (role === undefined || name === undefined) return undefined;
    return this.#reply(`${gateway}/${role}`, name, parameters);
  }

  async #reply(answerer: string, name: string, parameters: string): Promise<Reply> {
    try {
      const answer = this.#answers.get(answerer);
      if (answer === undefined) throw fail("NODE_ASKED_UNREACHABLE", { reason: `this node has no ${answerer}` });
      return { status: 200, body: (await answer({ name, parameters: parsed(parameters) })) as Json };
    } catch (error) {
      if (!(error instanceof RegistryError)) {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#log.error("a question of another node has failed", { question: `${answerer}/${name}`, reason });
      }
      return refusalOf(error);
    }
  }

  #ask(to: OperationTarget, answerer: string, { name, parameters, waitMs }: NodeQuestion): Promise<unknown> {
    const asked = { operation: `${answerer}/${name}`, parameters: JSON.stringify(parameters) };
    return new Promise((resolve, reject) => {
      this.#operations.ask(to, { asked, waitMs }, (outcome) => {
        if (outcome.kind === "unreachable") {
          return reject(fail("NODE_ASKED_UNREACHABLE", { node: to, reason: outcome.reason }));
        }
        const body = JSON.parse(outcome.body) as unknown;
        if (outcome.status < 400) resolve(body);
        else reject(errorIn(body));
      });
    });
  }
}

function parsed(parameters: string): unknown {
  try {
    return JSON.parse(parameters);
  } catch {
    throw fail("FIELD_INVALID", { field: "parameters", value: parameters, expected: "JSON" });
  }
}

/** The refusal of another node, as an error of this one. */
export function errorIn(body: unknown): RegistryError {
  const { error } = body as { readonly error?: Partial<RegistryError> };
  const { code = "OPERATION_FAILED", message = "", retry = false } = error ?? {};
  const meaning = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  return new RegistryError(code, { retry, meaning }, {});
}
