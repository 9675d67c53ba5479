// Application-level discovery in a meta node: the leader saves the revisions that sessions register, finds and renews
// them, tells sessions which applications offer a service, and removes what was silent for long. Contents stay in the
// store; those used last are kept, so that a meta node without a store can still find what is in use.
//
// One commit is under way at a time. Each has the lead and the version of the index as its conditions, so memory and
// store never part unseen: if a commit is refused or its outcome is not known, the index is read anew before anything
// else is decided. Sessions repeat what is not answered, so nothing waits for that.

import { unreachable } from "../base/assert.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import type { AppAnswer, AppQuestion } from "../cluster/messages/apps.ts";
import type { Member } from "../cluster/messages/membership.ts";
import { type AppRevision, checkedApplication, checkedRevisionId, checkedServiceName } from "../model/appRevision.ts";
import { RevisionContents } from "../model/revisionContents.ts";
import { keyAfter, keyAlone, keysWith } from "../records/keys.ts";
import type { Commit, Condition, Operation, RangePage, RangeQuery } from "../records/records.ts";
import { appsMessages, foundMessages, listMessages } from "./appAnswers.ts";
import { AppCleaner, type CleanerSwitches } from "./appCleaner.ts";
import { AppIndex } from "./appIndex.ts";
import {
  contentValue,
  type Head,
  headValue,
  INDEX_PREFIX,
  keyOfContent,
  keyOfHead,
  keyOfServices,
  type OfferedServices,
  readContent,
  readIndexRecord,
  servicesValue,
  VERSION_KEY,
  versionValue,
} from "./appRecords.ts";
import { ContentReads } from "./contentReads.ts";
import { MembersByName } from "./membersByName.ts";
import type { CommitResult } from "./saveOutcome.ts";
import { ServiceAppsWatchers } from "./serviceAppsWatchers.ts";

// A million revisions take some 300 MB of a leader's memory; a record of the services of an application is read and
// written as a whole.
const REVISIONS_MAX = 500_000;
const SERVICES_BYTES_MAX = 1024 * 1024;
// Contents that wait for the store: sessions send the rest again.
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const CONTENT_BYTES_MAX = 64 * 1024 * 1024;
// Within what etcd takes in one transaction.
const COMMIT_OPERATIONS_MAX = 90;
const COMMIT_BYTES_MAX = 1024 * 1024;
// A renewal is saved if the last one that was saved is older than this: a leader that takes over knows when a revision
// was last seen to an hour.
export const SEEN_SAVE_MS = 3_600_000;
// A store that failed is read again after this.
const RELOAD_MS = 2_000;
// A statement whose outcome was not known may be carried out until then.
const UNKNOWN_MS = 10_000;

/** The effects on the store and on members. Every request is answered once. */
export interface AppOutput {
  send(to: Member, message: AppAnswer): void;
  readRecords(request: number, query: RangeQuery): void;
  /** Makes a commit, and returns its number. */
  commitRecords(commit: Commit): number;
}

/** Whether this node decides, or no node does and this one tells what it knows, or another one does. */
export type AppDuty = "leads" | "remembers" | "isSilent";

type Phase =
  | { readonly kind: "idle" }
  /** The index is being read. */
  | { readonly kind: "reads" }
  | { readonly kind: "waits"; readonly untilMs: number }
  | { readonly kind: "ready" };

interface UnderWay {
  readonly number: number;
  readonly apply: (revision: bigint) => void;
  /** The store can't take it, at any time. */
  readonly failed: (error: RegistryError, nowMs: number) => void;
}

