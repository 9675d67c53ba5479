// The requests of one connection: what each of them does, and its answer.

import { CHARGE } from "../../base/budget.ts";
import { JuteWriter } from "../../encoding/jute/writer.ts";
import { type AuthId, OPEN_ACL } from "../../records/tree/acl.ts";
import { isPath } from "../../records/tree/paths.ts";
import type { Author, Transaction, TreeStep } from "../../records/tree/transactions.ts";
import type { Written } from "../../records/tree/treeWriter.ts";
import { WATCH_EVENT, type WatchEventKind, type WatchKind, type WatchOwner } from "../../records/tree/watchTable.ts";
import type { SessionId } from "../../records/tree/znode.ts";
import type { ConnectionAccount } from "../kit/connectionAccount.ts";
import { provedBy, textOf } from "./auth.ts";
import { CODE, type Code, XID } from "./codec/operations.ts";
import { multiResult, replyFrame, writeResult } from "./codec/replies.ts";
import type { ClientRequest, WatchLists, WriteStep } from "./codec/requests.ts";
import type { ZooKeeperConfig } from "./environment.ts";
import { codeOf } from "./errors.ts";
import type { Judge } from "./judge.ts";
import {
  answerAllChildren,
  answerEphemerals,
  answerRead,
  answerReads,
  answerWhoAmI,
  type ReadAnswer,
} from "./reads.ts";
import type { TreeServer } from "./treeServer.ts";

/** A set with one path, a place in a table, and the entries of the connection's own list. */
const WATCH_BYTES = 250;
/** A place in the order of answers, and the transaction that waits. */
const WAITING_BYTES = 500;
const IDS_MAX = 100;

type Read = ClientRequest & { readonly kind: "read" };

/** A place in the order of answers. */
export interface Place {
  /** Makes the parts of the frame, once it is this answer's turn; undefined as long as it waits for something. */
  make: (() => readonly Uint8Array[]) | undefined;
  /** The connection ends behind this answer. */
  isLast: boolean;
  /** It shows the tree. */
  readonly isRead: boolean;
}

/** The connection that requests come from. */
export interface RequestingConnection extends WatchOwner {
  readonly session: SessionId;
  readonly timeoutMs: number;
  /** The identities that the client has proved. */
  ids: readonly AuthId[];
  readonly judge: Judge;
  /** Requests behind one that takes time wait for it. */
  setHeld(isHeld: boolean): void;
  /** Takes the next place in the order of answers. */
  place(isRead?: boolean): Place;
  /** Writes the answers whose turn it is. */
  flush(): void;
  /** Ends the connection; its session goes on. */
  end(reason: string): void;
}

export interface RequestsParts {
  readonly server: TreeServer;
  readonly config: ZooKeeperConfig;
  readonly account: ConnectionAccount;
}

const NO_AUTH: ReadAnswer = { code: CODE.noAuth, body: [] };

export class Requests {
  readonly #connection: RequestingConnection;
  readonly #parts: RequestsParts;
  #watchBytes = 0;
  #waitingBytes = 0;
  #isClosed = false;

  constructor(connection: RequestingConnection, parts: RequestsParts) {
    this.#connection = connection;
    this.#parts = parts;
  }

