// Questions of operators to the role session, as promises.

import { fail, type RegistryError } from "../base/errors.ts";
import type { CatalogueScope, NodeId, ServiceKey } from "../model/ids.ts";
import type { NamePattern } from "../model/namePattern.ts";
import { SURVEY_ROWS_MAX, type Survey, type SurveyKind, type SurveyRows } from "../model/survey.ts";
import type { AddressAnswer } from "../registry/address.ts";
import type { CatalogueAnswer } from "../registry/catalogue.ts";
import type { ServiceView } from "../registry/registry.ts";
import type { SurveyAnswer } from "../registry/survey.ts";
import type { OperatedNode, OperatedSession } from "./operatedNode.ts";

// A data node answers within milliseconds, and within a second or two after it has begun to lead a slot.
const ANSWER_MS_MAX = 5_000;

/** The role session of a node. Throws ROLE_NEEDED. */
export function sessionOf({ session }: OperatedNode): OperatedSession {
  if (session === undefined) throw fail("ROLE_NEEDED", { role: "session" });
  return session;
}

/** All services of a scope that match. Rejects with CATALOGUE_TOO_LARGE or QUERIES_EXHAUSTED. */
export function askCatalogue(
  node: OperatedNode,
  { scope, pattern }: { readonly scope: CatalogueScope; readonly pattern: NamePattern },
): Promise<CatalogueAnswer & { readonly kind: "catalogue" }> {
  const { registry } = sessionOf(node);
  const nowMs = node.nowMs();
  return new Promise((resolve, reject) => {
    const asker = {
      answer: (answer: CatalogueAnswer) => (answer.kind === "failed" ? reject(answer.error) : resolve(answer)),
      changed: () => undefined,
    };
    const limits = { entriesMax: Number.MAX_SAFE_INTEGER, untilMs: nowMs + ANSWER_MS_MAX, isStanding: false };
    registry.step({ kind: "askedCatalogue", asker, scope, pattern, ...limits }, nowMs);
  });
}

/**
 * The list of a service, in the form that `shown` makes of it at once: a list is valid only during the call. With
 * `since`, as soon as the list is above that version, and after `waitMs` as it is. Rejects with LIST_UNAVAILABLE,
 * QUERIES_EXHAUSTED, or an error of `shown`.
 */
export function askList<Shown>(
  node: OperatedNode,
  { serviceKey, since, waitMs }: { serviceKey: ServiceKey; since: bigint; waitMs: number },
  shown: (view: ServiceView, isNewer: boolean) => Shown,
): Promise<Shown> {
  const { registry } = sessionOf(node);
  const nowMs = node.nowMs();
  return new Promise((resolve, reject) => {
    const asker = {
      answer(answer: ListAnswer) {
        if (answer.kind === "failed") return reject(answer.error);
        // This is within a step of the role, which must not fail for it.
        try {
          resolve(shown(answer.view, answer.isNewer));
        } catch (error) {
          reject(error);
        }
      },
    };
    const untilMs = nowMs + (waitMs > 0 ? waitMs : ANSWER_MS_MAX);
    registry.step({ kind: "asked", asker, serviceKey, since, untilMs }, nowMs);
  });
}

type ListAnswer =
  | { readonly kind: "list"; readonly view: ServiceView; readonly isNewer: boolean }
  | { readonly kind: "failed"; readonly error: RegistryError };

/** The registrations at an address, and the clients there of this session only. Rejects with QUERIES_EXHAUSTED. */
export function askAddress(
  node: OperatedNode,
  { address, entriesMax }: { readonly address: string; readonly entriesMax: number },
): Promise<AddressAnswer & { readonly kind: "address" }> {
  const { registry } = sessionOf(node);
  const nowMs = node.nowMs();
  return new Promise((resolve, reject) => {
    const asker = {
      answer: (answer: AddressAnswer) => (answer.kind === "failed" ? reject(answer.error) : resolve(answer)),
    };
    registry.step({ kind: "askedAddress", asker, address, entriesMax, untilMs: nowMs + ANSWER_MS_MAX }, nowMs);
  });
}

/** The rows of one kind. */
export type RowOf<Kind extends SurveyKind> = Extract<SurveyRows, { readonly of: Kind }>["rows"][number];

/** The answer to a survey. */
export interface Surveyed<Kind extends SurveyKind> {
  /** The rows, each with the session that told it. */
  readonly rows: readonly (RowOf<Kind> & { readonly session: NodeId })[];
  /** Sessions that have not answered. */
  readonly unanswered: readonly NodeId[];
  /** False: some session has not answered, or it is not known which there are. */
  readonly isWhole: boolean;
  readonly isCut: boolean;
}

/** The conditions of a survey; those that are missing hold for all. */
export type SurveyQuestion<Kind extends SurveyKind> = Partial<Survey> & { readonly of: Kind };

/** The rows of all sessions, or of this one. Rejects with QUERIES_EXHAUSTED. */
export function askSurvey<Kind extends SurveyKind>(
  node: OperatedNode,
  question: SurveyQuestion<Kind>,
  reach: "cluster" | "session",
): Promise<Surveyed<Kind>> {
  const { registry } = sessionOf(node);
  const nowMs = node.nowMs();
  return new Promise((resolve, reject) => {
    const asker = {
      answer(answer: SurveyAnswer) {
        if (answer.kind === "failed") return reject(answer.error);
        const { sessions, ...rest } = answer;
        // The registry answers with rows of the kind that was asked for.
        const rows = sessions.flatMap(({ session, rows: { rows: its } }) => its.map((row) => ({ ...row, session })));
        resolve({ rows: rows as readonly unknown[] as Surveyed<Kind>["rows"], ...rest });
      },
    };
    const survey: Survey = { serviceKey: undefined, host: "", appName: "", rowsMax: SURVEY_ROWS_MAX, ...question };
    registry.step({ kind: "askedSurvey", asker, survey, reach, untilMs: nowMs + ANSWER_MS_MAX }, nowMs);
  });
}
