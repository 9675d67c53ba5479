// Surveys: questions to every session of the cluster, for operators and for protocols that list connections. As a
// question about a list, a survey belongs to no client.

import type { RegistryError } from "../base/errors.ts";
import type { NodeId } from "../model/ids.ts";
import type { Survey, SurveyRows } from "../model/survey.ts";

/** The side of a survey to which its answer goes. */
export interface SurveyAsker {
  /** Called once, perhaps before `step` returns; never after `gaveUpSurvey`. */
  answer(answer: SurveyAnswer): void;
}

/** The rows of one session. Those of clients that came or went meanwhile may be missing. */
export interface SurveyedSession {
  readonly session: NodeId;
  readonly rows: SurveyRows;
}

/** The answer to a survey. */
export type SurveyAnswer =
  | {
      readonly kind: "survey";
      /** The asked session first, then the others in the order of their answers. */
      readonly sessions: readonly SurveyedSession[];
      /**
       * Sessions that are members of the cluster and have not answered: they can't be reached, their release is an
       * earlier one, or the time was too short.
       */
      readonly unanswered: readonly NodeId[];
      /** False: `unanswered` has somebody, or the asked session has not heard yet which sessions there are. */
      readonly isWhole: boolean;
      /** Some session has more rows than its answer here. */
      readonly isCut: boolean;
    }
  /** FIELD_INVALID: the host is no IP address. QUERIES_EXHAUSTED: too many wait. */
  | { readonly kind: "failed"; readonly error: RegistryError };

/** A survey, or the end of one. */
export type SurveyEvent =
  /** Answered when all sessions have answered, and at `untilMs` with the rows of those that have. */
  | {
      readonly kind: "askedSurvey";
      readonly asker: SurveyAsker;
      /** Its host may have any of the written forms of an IP address (`readHost`). */
      readonly survey: Survey;
      /** `session`: only the clients of the asked session count. */
      readonly reach: "cluster" | "session";
      readonly untilMs: number;
    }
  | { readonly kind: "gaveUpSurvey"; readonly asker: SurveyAsker };