  /** Takes one request; its answer has the next place. */
  take(xid: number, request: ClientRequest): void {
    const { server } = this.#parts;
    const { tree } = server;
    switch (request.kind) {
      case "write":
        return this.#write(xid, request.write);
      case "multi":
        return this.#multi(xid, request.writes);
      case "read":
        return this.#answer(xid, () => this.#read(request));
      case "multiRead":
        return this.#answer(xid, () => answerReads(tree, request.reads, this.#connection));
      case "sync":
        return this.#sync(xid, request.path);
      case "ping":
        return this.#answer(XID.ping, () => OK);
      case "auth":
        return this.#auth(request.scheme, request.credentials);
      case "setWatches":
        return this.#answer(XID.setWatches, () => this.#setWatches(request.relativeZxid, request.lists));
      case "addWatch":
        return this.#answer(xid, () => this.#addWatch(request.path, request.mode));
      case "checkWatches":
      case "removeWatches":
        return this.#answer(xid, () => this.#findWatches(request));
      case "getEphemerals":
        return this.#answer(xid, () => answerEphemerals(tree, this.#connection.session, request.path));
      case "getAllChildrenNumber":
        return this.#answer(xid, () => answerAllChildren(tree, request.path, this.#connection));
      case "whoAmI":
        return this.#answer(xid, () => answerWhoAmI(this.#connection.ids));
      case "closeSession":
        return this.#closeSession(xid);
      case "reconfig":
        return this.#answer(xid, () => ({ code: CODE.reconfigDisabled, body: [] }));
      case "sasl":
        return this.#answer(xid, () => ({ code: CODE.authFailed, body: [] }));
      case "unserved":
        return this.#answer(xid, () => ({ code: CODE.unimplemented, body: [] }));
      case "unreadable":
        return this.#answer(xid, () => ({ code: CODE.marshallingError, body: [] }));
    }
  }

