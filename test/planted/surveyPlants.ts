// Bugs of surveys that are put into the program on purpose.

import type { Plant } from "./plantedBug.ts";

export const SURVEY_PLANTS: readonly Plant[] = [
  {
    name: "a survey is whole without a member that has not answered",
    file: "src/session/surveys.ts",
    find: "members() !== undefined && this.#missing(open).length === 0",
    replace: "members() !== undefined",
    rules: ["bug", "settled:"],
    firstSeed: 12,
    isCluster: true,
  },
  {
    name: "a survey at a host tells of all hosts",
    file: "src/session/surveyWalk.ts",
    find: 'return client.departedMs === undefined && (host === "" || hostOf(client.id) === host);',
    replace: "return client.departedMs === undefined && host !== null;",
    rules: ["7", "bug"],
    firstSeed: 4,
  },
  {
    name: "the hub of a survey asks the asker, too",
    file: "src/data/surveyHub.ts",
    find: "for (const session of [asker, ...except]) awaited.delete(session);",
    replace: "for (const session of except) awaited.delete(session);",
    rules: ["7", "bug"],
    firstSeed: 57,
    isCluster: true,
  },
  {
    name: "a survey tells a list that was not sent",
    file: "src/session/pusher.ts",
    find: "subscriber.pushedVersion = version;",
    replace: "subscriber.pushedVersion = version + 1n;",
    rules: ["7"],
    firstSeed: 4,
  },
  {
    name: "a session that is asked for a survey tells what its asker has",
    file: "src/session/surveyAnswers.ts",
    find: 'this.#send(hub, { kind: "surveyPart", asker, question, ...part });',
    replace: 'this.#send(hub, { kind: "surveyPart", asker: this.#parts.session, question, ...part });',
    rules: ["7", "bug"],
    firstSeed: 12,
    isCluster: true,
  },
];
