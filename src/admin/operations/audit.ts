// The audit trail as operators read it.

import { auditRow } from "../auditEntry.ts";
import { operation } from "../operation.ts";
import { integer, list, maybeText, object, oneOf, text, time } from "../schema.ts";

export const listAudit = operation({
  name: "audit.list",
  method: "GET",
  path: "/audit",
  about: "Lists the changes that operators have made, or the operations that were refused, the newest first.",
  parameters: {
    outcome: {
      type: "choice",
      oneOf: ["made", "refused"],
      about: "Changes that were made, or what was refused; else made.",
    },
    by: { type: "text", charsMax: 128, default: "", about: "Only those of this principal." },
    operation: { type: "text", charsMax: 100, default: "", about: "Only this operation: `nodes.drain`." },
    since: { type: "time", about: "Only from this point in time on." },
    until: { type: "time", about: "Only before this point in time." },
    limit: { type: "integer", min: 1, max: 1_000, default: 100, about: "The most entries in the answer." },
    after: {
      type: "text",
      charsMax: 500,
      default: "",
      about: "The `next` of the page before; empty for the first page.",
    },
  },
  command: {
    words: ["audit", "get audit"],
    columns: ["at", "by", "from", "operation", "status", "code", "parameters"],
  },
  isChange: false,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "meta" },
  answer: object({
    items: list(
      object({
        at: time("When."),
        outcome: oneOf(["made", "refused"], "Whether the change was made."),
        operation: text("The operation."),
        by: text("The principal; empty for credentials that prove nothing."),
        kind: text("The kind of the principal."),
        from: text("The address that the request came from."),
        node: text("The node that has made or refused it."),
        status: integer("As of HTTP."),
        code: text("The code of a refusal."),
        parameters: text("The parameters in JSON, cut, without secrets."),
        before: text("The state of what was changed before that, in JSON, cut; empty where it is not known."),
        after: text("The state after it, or the answer."),
      }),
      "A page of entries.",
    ),
    next: maybeText("To be given as `after` for the next page; null on the last one."),
  }),
  async run(node, { outcome, by, operation: named, since, until, limit, after }) {
    const wanted = { by: by || undefined, operation: named || undefined, sinceMs: since, untilMs: until };
    const query = { ...wanted, outcome: outcome === "refused" ? "refused" : "made", limit, after } as const;
    const { entries, next } = await node.listAudit(query);
    return { items: entries.map(auditRow), next: next ?? null };
  },
});