export class Applications {
  readonly #output: AppOutput;
  readonly #index = new AppIndex();
  readonly #contents = new RevisionContents(CONTENT_BYTES_MAX);
  readonly #watchers = new ServiceAppsWatchers();
  readonly #cleaner: AppCleaner;
  readonly #registering = new Map<string, AppRevision>();
  #registeringBytes = 0;
  readonly #registrants = new MembersByName();
  readonly #reads = new ContentReads();
  /** Heads that were seen since they were saved. */
  readonly #seen = new Map<string, number>();
  #phase: Phase = { kind: "idle" };
  #leaseEpoch = 0n;
  #requests = 0;
  #indexRequest = 0;
  #versionRevision = 0n;
  #commit: UnderWay | undefined;
  /** It has read the whole index, in some lead. */
  #hasIndex = false;

  constructor(output: AppOutput) {
    this.#output = output;
    this.#cleaner = new AppCleaner(this.#index);
  }

  /** All revisions, without their contents. */
  get heads(): ReadonlyMap<string, Head> {
    return this.#index.heads;
  }

  /** The index is read, as of this lead. */
  get isReady(): boolean {
    return this.#phase.kind === "ready";
  }

  /** This node begins to lead, under a new lease. */
  begin(leaseEpoch: bigint, nowMs: number): void {
    this.#leaseEpoch = leaseEpoch;
    this.#commit = undefined;
    this.#read();
    this.#cleaner.begin(nowMs);
  }

  /** This node leads no more. It keeps what it knows: while no node leads, it is asked for that. */
  lost(): void {
    this.#phase = { kind: "idle" };
    this.#commit = undefined;
    this.#registering.clear();
    this.#registeringBytes = 0;
    this.#registrants.clear();
    this.#reads.clear();
  }

  /** The member is gone. */
  ended(member: Member): void {
    this.#watchers.ended(member);
    this.#registrants.ended(member);
    this.#reads.ended(member);
  }

