// The messages of surveys (model/survey.ts). Sessions have no links to each other, so a session asks through a data
// node, to which every session has one. A node of an earlier release ignores all of them: a session then asks through
// another data node, and names the sessions that have not answered.

import type { NodeId } from "../../model/ids.ts";
import type { Survey, SurveyRows } from "../../model/survey.ts";

/** From session to data. */
export type SurveyFromSession =
  /**
   * "Ask every session that has a link to you, except me and these." Answered at once by `surveySpread`, and then by
   * `surveyAnswer` or `surveyLost` for each of them.
   */
  | {
      readonly kind: "surveyAsk";
      /** The sender's own number; it is never used again. */
      readonly question: number;
      readonly survey: Survey;
      readonly except: readonly NodeId[];
    }
  /** "I don't want the rest of these answers any more." */
  | { readonly kind: "surveyRelease"; readonly questions: readonly number[] }
  /** A part of the answer to `surveyAsked`; after the part with `isLast` there are no more. */
  | ({ readonly kind: "surveyPart"; readonly asker: NodeId } & SurveyPart);

/** From data to session. */
export type SurveyToSession =
  /** The sessions to which the receiver's question has been passed on. */
  | { readonly kind: "surveySpread"; readonly question: number; readonly sessions: readonly NodeId[] }
  /** A part of the answer of one of them. */
  | ({ readonly kind: "surveyAnswer"; readonly session: NodeId } & SurveyPart)
  /** The link of one of them is gone: nothing more comes from it. */
  | { readonly kind: "surveyLost"; readonly question: number; readonly session: NodeId }
  /** A question of another session. Answered by `surveyPart`. */
  | {
      readonly kind: "surveyAsked";
      readonly asker: NodeId;
      readonly question: number;
      readonly survey: Survey;
    }
  /** That session wants no more of these answers. */
  | { readonly kind: "surveyEnded"; readonly asker: NodeId; readonly questions: readonly number[] };

interface SurveyPart {
  readonly question: number;
  readonly rows: SurveyRows;
  readonly isLast: boolean;
  /** The session has more rows than were asked for. Told with the last part. */
  readonly isCut: boolean;
}

/** The most rows in one part: some 40 kB, and a quarter of a millisecond of encoding. */
export const SURVEY_PART_ROWS = 250;
/** The most surveys of one session that wait for their answers, there and at a data node. Operators ask them. */
export const SURVEYS_MAX = 50;
