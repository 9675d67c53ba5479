// The questions that belong to no client: about lists, the catalogue, an address, and surveys of all sessions. Their
// parts hear together what happens to the data nodes, and go on together.

import { unreachable } from "../base/assert.ts";
import type { AddressAnswerPart } from "../cluster/messages/address.ts";
import type { CatalogueMessage } from "../cluster/messages/catalogue.ts";
import type { Members } from "../cluster/messages/membership.ts";
import type { SurveyToSession } from "../cluster/messages/survey.ts";
import type { NodeId } from "../model/ids.ts";
import type { AddressEvent } from "../registry/address.ts";
import type { CatalogueEvent } from "../registry/catalogue.ts";
import type { GroupEvent, QueryEvent } from "../registry/registry.ts";
import type { SurveyEvent } from "../registry/survey.ts";
import { Addresses } from "./addresses.ts";
import { Catalogues } from "./catalogues.ts";
import type { DataLinks } from "./dataLinks.ts";
import { GroupLists } from "./groupLists.ts";
import { Queries } from "./queries.ts";
import type { ServiceLists } from "./serviceLists.ts";
import type { SubscribedService } from "./subscriptions.ts";
import { SurveyAnswers } from "./surveyAnswers.ts";
import { Surveys } from "./surveys.ts";
import type { SurveyedParts } from "./surveyWalk.ts";

export type QuestionEvent = QueryEvent | CatalogueEvent | GroupEvent | AddressEvent | SurveyEvent;
export type QuestionMessage = CatalogueMessage | AddressAnswerPart | SurveyToSession;

/** The parts of the session that questions are answered from. */
interface Parts extends SurveyedParts {
  readonly links: DataLinks;
  readonly lists: ServiceLists;
  readonly members: () => Members | undefined;
}

export class Questions {
  readonly #lists: ServiceLists;
  readonly #queries: Queries;
  readonly #catalogues: Catalogues;
  readonly #groups: GroupLists;
  readonly #addresses: Addresses;
  readonly #surveys: Surveys;
  readonly #surveyAnswers: SurveyAnswers;

  constructor(parts: Parts) {
    const { session: self, links, lists, byHost, subscriptions, members } = parts;
    this.#lists = lists;
    this.#queries = new Queries(subscriptions, lists);
    this.#catalogues = new Catalogues(links);
    this.#groups = new GroupLists({ catalogues: this.#catalogues, subscriptions, lists });
    this.#addresses = new Addresses(links, byHost);
    this.#surveyAnswers = new SurveyAnswers(parts, (hub, message) => links.send(hub, message));
    this.#surveys = new Surveys({ self, links, answers: this.#surveyAnswers, members });
  }

  /** Its parts, for unfinished.ts. */
  get parts() {
    const surveys = { surveys: this.#surveys, surveyAnswers: this.#surveyAnswers };
    return { catalogues: this.#catalogues, addresses: this.#addresses, ...surveys };
  }

  step(event: QuestionEvent, nowMs: number): void {
    switch (event.kind) {
      case "asked":
      case "gaveUp":
        return this.#lists.releaseUnused(this.#queries.step(event, nowMs));
      case "askedCatalogue":
      case "gaveUpCatalogue":
        return this.#catalogues.step(event, nowMs);
      case "followedGroup":
      case "unfollowedGroup":
        return this.#groups.step(event, nowMs);
      case "askedAddress":
      case "gaveUpAddress":
        return this.#addresses.step(event);
      case "askedSurvey":
      case "gaveUpSurvey":
        return this.#surveys.step(event, nowMs);
      default:
        return unreachable(event);
    }
  }

  received(from: NodeId, message: QuestionMessage, nowMs: number): void {
    switch (message.kind) {
      case "catalogue":
      case "catalogueChanged":
        return this.#catalogues.received(from, message, nowMs);
      case "addressAnswer":
        return this.#addresses.received(from, message);
      case "surveyAsked":
        return this.#surveyAnswers.asked(from, message);
      case "surveyEnded":
        return this.#surveyAnswers.ended(from, message.asker, message.questions);
      case "surveySpread":
      case "surveyAnswer":
      case "surveyLost":
        return this.#surveys.received(from, message, nowMs);
      default:
        return unreachable(message);
    }
  }

  /** The service has a newer list. */
  changed(service: SubscribedService): void {
    this.#queries.changed(service);
    this.#groups.changed(service);
  }

  /** Other nodes lead these slots now, or their leader is ready only now. */
  moved(slots: ReadonlySet<number>): void {
    this.#catalogues.moved(slots);
    this.#addresses.moved(slots);
  }

  dataUp(node: NodeId, nowMs: number): void {
    this.#catalogues.compare(node);
    this.#addresses.repeat(node);
    this.#surveys.changed(nowMs);
  }

  dataDown(node: NodeId, nowMs: number): void {
    this.#surveyAnswers.unlinked(node);
    this.#surveys.unlinked(node, nowMs);
  }

  /** There are other members. */
  membersChanged(nowMs: number): void {
    this.#surveys.changed(nowMs);
  }

  /** Finds what was lost on the way. */
  repair(nowMs: number): void {
    this.#catalogues.compare();
    this.#addresses.repeat();
    this.#surveys.repeat(nowMs);
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    return Math.min(
      this.#queries.nextMs(),
      this.#catalogues.nextMs(),
      this.#groups.nextMs(),
      this.#addresses.nextMs(),
      this.#surveys.nextMs(),
      this.#surveyAnswers.nextMs(),
    );
  }

  wake(nowMs: number): void {
    this.#lists.releaseUnused(this.#queries.wake(nowMs));
    this.#catalogues.wake(nowMs);
    this.#groups.wake(nowMs);
    this.#addresses.wake(nowMs);
    this.#surveyAnswers.wake(nowMs);
    this.#surveys.wake(nowMs);
  }
}
