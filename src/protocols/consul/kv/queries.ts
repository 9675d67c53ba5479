// Prepared queries: questions about services that are kept under an id and perhaps a name. A template answers to all
// names that begin with its own; of several, the longest decides. Every name has a record of its own beside the query,
// by which it is unique and is found.

import { consulRefusal } from "../errors.ts";
import { DOCUMENTS, type Document, keyPart } from "./documents.ts";
import type { Draft } from "./draft.ts";

/** A query as it is kept, in the fields of its rows. */
export interface PreparedQuery {
  readonly id: string;
  readonly name: string;
  /** It ends with this session; empty: with none. */
  readonly session: string;
  readonly isTemplate: boolean;
  readonly document: Document;
}

/** The queries of a cluster; each is some hundred bytes. */
const QUERIES_MAX = 10_000;

/** The query of an id; undefined if there is none, or if its session has ended. */
export function queryById(draft: Draft, id: string): PreparedQuery | undefined {
  const document = draft.document(DOCUMENTS.query + id);
  const query = document && queryOf(document);
  return query !== undefined && isAlive(draft, query) ? query : undefined;
}

/** All queries, in the order of their ids. */
export function queriesIn(draft: Draft): PreparedQuery[] {
  return [...draft.documents(DOCUMENTS.query)].map(queryOf).filter((query) => isAlive(draft, query));
}

/** The query that an id or a name leads to: that of the very name, or the template with the longest beginning of it. */
export function queryNamed(draft: Draft, idOrName: string): PreparedQuery | undefined {
  const byId = queryById(draft, idOrName);
  if (byId !== undefined && !byId.isTemplate) return byId;
  const exact = holderOf(draft, { name: idOrName, isTemplate: false });
  if (exact !== undefined) return exact;
  const characters = [...idOrName];
  for (let count = characters.length; count >= 0; count--) {
    const template = holderOf(draft, { name: characters.slice(0, count).join(""), isTemplate: true });
    if (template !== undefined) return template;
  }
  return undefined;
}

/** Puts a query under its id. Throws a ConsulError if its name is taken, or its session is not there. */
export function putQuery(draft: Draft, id: string, fields: Document["fields"]): void {
  const query = queryOf({ key: DOCUMENTS.query + id, fields, createIndex: 0n, modifyIndex: 0n });
  const known = draft.document(DOCUMENTS.query + id);
  const holder = hasName(query) ? holderOf(draft, query) : undefined;
  if (holder !== undefined && holder.id !== id)
    throw consulRefusal(500, `name '${query.name}' aliases an existing query name`);
  if (query.session !== "" && draft.session(query.session) === undefined)
    throw consulRefusal(500, `failed session lookup: invalid session ${JSON.stringify(query.session)}`);
  if (known === undefined && countOf(draft) >= QUERIES_MAX)
    throw consulRefusal(500, `There are ${QUERIES_MAX} prepared queries already: delete some`);
  const before = known && queryOf(known);
  if (before !== undefined && nameKeyOf(before) !== nameKeyOf(query)) forgetName(draft, before);
  if (hasName(query)) draft.putDocument(nameKeyOf(query), { id });
  draft.putDocument(DOCUMENTS.query + id, fields);
}

/** Removes a query with its name, also one whose session has ended. */
export function deleteQuery(draft: Draft, id: string): void {
  const known = draft.document(DOCUMENTS.query + id);
  if (known === undefined) return;
  forgetName(draft, queryOf(known));
  draft.deleteDocument(DOCUMENTS.query + id);
}

/** The query of a record. */
export function queryOf(document: Document): PreparedQuery {
  const { Name, Session, Template } = document.fields;
  const isTemplate = typeof Template === "object" && Template !== null && "Type" in Template && Template.Type !== "";
  return {
    id: document.key.slice(DOCUMENTS.query.length),
    name: String(Name ?? ""),
    session: String(Session ?? ""),
    isTemplate,
    document,
  };
}

type Named = Pick<PreparedQuery, "name" | "isTemplate">;

/** A template may have the empty name, with which all names begin. */
function hasName({ name, isTemplate }: Named): boolean {
  return name !== "" || isTemplate;
}

function nameKeyOf({ name, isTemplate }: Named): string {
  return `${DOCUMENTS.queryName}${isTemplate ? "template" : "name"}/${keyPart(name)}`;
}

function holderOf(draft: Draft, named: Named): PreparedQuery | undefined {
  const id = draft.document(nameKeyOf(named))?.fields["id"];
  return typeof id === "string" ? queryById(draft, id) : undefined;
}

/** The name may belong to another query by now: one that took it when this one's session had ended. */
function forgetName(draft: Draft, query: PreparedQuery): void {
  if (!hasName(query)) return;
  const key = nameKeyOf(query);
  if (draft.document(key)?.fields["id"] === query.id) draft.deleteDocument(key);
}

function isAlive(draft: Draft, { session }: PreparedQuery): boolean {
  return session === "" || draft.session(session) !== undefined;
}

function countOf(draft: Draft): number {
  let count = 0;
  for (const _query of draft.documents(DOCUMENTS.query)) count++;
  return count;
}
