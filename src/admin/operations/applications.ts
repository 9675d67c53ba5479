// Applications: the programs behind the registrations, as these name them.

import { matchesName, readNamePattern } from "../../model/namePattern.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { type CountRow, sumCounts } from "../../model/survey.ts";
import { askSurvey } from "../askRegistry.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import { flag, integer, type Json, list, object, text } from "../schema.ts";
import { UNREACHABLE_SESSIONS, unreachableRows } from "./clients.ts";

export const listApplications = operation({
  name: "applications.list",
  method: "GET",
  path: "/applications",
  about: "Lists the applications that clients register in the name of, with the numbers of their registrations.",
  parameters: {
    pattern: {
      type: "text",
      charsMax: KEY_PART_CHARS_MAX,
      default: "*",
      about: "The names of interest: `*` stands for any characters.",
    },
    service: { type: "service", about: "Only registrations for this service." },
    address: { type: "address", about: "Only registrations of clients that come from this address." },
    ...PAGE_PARAMETERS,
  },
  command: { positional: ["pattern"], columns: ["application", "clients", "publishers", "subscribers"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: object({
    items: list(
      object({
        application: text("Its name."),
        clients: integer("The number of connected clients that have registrations in its name."),
        publishers: integer("The number of its publishers."),
        subscribers: integer("The number of its subscribers."),
      }),
      "A page of applications, by name.",
    ),
    ...PAGE_FIELDS,
    isWhole: flag("False: some sessions have not answered in time, or have too many applications to tell all."),
    unreachable: UNREACHABLE_SESSIONS,
  }),
  async run(node, { pattern, service, address = "", limit, after }) {
    const wanted = readNamePattern(pattern);
    const question = { of: "applications", serviceKey: service, host: address } as const;
    const { rows, unanswered, isWhole, isCut } = await askSurvey(node, question, "cluster");
    const matching = sumCounts(rows).filter(({ name }) => matchesName(name, wanted));
    const { entries, total, next } = pageOf(matching, { limit, after, keyOf: ({ name }) => name });
    const unreachable = unreachableRows(unanswered);
    return { items: entries.map(applicationRow), total, next, isWhole: isWhole && !isCut, unreachable };
  },
});

function applicationRow({ name, clients, publishers, subscribers }: CountRow): Json {
  return { application: name, clients, publishers, subscribers };
}
