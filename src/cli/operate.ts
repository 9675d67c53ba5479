// Commands to a running node: one HTTP call of its admin-port, with the answer printed for people or scripts.

import { API_PREFIX } from "../admin/routes.ts";
import { fail } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { aligned } from "./aligned.ts";

export interface OperationCall {
  /** The URL of the node: `http://host:port`. */
  readonly url: string;
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** Below `/v1`. */
  readonly path: string;
  /** In the query of a question, else in the body. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The fields of each row of the answer's `items`, for a table. */
  readonly columns?: readonly string[];
  readonly form: "table" | "json";
}

// A node asks another one for ten seconds at the most.
const ANSWER_MS_MAX = 15_000;

const LEADERLESS =
  "roster: no meta node leads at the moment; this is what the asked node knows, and /v1/health gives the reason";

interface Answer {
  /** In answers about the cluster: null while no meta node is known to lead. */
  readonly leader?: string | null;
  readonly message?: string | null;
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly unreachable?: readonly { readonly node: string; readonly reason: string }[];
  readonly error?: { readonly message: string };
}

/** Makes the call and prints its result. Rejects with NODE_UNREACHABLE or OPERATION_FAILED. */
export async function operate(call: OperationCall): Promise<void> {
  const answer = await ask(call);
  if (call.form === "json") return console.log(pretty(answer));
  if (answer.leader === null) console.error(LEADERLESS);
  for (const { node, reason } of answer.unreachable ?? []) {
    console.error(visible(`roster: ${node} did not answer, and what it knows is missing: ${reason}`));
  }
  if (call.columns === undefined) return console.log(visible(answer.message ?? "done"));
  const columns = call.columns;
  const rows = (answer.items ?? []).map((row) => columns.map((column) => cell(row[column])));
  for (const line of aligned([columns.map((column) => column.toUpperCase()), ...rows])) console.log(visible(line));
}

// As a JSON text it has the same value.
function pretty(answer: Answer): string {
  return JSON.stringify(answer, undefined, 2).split("\n").map(visible).join("\n");
}

async function ask({ url: given, method = "GET", path, parameters = {} }: OperationCall): Promise<Answer> {
  const base = /^(\[[^\]]+\]|[^/:]+):\d+$/.test(given) ? `http://${given}` : given;
  if (!URL.canParse(path, base))
    throw fail("FIELD_INVALID", { field: "--url", value: given, expected: "http://host:port" });
  const url = new URL(API_PREFIX + path, base);
  const isQuestion = method === "GET" || method === "DELETE";
  if (isQuestion) url.search = new URLSearchParams(parameters).toString();
  const sent = isQuestion ? {} : { body: JSON.stringify(parameters), headers: { "content-type": "application/json" } };
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, { method, ...sent, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    body = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw fail("NODE_UNREACHABLE", { url: base, reason: cause });
  }
  const answer = parsed(body);
  if (response.ok) return answer;
  console.error(`roster: the node says: ${visible(answer.error?.message ?? body)}`);
  throw fail("OPERATION_FAILED", { url: response.url, status: response.status });
}

function parsed(body: string): Answer {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === "object" && answer !== null ? answer : {};
  } catch {
    // The answer comes from something that is not one of our nodes, so only the status is reported.
    return {};
  }
}

function cell(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.join(",");
  if (typeof value === "object" && value !== null) {
    const named = Object.entries(value).map(([name, each]) => `${name}=${each}`);
    return named.length === 0 ? "-" : named.join(",");
  }
  return value === undefined || value === null || value === "" ? "-" : String(value);
}
