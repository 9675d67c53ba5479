// The commands' way to a cluster: the admin-port of any node. With several URLs, the first node that answers is asked.

import type { Operation } from "../admin/operation.ts";
import { type RawParameters, readParameters } from "../admin/parameter.ts";
import { API_PREFIX } from "../admin/routes.ts";
import type { Json } from "../admin/schema.ts";
import { fail, RegistryError } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { type Response, send, type TlsMaterial } from "./send.ts";

/** The answer of an operation. */
export type Answer = Readonly<Record<string, Json>>;

/** A refusal by a node, in its own words. */
export class NodeRefusal extends RegistryError {}

// A node asks another one for ten seconds at the most.
const ANSWER_MS_MAX = 15_000;

// With these the request has not left this machine, so that another node may be asked for a change too.
const NOT_SENT: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/** The proof that a command sends. */
export interface Credentials {
  /** The value of `authorization`. */
  readonly value: string;
  /** A server on this machine has left it: perhaps one that ran there before, and was killed. */
  readonly isOffered?: boolean;
}

/** The credentials for a node; undefined: none are known. */
export type CredentialsFor = (url: URL) => Credentials | undefined;

/** The way of a command to nodes, beside their URLs. */
export interface NodeClientOptions {
  readonly credentialsFor?: CredentialsFor;
  readonly answerMsMax?: number | undefined;
  /** For URLs with https. */
  readonly tls?: TlsMaterial;
}

export class NodeClient {
  readonly #urls: readonly URL[];
  readonly #answerMsMax: number;
  readonly #credentialsFor: CredentialsFor;
  readonly #tls: TlsMaterial;
  /** The place of the node that answered last. */
  #at = 0;

  /** `given` has `http://host:port` or `host:port` of at least one node. Throws FIELD_INVALID. */
  constructor(
    given: readonly string[],
    { credentialsFor = () => undefined, answerMsMax = ANSWER_MS_MAX, tls = { ca: [] } }: NodeClientOptions = {},
  ) {
    this.#urls = given.map(readUrl);
    this.#answerMsMax = answerMsMax;
    this.#credentialsFor = credentialsFor;
    this.#tls = tls;
  }

  /**
   * Has an operation answered. Rejects with FIELD_INVALID for a parameter, with NODE_UNREACHABLE if no node answers,
   * and with a NodeRefusal.
   */
  async ask(operation: Operation, parameters: RawParameters = {}): Promise<Answer> {
    // Refused here in the node's words, and without one.
    const values = readParameters(operation.parameters, parameters);
    const waitMs = this.#answerMsMax + operation.waitMs(values);
    const failures: string[] = [];
    for (let tried = 0; tried < this.#urls.length; tried++) {
      const place = (this.#at + tried) % this.#urls.length;
      const url = this.#urls[place] ?? readUrl("");
      const outcome = await this.#call(operation, { url, parameters, waitMs, tls: this.#tls });
      if (outcome.kind === "answered") {
        this.#at = place;
        return outcome.answer;
      }
      failures.push(`${url.host}: ${outcome.reason}`);
      if (operation.isChange && !outcome.isUnsent) break;
    }
    throw fail("NODE_UNREACHABLE", { url: this.#urls.map(({ host }) => host), reason: failures.join("; ") });
  }

  /** Credentials that the user has not chosen are no reason to be refused what needs none. */
  async #call(operation: Operation, how: Omit<Call, "authorization">): Promise<Outcome> {
    const credentials = this.#credentialsFor(how.url);
    try {
      return await call(operation, { ...how, authorization: credentials?.value });
    } catch (error) {
      const isWrong = error instanceof NodeRefusal && error.code === "CREDENTIALS_REFUSED";
      if (!isWrong || credentials?.isOffered !== true) throw error;
      return call(operation, { ...how, authorization: undefined });
    }
  }
}

function readUrl(given: string): URL {
  const text = /^(\[[^\]]+\]|[^/:]+):\d+$/.test(given) ? `http://${given}` : given;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw fail("FIELD_INVALID", { field: "--url", value: given, expected: "http://host:port, or several with commas" });
}

interface Call {
  readonly url: URL;
  readonly parameters: RawParameters;
  readonly waitMs: number;
  readonly authorization: string | undefined;
  readonly tls: TlsMaterial;
}

type Outcome =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "unreachable"; readonly reason: string; readonly isUnsent: boolean };

async function call(
  { method, path }: Operation,
  { url: base, parameters, waitMs, authorization, tls }: Call,
): Promise<Outcome> {
  const url = new URL(API_PREFIX + path, base);
  const isInQuery = method === "GET" || method === "DELETE";
  if (isInQuery) url.search = queryOf(parameters).toString();
  const headers = {
    ...(!isInQuery && { "content-type": "application/json" }),
    ...(authorization !== undefined && { authorization }),
  };
  const sent = isInQuery ? { headers } : { headers, body: JSON.stringify(parameters) };
  let response: Response;
  try {
    response = await send(url, { method, ...sent, waitMs }, tls);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const isUnsent = cause instanceof Error && "code" in cause && NOT_SENT.has(cause.code);
    const reason = cause instanceof Error && cause.message !== "" ? cause.message : String(error);
    return { kind: "unreachable", reason, isUnsent };
  }
  const { status, body } = response;
  const answer = parsed(body);
  if (status >= 200 && status < 300 && answer !== undefined) return { kind: "answered", answer };
  throw refusalFrom(answer, { url, status });
}

function queryOf(parameters: RawParameters): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  return query;
}

function parsed(body: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === "object" && answer !== null && !Array.isArray(answer) ? (answer as Answer) : undefined;
  } catch {
    // The answer comes from something that is not one of our nodes, so only the status is reported.
    return undefined;
  }
}

function refusalFrom(answer: Answer | undefined, { url, status }: { url: URL; status: number }): RegistryError {
  const { code, message, retry } = (answer?.["error"] ?? {}) as { code?: unknown; message?: unknown; retry?: unknown };
  if (typeof code !== "string" || typeof message !== "string") {
    const reason = "what listens there is no admin-port of a node; name one with --url or a context";
    return fail("OPERATION_FAILED", { url: url.href, status, reason });
  }
  const meaning = visible(message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message);
  return new NodeRefusal(visible(code), { retry: retry === true, meaning }, {});
}