  /** Releases what the connection's requests hold. */
  close(): void {
    this.#isClosed = true;
    const { account } = this.#parts.account;
    account.release(CHARGE.subscriptions, this.#watchBytes);
    account.release(CHARGE.registrations, this.#waitingBytes);
    this.#watchBytes = 0;
    this.#waitingBytes = 0;
  }

  /** A ping says that the session lives, and a read shows the tree: neither may come from a copy that is too old. */
  #answer(xid: number, read: () => ReadAnswer): void {
    const place = this.#connection.place(xid !== XID.ping && xid !== XID.auth);
    const { server } = this.#parts;
    let isLate = false;
    server.whenFresh(this.#connection.timeoutMs, () => {
      if (this.#isClosed) return;
      place.make = () => {
        const { code, body } = read();
        return replyFrame({ xid, zxid: xid === XID.auth ? 0 : server.tree.lastZxid, code }, body);
      };
      if (isLate) this.#connection.flush();
    });
    isLate = true;
  }

  #write(xid: number, { step, answer }: WriteStep): void {
    if (step === undefined) return this.#answer(xid, () => ({ code: CODE.badArguments, body: [] }));
    if (!this.#connection.judge.may("store", step.path)) return this.#answer(xid, () => NO_AUTH);
    this.#submit(xid, { kind: "step", step, author: this.#author() }, sizeOf([step]), (written) => {
      if (written.kind === "refused") return { code: codeOf(written.fault), body: [] };
      const [result] = written.results;
      return {
        code: CODE.ok,
        body: result === undefined ? [] : [writeResult(new JuteWriter(), answer, result).done()],
      };
    });
  }

  #multi(xid: number, writes: readonly WriteStep[]): void {
    const { judge } = this.#connection;
    const at = writes.findIndex(({ step }) => step === undefined || !judge.may("store", step.path));
    if (at >= 0) {
      const code = writes[at]?.step === undefined ? CODE.badArguments : CODE.noAuth;
      const body = multiResult(writes, { kind: "refused", code, at });
      return this.#answer(xid, () => ({ code: CODE.ok, body: [body] }));
    }
    const steps = writes.flatMap(({ step }) => (step === undefined ? [] : [step]));
    this.#submit(xid, { kind: "multi", steps, author: this.#author() }, sizeOf(steps), (written) => {
      const outcome = written.kind === "done" ? written : { ...written, code: codeOf(written.fault) };
      const isOfSession = outcome.kind === "refused" && SESSION_CODES.has(outcome.code);
      if (isOfSession) return { code: outcome.code, body: [] };
      return { code: CODE.ok, body: [multiResult(writes, outcome)] };
    });
  }

  #submit(
    xid: number,
    txn: Transaction,
    bytes: number,
    bodyOf: (written: Exclude<Written, { kind: "lost" }>) => ReadAnswer,
  ): void {
    const { server, account } = this.#parts;
    const refusal = account.account.charge(CHARGE.registrations, bytes);
    if (refusal !== undefined) return this.#answer(xid, () => ({ code: CODE.throttled, body: [] }));
    this.#waitingBytes += bytes;
    const place = this.#connection.place();
    server.submit(txn, (written) => {
      if (this.#isClosed) return;
      account.account.release(CHARGE.registrations, bytes);
      this.#waitingBytes -= bytes;
      if (written.kind === "lost") return this.#connection.end("ZOOKEEPER_OUTCOME_UNKNOWN");
      const { code, body } = bodyOf(written);
      const zxid = written.kind === "done" ? written.zxid : server.tree.lastZxid;
      this.#done(place, replyFrame({ xid, zxid, code }, body));
    });
  }

  #done(place: Place, frame: readonly Uint8Array[]): void {
    place.make = () => frame;
    this.#connection.flush();
  }

  #sync(xid: number, path: string): void {
    const { server } = this.#parts;
    const place = this.#connection.place();
    server.sync((isDone) => {
      if (this.#isClosed) return;
      if (!isDone) return this.#connection.end("ZOOKEEPER_STORE_AWAY");
      const body = [new JuteWriter().string(path).done()];
      this.#done(place, replyFrame({ xid, zxid: server.tree.lastZxid }, body));
    });
  }

  #closeSession(xid: number): void {
    const { server } = this.#parts;
    const place = this.#connection.place();
    place.isLast = true;
    server.sessions.end(this.#connection.session, (written) => {
      if (this.#isClosed) return;
      if (written.kind === "lost") return this.#connection.end("ZOOKEEPER_OUTCOME_UNKNOWN");
      const zxid = written.kind === "done" ? written.zxid : server.tree.lastZxid;
      this.#done(place, replyFrame({ xid, zxid }));
    });
  }

  #auth(scheme: string, credentials: Uint8Array): void {
    const proved = provedBy(scheme, credentials, this.#parts.config.zookeeperSuperDigest);
    const { ids, judge } = this.#connection;
    if (proved === undefined || ids.length > IDS_MAX) return this.#refuseAuth();
    const added = proved.filter((id) => !ids.some((known) => known.scheme === id.scheme && known.id === id.id));
    this.#connection.ids = [...ids, ...added];
    if (proved.length === 0) return this.#answer(XID.auth, () => OK);
    this.#connection.setHeld(true);
    judge.logIn(textOf(credentials), (refusal) => {
      if (this.#isClosed) return;
      if (refusal === undefined) this.#answer(XID.auth, () => OK);
      else this.#refuseAuth();
      this.#connection.setHeld(false);
      this.#connection.flush();
    });
  }

  #refuseAuth(): void {
    const place = this.#connection.place();
    place.isLast = true;
    place.make = () => replyFrame({ xid: XID.auth, zxid: 0, code: CODE.authFailed });
  }

  #read({ operation, path, watch }: Read): ReadAnswer {
    const answer = answerRead(this.#parts.server.tree, operation, path, this.#connection);
    if (answer.code === CODE.noNode) this.#parts.server.wanted(path);
    const isSet = answer.code === CODE.ok || (operation === "exists" && answer.code === CODE.noNode);
    if (!watch || !isSet) return answer;
    const isChild = operation === "getChildren" || operation === "getChildren2";
    return this.#watch(isChild ? "child" : "data", path) ?? answer;
  }

  /** The refusal of a watch; undefined if it is set. */
  #watch(kind: WatchKind, path: string): ReadAnswer | undefined {
    const { server, account } = this.#parts;
    if (!this.#connection.judge.may("fetch", path)) return NO_AUTH;
    if (server.watches.has(kind, path, this.#connection)) return undefined;
    this.settleWatches();
    const bytes = bytesOf({ watches: 1, pathUnits: path.length });
    if (account.account.charge(CHARGE.subscriptions, bytes) !== undefined) return { code: CODE.throttled, body: [] };
    this.#watchBytes += bytes;
    server.watches.add(kind, path, this.#connection);
    return undefined;
  }

  /** Releases what is held for watches that have fired, or were taken back. */
  settleWatches(): void {
    const { server, account } = this.#parts;
    const held = bytesOf(server.watches.heldBy(this.#connection));
    if (this.#watchBytes > held) account.account.release(CHARGE.subscriptions, this.#watchBytes - held);
    this.#watchBytes = held;
  }

  #addWatch(path: string, mode: number): ReadAnswer {
    if (!isPath(path) || (mode !== 0 && mode !== 1)) return { code: CODE.badArguments, body: [] };
    const refusal = this.#watch(mode === 0 ? "persistent" : "recursive", path);
    return refusal ?? { code: CODE.ok, body: [new JuteWriter().int(CODE.ok).done()] };
  }

  #findWatches({ kind, path, type }: ClientRequest & { readonly kind: "removeWatches" | "checkWatches" }): ReadAnswer {
    const { watches } = this.#parts.server;
    const kinds = (WATCHER_TYPES[type] ?? []).filter((each) => watches.has(each, path, this.#connection));
    if (kind === "removeWatches") for (const each of kinds) watches.remove(each, path, this.#connection);
    return { code: kinds.length > 0 ? CODE.ok : CODE.noWatcher, body: [] };
  }

  /** Watches of a connection before this one: those whose news was missed fire at once. */
  #setWatches(relativeZxid: bigint, lists: WatchLists): ReadAnswer {
    const { tree } = this.#parts.server;
    const { created, deleted, dataChanged, childrenChanged } = WATCH_EVENT;
    const isNewer = (zxid: number) => BigInt(zxid) > relativeZxid;
    const refusals: (ReadAnswer | undefined)[] = [];
    // The client names these paths itself, so it is told whatever their ACLs say, as ZooKeeper does.
    const fire = (kind: WatchEventKind, path: string) =>
      this.#connection.watched({ kind, path, acl: OPEN_ACL }, tree.lastZxid);
    const all = [lists.data, lists.exist, lists.child, lists.persistent, lists.recursive].flat();
    if (!all.every((path) => this.#connection.judge.may("fetch", path))) return NO_AUTH;
    for (const path of lists.data) {
      const node = tree.node(path);
      if (node === undefined) fire(deleted, path);
      else if (isNewer(node.znode.mzxid)) fire(dataChanged, path);
      else refusals.push(this.#watch("data", path));
    }
    for (const path of lists.exist) {
      if (tree.node(path) !== undefined) fire(created, path);
      else refusals.push(this.#watch("data", path));
    }
    for (const path of lists.child) {
      const node = tree.node(path);
      if (node === undefined) fire(deleted, path);
      else if (isNewer(node.pzxid)) fire(childrenChanged, path);
      else refusals.push(this.#watch("child", path));
    }
    for (const path of lists.persistent) refusals.push(this.#watch("persistent", path));
    for (const path of lists.recursive) refusals.push(this.#watch("recursive", path));
    return refusals.find((refusal) => refusal !== undefined) ?? OK;
  }

  #author(): Author {
    const { session, ids } = this.#connection;
    return { session, ids, node: this.#parts.server.self };
  }
}

const OK: ReadAnswer = { code: CODE.ok, body: [] };

/** The session is at fault, and no step. */
const SESSION_CODES: ReadonlySet<Code> = new Set([CODE.sessionExpired, CODE.sessionMoved]);

/** The kinds of watches that removeWatches names by a number. */
const WATCHER_TYPES: Readonly<Record<number, readonly WatchKind[]>> = {
  1: ["child", "persistent"],
  2: ["data", "persistent"],
  3: ["child", "data", "persistent", "recursive"],
  4: ["persistent"],
  5: ["recursive"],
};

/** The memory that watches take. */
function bytesOf({ watches, pathUnits }: ReturnType<TreeServer["watches"]["heldBy"]>): number {
  return watches * WATCH_BYTES + pathUnits * 2;
}

/** The memory that a waiting transaction takes. */
function sizeOf(steps: readonly TreeStep[]): number {
  let bytes = WAITING_BYTES;
  for (const step of steps) bytes += step.path.length * 2 + ("data" in step ? (step.data?.length ?? 0) : 0);
  return bytes;
}
