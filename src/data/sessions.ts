// The sessions of the cluster. A session that is no longer a member and has no link here is absent: its clients'
// publications are kept for its lease, in which they can come back through another session.

import { Deadlines } from "../base/deadlines.ts";
import type { Members } from "../cluster/messages/membership.ts";
import { type NodeId, nodeNameOf } from "../model/ids.ts";
import { LEASE_KEEPER } from "../model/publication.ts";

export class Sessions {
  readonly #options: { readonly sessionLeaseMs: number };
  readonly #links = new Set<NodeId>();
  readonly #leases = new Deadlines<NodeId>();
  #members: ReadonlySet<NodeId> | undefined;

  constructor(options: { readonly sessionLeaseMs: number }) {
    this.#options = options;
  }

  /** The sessions of the cluster; undefined until meta has sent a list. */
  get members(): ReadonlySet<NodeId> | undefined {
    return this.#members;
  }

  linked(session: NodeId): void {
    this.#links.add(session);
    this.#leases.delete(session);
  }

  unlinked(session: NodeId, nowMs: number): void {
    this.#links.delete(session);
    this.watch(session, nowMs);
  }

  joined({ list }: Members, nowMs: number): void {
    const before = this.#members ?? new Set();
    this.#members = new Set(list.flatMap((member) => (member.role === "session" ? [member.id] : [])));
    for (const session of this.#members) this.#leases.delete(session);
    for (const session of before) this.watch(session, nowMs);
  }

  /** Publications of this session are here: its lease begins if it is absent. */
  watch(session: NodeId, nowMs: number, leaseMs = this.#options.sessionLeaseMs): void {
    if (this.isAbsent(session) && !this.#leases.has(session)) this.#leases.set(session, nowMs + leaseMs);
  }

  /** This process stood still: sessions that seem late may have sent something meanwhile. */
  resumed(nowMs: number): void {
    this.#leases.postpone(nowMs + this.#options.sessionLeaseMs);
  }

  nextMs(): number {
    return this.#leases.nextMs();
  }

  /** All sessions that may answer for publications: present ones, and those within their lease. May repeat itself. */
  *known(): Generator<NodeId> {
    yield* this.#members ?? [];
    yield* this.#links;
    yield* this.#leases.keys();
  }

  /** Whether it can be asked. */
  isLinked(session: NodeId): boolean {
    return this.#links.has(session);
  }

  /** Whether it is here, or its clients may still come back through others. */
  mayAnswer(session: NodeId): boolean {
    return !this.isAbsent(session) || this.#leases.has(session);
  }

  /** Whether it is here, or may be again within its lease: where its node has another run, its process has ended. */
  mayReturn(session: NodeId): boolean {
    if (!this.isAbsent(session)) return true;
    return this.#leases.has(session) && !this.#hasOtherRun(session);
  }

  #hasOtherRun(session: NodeId): boolean {
    const name = nodeNameOf(session);
    for (const member of this.#members ?? []) if (nodeNameOf(member) === name) return true;
    return false;
  }

  /** The next session whose lease is over. */
  takeEnded(nowMs: number): NodeId | undefined {
    return this.#leases.take(nowMs);
  }

  /**
   * Whether it is neither a member nor linked. While the members are not known any session may be one. Registrations
   * that are kept by leases end with these.
   */
  isAbsent(session: NodeId): boolean {
    if (this.#members === undefined || session === LEASE_KEEPER) return false;
    return !this.#members.has(session) && !this.#links.has(session);
  }
}
