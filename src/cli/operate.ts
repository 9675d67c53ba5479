// `roster members`, `roster drain` and the like: one HTTP call to a running node, with the answer printed for people or
// scripts.

import { fail, RegistryError } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { aligned } from "./aligned.ts";

export interface OperationCall {
  /** The URL of the node: `http://host:port`. */
  readonly url: string;
  /** An alternative URL, tried if nothing answers at `url`. */
  readonly otherUrl?: string;
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  /** The fields of each row of the answer's `data`, for a table. */
  readonly columns?: readonly string[];
  readonly form: "table" | "json";
}

// A drain is only begun; everything else is in memory or one write to the store.
const ANSWER_MS_MAX = 10_000;

const LEADERLESS =
  "roster: no meta node leads at the moment; this is what the asked node knows, and its /readyz gives the reason";

interface Answer {
  /** In answers about the cluster: null while no meta node is known to lead. */
  readonly leader?: string | null;
  readonly success?: boolean;
  readonly message?: string | null;
  readonly data?: readonly Readonly<Record<string, unknown>>[];
}

/** Makes the call and prints its result. Rejects with NODE_UNREACHABLE or OPERATION_FAILED. */
export async function operate(call: OperationCall): Promise<void> {
  const answer = await askEither(call);
  if (call.form === "json") return console.log(pretty(answer));
  if (answer.leader === null) console.error(LEADERLESS);
  if (call.columns === undefined) return console.log(visible(answer.message ?? "done"));
  const columns = call.columns;
  const rows = (answer.data ?? []).map((row) => columns.map((column) => cell(row[column])));
  for (const line of aligned([columns.map((column) => column.toUpperCase()), ...rows])) console.log(visible(line));
}

// As a JSON text it has the same value.
function pretty(answer: Answer): string {
  return JSON.stringify(answer, undefined, 2).split("\n").map(visible).join("\n");
}

async function askEither({ otherUrl, ...call }: OperationCall): Promise<Answer> {
  try {
    return await ask(call);
  } catch (error) {
    const isAway = error instanceof RegistryError && error.code === "NODE_UNREACHABLE";
    if (!isAway || otherUrl === undefined) throw error;
  }
  try {
    return await ask({ ...call, url: otherUrl });
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== "NODE_UNREACHABLE") throw error;
    throw fail("NODE_UNREACHABLE", { ...error.details, url: call.url, otherUrl });
  }
}

async function ask({ url: given, method = "GET", path }: OperationCall): Promise<Answer> {
  const url = /^(\[[^\]]+\]|[^/:]+):\d+$/.test(given) ? `http://${given}` : given;
  if (!URL.canParse(path, url))
    throw fail("FIELD_INVALID", { field: "--url", value: given, expected: "http://host:port" });
  let response: Response;
  let body: string;
  try {
    // A meta node that does not lead redirects us to the leader.
    response = await fetch(new URL(path, url), {
      method,
      redirect: "follow",
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    body = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw fail("NODE_UNREACHABLE", { url, reason: cause });
  }
  const answer = parsed(body);
  if (response.ok) return answer;
  console.error(`roster: the node says: ${visible(answer.message ?? body)}`);
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
