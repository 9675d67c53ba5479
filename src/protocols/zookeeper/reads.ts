// Requests that read the tree: answered from the node's own copy.

import { JuteWriter } from "../../encoding/jute/writer.ts";
import { type Acl, type AuthId, allows, PERMISSION, SUPER_SCHEME } from "../../records/tree/acl.ts";
import { childPath, isPath } from "../../records/tree/paths.ts";
import type { Tree } from "../../records/tree/tree.ts";
import { type SessionId, statOf } from "../../records/tree/znode.ts";
import { CODE, type Code, OPERATION } from "./codec/operations.ts";
import { writeAcl, writeMultiEnd, writeMultiError, writeNames, writeStat } from "./codec/replies.ts";
import type { ReadOperation } from "./codec/requests.ts";
import type { Judge } from "./judge.ts";
import { quotaStats } from "./quota.ts";

/** The record of an answer, in parts, or the code of a refusal. */
export type ReadAnswer = { readonly code: Code; readonly body: readonly Uint8Array[] };

const done = (...body: readonly Uint8Array[]): ReadAnswer => ({ code: CODE.ok, body });
const refused = (code: Code): ReadAnswer => ({ code, body: [] });

/** The connection that reads. */
export interface Reader {
  readonly ids: readonly AuthId[];
  readonly judge: Judge;
}

/** Answers one read. */
export function answerRead(tree: Tree, operation: ReadOperation, path: string, reader: Reader): ReadAnswer {
  const { ids, judge } = reader;
  if (!isPath(path)) return refused(CODE.badArguments);
  if (!judge.may("fetch", path)) return refused(CODE.noAuth);
  const node = tree.node(path);
  if (node === undefined) return refused(CODE.noNode);
  const { acl, data } = node.znode;
  const permission = operation === "getACL" ? PERMISSION.read | PERMISSION.admin : PERMISSION.read;
  if (!allows(acl, permission, ids)) return refused(CODE.noAuth);
  const stat = () => writeStat(new JuteWriter(), statOf(node)).done();
  switch (operation) {
    case "exists":
      return done(stat());
    case "getData":
      return done(new JuteWriter().buffer(quotaStats(tree, path) ?? data).done(), stat());
    case "getACL":
      return done(writeAcl(new JuteWriter(), shownAcl(acl, ids)).done(), stat());
    case "getChildren":
      return done(namesOf(tree, path, judge));
    case "getChildren2":
      return done(namesOf(tree, path, judge), stat());
  }
}

/** Answers a multiRead: each part by itself. */
export function answerReads(
  tree: Tree,
  reads: readonly { readonly operation: ReadOperation; readonly path: string }[],
  reader: Reader,
): ReadAnswer {
  const parts: Uint8Array[] = [];
  for (const { operation, path } of reads) {
    const { code, body } = answerRead(tree, operation, path, reader);
    if (code !== CODE.ok) parts.push(writeMultiError(new JuteWriter(), code).done());
    else parts.push(new JuteWriter().int(OPERATION[operation]).bool(false).int(CODE.ok).done(), ...body);
  }
  return done(...parts, writeMultiEnd(new JuteWriter()).done());
}

/** The paths of a session's ephemeral znodes that begin with a prefix. */
export function answerEphemerals(tree: Tree, session: SessionId, prefix: string): ReadAnswer {
  const paths = [...tree.ephemerals(session)].filter((path) => path.startsWith(prefix)).sort();
  return done(writeNames(new JuteWriter(), paths).done());
}

/** The number of all znodes below a path. */
export function answerAllChildren(tree: Tree, path: string, reader: Reader): ReadAnswer {
  const { ids, judge } = reader;
  if (!isPath(path)) return refused(CODE.badArguments);
  if (!judge.may("fetch", path)) return refused(CODE.noAuth);
  const node = tree.node(path);
  if (node === undefined) return refused(CODE.noNode);
  if (!allows(node.znode.acl, PERMISSION.read, ids)) return refused(CODE.noAuth);
  return done(new JuteWriter().int(tree.within(path).nodes - 1).done());
}

/** The identities of a connection, without what proves them. */
export function answerWhoAmI(ids: readonly AuthId[]): ReadAnswer {
  const shown = ids.map(({ scheme, id }) => ({ scheme, user: scheme === "digest" ? (id.split(":", 1)[0] ?? "") : id }));
  return done(new JuteWriter().vector(shown, (to, { scheme, user }) => void to.string(scheme).string(user)).done());
}

function namesOf(tree: Tree, path: string, judge: Judge): Uint8Array {
  if (!judge.seesAll) {
    const names = [...tree.names(path)].filter((name) => judge.may("fetch", childPath(path, name)));
    return writeNames(new JuteWriter(), names).done();
  }
  return tree.encodedNames(path, (names) => writeNames(new JuteWriter(names.length * 32 + 4), names).done());
}

/** Digests are shown to those only who may set them. */
function shownAcl(acl: readonly Acl[], ids: readonly AuthId[]): readonly Acl[] {
  if (ids.some(({ scheme }) => scheme === SUPER_SCHEME) || allows(acl, PERMISSION.admin, ids)) return acl;
  return acl.map((entry) =>
    entry.scheme === "digest" ? { ...entry, id: `${entry.id.split(":", 1)[0] ?? ""}:x` } : entry,
  );
}
