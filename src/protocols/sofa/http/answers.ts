// Answers in SOFARegistry's forms, and the questions to the registry behind some of them.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpResponse, jsonResponse } from "../../../base/http.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { Survey } from "../../../model/survey.ts";
import { NO_VERSION } from "../../../model/version.ts";
import type { Asker, QueryAnswer, Registry, ServiceView } from "../../../registry/registry.ts";
import type { SurveyAnswer, SurveyAsker } from "../../../registry/survey.ts";

// SOFARegistry's own calls between its nodes end after this.
const ANSWER_MS_MAX = 5_000;
const JSON_HEADERS = { "content-type": "application/json; charset=utf-8" };

/** The registry as the paths ask it. */
export interface AskedNode {
  readonly registry: Registry;
  readonly nowMs: () => number;
}

/** JSON in which a bigint is a number, as in Java: it may be beyond the whole numbers of JavaScript. */
export function longJson(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? rawJSON(String(one)) : one));
}

/** A value that JSON writes as this text. Node has it, and TypeScript does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/** An answer in JSON with Java's longs. */
export function longJsonResponse(value: unknown): HttpResponse {
  return { status: 200, headers: JSON_HEADERS, body: longJson(value) };
}

/** A plain text under the type of JSON, as SOFARegistry sends some. */
export function rawResponse(body: string): HttpResponse {
  return { status: 200, headers: JSON_HEADERS, body };
}

/** SOFARegistry's GenericResponse. */
export function generic(data: unknown, message: string | null = null): object {
  return { success: true, message, data };
}

/** SOFARegistry's CommonResponse. */
export function common(message: string | null, success = true): HttpResponse {
  return jsonResponse({ success, message });
}

/** The sessions that have not answered, in words; null if all have. */
export function notAnswered({ unanswered }: Surveyed): string | null {
  if (unanswered.length === 0) return null;
  return `not answered by ${unanswered.length} of the sessions: ${unanswered.join(", ")}`;
}

/** The answer to a survey that did not fail. */
export type Surveyed = SurveyAnswer & { readonly kind: "survey" };

interface Question {
  readonly survey: Partial<Survey> & Pick<Survey, "of">;
  readonly reach: "cluster" | "session";
}

/** Asks for a survey; the exchange is refused if it fails. `told` is called within a step of the registry. */
export function askSurvey(
  { registry, nowMs }: AskedNode,
  exchange: HttpExchange,
  { survey, reach }: Question,
  told: (answer: Surveyed) => void,
): void {
  const asker: SurveyAsker = {
    answer: (answer) => (answer.kind === "failed" ? exchange.refuse(answer.error) : told(answer)),
  };
  exchange.onGone(() => registry.step({ kind: "gaveUpSurvey", asker }, nowMs()));
  const whole: Survey = { serviceKey: undefined, host: "", appName: "", rowsMax: ROWS_MAX, ...survey };
  registry.step({ kind: "askedSurvey", asker, survey: whole, reach, untilMs: nowMs() + ANSWER_MS_MAX }, nowMs());
}

/** Answers with what `shown` makes of a survey. */
export function respondSurvey(
  node: AskedNode,
  exchange: HttpExchange,
  { shown, ...question }: Question & { readonly shown: (answer: Surveyed) => HttpResponse },
): void {
  askSurvey(node, exchange, question, (answer) => exchange.respond(marked(shown(answer), answer)));
}

/** The response with headers that name the sessions that have not answered, and tell that there is more. */
export function marked(response: HttpResponse, ...answers: readonly Surveyed[]): HttpResponse {
  const unanswered = new Set(answers.flatMap((answer) => answer.unanswered));
  const missing = unanswered.size === 0 ? {} : { "x-roster-unanswered": [...unanswered].join(",") };
  const cut = answers.some(({ isCut }) => isCut) ? { "x-roster-cut": "true" } : {};
  return { ...response, headers: { ...response.headers, ...missing, ...cut } };
}

/** The rows of each session, in one answer of some megabytes. */
const ROWS_MAX = 20_000;

/** Answers with what `shown` makes of the list of a service, or refuses with LIST_UNAVAILABLE. */
export function respondList(
  { registry, nowMs }: AskedNode,
  exchange: HttpExchange,
  serviceKey: ServiceKey,
  shown: (view: ServiceView) => HttpResponse,
): void {
  const asker: Asker = {
    answer(answer: QueryAnswer) {
      if (answer.kind === "failed") exchange.refuse(answer.error);
      else exchange.respond(shown(answer.view));
    },
  };
  exchange.onGone(() => registry.step({ kind: "gaveUp", asker }, nowMs()));
  const untilMs = nowMs() + ANSWER_MS_MAX;
  registry.step({ kind: "asked", asker, serviceKey, since: NO_VERSION, untilMs }, nowMs());
}

/** A body of names, at most this many: each is a question of its own. */
const NAMES_MAX = 1_000;

/** Throws FIELD_INVALID if there are too many. */
export function checkCount(field: string, count: number): void {
  if (count > NAMES_MAX) throw fail("FIELD_INVALID", { field, count, expected: `at most ${NAMES_MAX}` });
}