  received(from: Member, message: AppQuestion, { duty, nowMs }: { duty: AppDuty; nowMs: number }): void {
    if (message.kind === "watchServiceApps") this.#watchers.watch(from, message.services);
    if (message.kind === "unwatchServiceApps") this.#watchers.unwatch(from, message.services);
    if (duty === "remembers" && this.#hasIndex) return this.#remember(from, message);
    if (duty !== "leads" || !this.isReady) return;
    switch (message.kind) {
      case "registerRevision":
        return this.#register(from, message.revision, nowMs);
      case "findRevisions":
        return this.#find(from, message.ids);
      case "renewRevisions":
        return this.#renew(from, message.ids, nowMs);
      case "watchServiceApps":
        return this.#tellApps(from, message.services);
      case "listApps":
        return this.#tell(from, listMessages(this.#index, message.question));
      case "unwatchServiceApps":
        return;
      default:
        return unreachable(message);
    }
  }

  /** The store has answered a `readRecords`; undefined: it failed. */
  recordsRead(request: number, page: RangePage | undefined, nowMs: number): void {
    if (request === this.#indexRequest) return this.#indexRead(page, nowMs);
    if (this.#cleaner.takesPage(request)) return this.#cleaner.pageRead(page);
    const read = this.#reads.answered(request);
    if (read === undefined || page === undefined) return;
    const { id, members } = read;
    const [record] = page.records;
    if (record === undefined) return this.#answer(members, { kind: "revisions", found: [], unknown: [id] });
    const revision = readContent(record);
    this.#contents.keep(revision);
    this.#answer(members, { kind: "revisions", found: [revision], unknown: [] });
  }

  /** A commit has ended. False if it is not the one that is under way here. */
  recordsCommitted(number: number, result: CommitResult, nowMs: number): boolean {
    const underWay = this.#commit;
    if (underWay?.number !== number) return false;
    this.#commit = undefined;
    if (result.kind === "committed") underWay.apply(result.revision);
    else if (result.kind === "failed") underWay.failed(result.error, nowMs);
    // Refused: another leader, or a statement of an earlier one, has changed the index.
    else this.#waits(nowMs, result.kind === "unknown" ? UNKNOWN_MS : RELOAD_MS);
    return true;
  }

  nextMs(): number {
    if (this.#phase.kind === "waits") return this.#phase.untilMs;
    if (!this.isReady) return Number.POSITIVE_INFINITY;
    return this.#cleaner.nextMs();
  }

  /** Does what is due, if this node leads. */
  work(switches: CleanerSwitches, nowMs: number): void {
    if (this.#phase.kind === "waits" && nowMs >= this.#phase.untilMs) this.#read();
    if (!this.isReady) return;
    this.#cleaner.work(switches, nowMs, (query) => this.#ask(query));
    this.#reads.begin((id) => this.#ask(keyAlone(keyOfContent(id))));
    if (this.#commit === undefined) this.#commitNext(nowMs);
  }

  /** An operator wants to have the services of applications compared with the revisions, or cleaned, now. */
  compareServices(nowMs: number): void {
    this.#cleaner.compareSoon(nowMs);
  }

  #read(): void {
    this.#phase = { kind: "reads" };
    this.#index.clear();
    this.#seen.clear();
    this.#versionRevision = 0n;
    this.#indexRequest = this.#ask(keysWith(INDEX_PREFIX));
  }

  /** Asks the store for records, and returns the number of the request. */
  #ask(query: RangeQuery): number {
    const request = ++this.#requests;
    this.#output.readRecords(request, query);
    return request;
  }

  #indexRead(page: RangePage | undefined, nowMs: number): void {
    if (page === undefined) return this.#waits(nowMs, RELOAD_MS);
    for (const record of page.records) {
      const read = readIndexRecord(record);
      if (record.key === VERSION_KEY) this.#versionRevision = record.revision;
      if (read !== undefined) this.#index.load(read);
    }
    const last = page.records.at(-1);
    if (!page.isLast && last !== undefined) {
      const { to } = keysWith(INDEX_PREFIX);
      this.#indexRequest = this.#ask({ from: keyAfter(last.key), to, at: page.revision });
      return;
    }
    this.#indexRequest = 0;
    this.#phase = { kind: "ready" };
    this.#hasIndex = true;
    // The leader before may have saved what it could not tell any more.
    for (const { member, services } of this.#watchers.all()) this.#tellApps(member, [...services]);
  }

  /** Tells what is certain without the store: what was known is there still. */
  #remember(from: Member, message: AppQuestion): void {
    if (message.kind === "watchServiceApps") return this.#tellApps(from, message.services);
    if (message.kind === "findRevisions") {
      const found = message.ids.flatMap((id) => this.#contents.take(id) ?? []);
      this.#tellFound(from, found);
    } else if (message.kind === "listApps") {
      this.#tell(from, listMessages(this.#index, message.question));
    } else if (message.kind === "renewRevisions") {
      const stored = message.ids.filter((id) => this.#index.heads.has(id));
      if (stored.length > 0) this.#output.send(from, { kind: "revisionsStored", stored, unknown: [] });
    }
  }

  #register(from: Member, revision: AppRevision, nowMs: number): void {
    const { id } = revision;
    if (this.#index.heads.has(id)) {
      this.#seenNow(id, nowMs);
      return this.#output.send(from, { kind: "revisionsStored", stored: [id], unknown: [] });
    }
    const error = this.#refusal(revision);
    if (error !== undefined) return this.#output.send(from, { kind: "revisionRefused", id, reason: error.message });
    if (!this.#registering.has(id)) {
      const bytes = this.#registeringBytes + revision.content.length;
      if (bytes > WAITING_BYTES_MAX) return;
      this.#registering.set(id, revision);
      this.#registeringBytes = bytes;
    }
    this.#registrants.add(id, from);
  }

  #refusal({ id, application, services }: AppRevision): RegistryError | undefined {
    try {
      checkedRevisionId(id);
      checkedApplication(application);
      for (const service of services) checkedServiceName(service);
    } catch (error) {
      return error as RegistryError;
    }
    const revisions = this.#index.heads.size + this.#registering.size;
    if (revisions >= REVISIONS_MAX) return fail("REVISIONS_EXHAUSTED", { revisions, max: REVISIONS_MAX });
    const names = new Set([...this.#index.servicesOf(application).keys(), ...services]);
    let bytes = 0;
    for (const name of names) bytes += name.length;
    if (bytes > SERVICES_BYTES_MAX) {
      return fail("REVISIONS_EXHAUSTED", { application, serviceBytes: bytes, max: SERVICES_BYTES_MAX });
    }
    return undefined;
  }

  #find(from: Member, ids: readonly string[]): void {
    const found: AppRevision[] = [];
    const unknown: string[] = [];
    for (const id of ids) {
      const revision = this.#contents.take(id);
      if (revision !== undefined) found.push(revision);
      else if (!this.#index.heads.has(id)) unknown.push(id);
      else this.#reads.want(id, from);
    }
    this.#tellFound(from, found);
    if (unknown.length > 0) this.#output.send(from, { kind: "revisions", found: [], unknown });
  }

  #renew(from: Member, ids: readonly string[], nowMs: number): void {
    const stored = ids.filter((id) => this.#index.heads.has(id));
    for (const id of stored) this.#seenNow(id, nowMs);
    const unknown = ids.filter((id) => !this.#index.heads.has(id));
    this.#output.send(from, { kind: "revisionsStored", stored, unknown });
  }

  #seenNow(id: string, nowMs: number): void {
    const head = this.#index.heads.get(id);
    if (head === undefined) return;
    const isDue = nowMs - head.seenMs > SEEN_SAVE_MS;
    this.#cleaner.seen(id, nowMs);
    if (isDue) this.#seen.set(id, nowMs);
  }

  #tellFound(to: Member, found: readonly AppRevision[]): void {
    this.#tell(to, foundMessages(found));
  }

  #tellApps(to: Member, services: readonly string[]): void {
    this.#tell(to, appsMessages(this.#index, services));
  }

  #tell(to: Member, messages: Iterable<AppAnswer>): void {
    for (const message of messages) this.#output.send(to, message);
  }

  #answer(members: Iterable<Member>, message: AppAnswer): void {
    for (const member of members) this.#output.send(member, message);
  }

  #commitNext(nowMs: number): void {
    if (this.#registering.size > 0) return this.#commitRevisions(nowMs);
    const removals = this.#cleaner.takeRemovals(COMMIT_OPERATIONS_MAX, nowMs);
    if (removals.ids.length > 0) return this.#commitRemovals(removals.ids, nowMs);
    if (removals.services !== undefined) return this.#commitServices(removals.services, nowMs);
    if (this.#seen.size > 0) this.#commitSeen();
  }

  #commitRevisions(nowMs: number): void {
    const version = this.#index.nextVersion(nowMs);
    const operations: Operation[] = [{ kind: "put", key: VERSION_KEY, value: versionValue(version) }];
    const revisions: AppRevision[] = [];
    const offers = new Map<string, OfferedServices>();
    let bytes = 0;
    for (const revision of this.#registering.values()) {
      // Its content, its head, and the services of its application.
      const isFull = operations.length + offers.size + 3 > COMMIT_OPERATIONS_MAX;
      if (revisions.length > 0 && (isFull || bytes + revision.content.length > COMMIT_BYTES_MAX)) break;
      const { id, application, services, content } = revision;
      const head = { application, bytes: content.length, seenMs: nowMs };
      operations.push({ kind: "put", key: keyOfContent(id), value: contentValue(revision) });
      operations.push({ kind: "put", key: keyOfHead(id), value: headValue(head) });
      const offered = offers.get(application) ?? this.#index.servicesOf(application);
      if (services.some((service) => nowMs - (offered.get(service) ?? 0) > SEEN_SAVE_MS)) {
        offers.set(application, new Map([...offered, ...services.map((service) => [service, nowMs] as const)]));
      }
      revisions.push(revision);
      bytes += content.length;
    }
    for (const [application, services] of offers) {
      operations.push({ kind: "put", key: keyOfServices(application), value: servicesValue(services) });
    }
    const registered = () => {
      for (const revision of revisions) this.#registered(revision, nowMs);
      const changed = [...offers].flatMap(([application, services]) =>
        this.#index.setServices(application, services, version),
      );
      this.#tellChanged(changed);
    };
    this.#send(operations, registered, (error) => {
      for (const revision of revisions) this.#refuse(revision, error);
    });
  }

  #registered(revision: AppRevision, nowMs: number): void {
    const { id, application, content } = revision;
    this.#index.setHead(id, { application, bytes: content.length, seenMs: nowMs });
    this.#cleaner.seen(id, nowMs);
    this.#contents.keep(revision);
    if (this.#registering.delete(id)) this.#registeringBytes -= content.length;
    this.#answer(this.#registrants.take(id), { kind: "revisionsStored", stored: [id], unknown: [] });
  }

  #refuse({ id, content }: AppRevision, error: RegistryError): void {
    if (this.#registering.delete(id)) this.#registeringBytes -= content.length;
    this.#answer(this.#registrants.take(id), { kind: "revisionRefused", id, reason: error.message });
  }

  #commitRemovals(ids: readonly string[], nowMs: number): void {
    const version = versionValue(this.#index.nextVersion(nowMs));
    const operations: Operation[] = [{ kind: "put", key: VERSION_KEY, value: version }];
    for (const id of ids)
      operations.push({ kind: "delete", key: keyOfHead(id) }, { kind: "delete", key: keyOfContent(id) });
    this.#send(operations, () => {
      for (const id of ids) {
        this.#index.setHead(id, undefined);
        this.#cleaner.removed(id);
        this.#contents.delete(id);
        this.#seen.delete(id);
      }
    });
  }

  #commitServices({ application, services }: { application: string; services: OfferedServices }, nowMs: number): void {
    const version = this.#index.nextVersion(nowMs);
    const key = keyOfServices(application);
    const isNone = services.size === 0;
    const operations: readonly Operation[] = [
      { kind: "put", key: VERSION_KEY, value: versionValue(version) },
      isNone ? { kind: "delete", key } : { kind: "put", key, value: servicesValue(services) },
    ];
    this.#send(operations, () => this.#tellChanged(this.#index.setServices(application, services, version)));
  }

  #commitSeen(): void {
    const operations: Operation[] = [];
    const heads: (readonly [string, Head])[] = [];
    for (const [id, seenMs] of this.#seen) {
      if (operations.length === COMMIT_OPERATIONS_MAX) break;
      this.#seen.delete(id);
      const before = this.#index.heads.get(id);
      if (before === undefined) continue;
      const head = { ...before, seenMs };
      heads.push([id, head]);
      operations.push({ kind: "put", key: keyOfHead(id), value: headValue(head) });
    }
    // It changes no version: the last condition then says that nothing else has.
    this.#send(operations, () => {
      for (const [id, head] of heads) this.#index.setHead(id, head);
    });
  }

  #tellChanged(services: readonly string[]): void {
    if (services.length === 0) return;
    for (const [member, some] of this.#watchers.of([...new Set(services)])) this.#tellApps(member, some);
  }

  #send(
    operations: readonly Operation[],
    applied: () => void,
    failed: UnderWay["failed"] = (_error, nowMs) => this.#waits(nowMs, RELOAD_MS),
  ): void {
    if (operations.length === 0) return;
    const conditions: Condition[] = [
      { kind: "leads", epoch: this.#leaseEpoch },
      { kind: "revision", key: VERSION_KEY, revision: this.#versionRevision },
    ];
    const isNewVersion = operations.some(({ key }) => key === VERSION_KEY);
    const apply = (revision: bigint) => {
      if (isNewVersion) this.#versionRevision = revision;
      applied();
    };
    this.#commit = { number: this.#output.commitRecords({ conditions, operations }), apply, failed };
  }

  #waits(nowMs: number, ms: number): void {
    this.#phase = { kind: "waits", untilMs: nowMs + ms };
  }
}
