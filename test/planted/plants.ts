// Bugs that are put into the program on purpose, to see that the simulation finds them: a checker that never fires
// proves nothing. Each is one small edit of one file, of the kind that a tired colleague makes.

/** A change of one file, relative to the repository: `find` must occur exactly once in it. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

interface Bug extends Edit {
  readonly name: string;
}

/** A bug that seeds find. */
interface BySeed extends Bug {
  /** The rules by which it may be found: whichever is broken first in the seed that breaks it. */
  readonly rules: readonly string[];
  /**
   * Where to begin, for a bug that shows in few seeds only; 1 unless said otherwise. It saves time and nothing else: all
   * seeds up to CI's last one are tried, and CI runs those before it too.
   */
  readonly firstSeed?: number;
  /** Needs several sessions and data nodes to show. */
  readonly isCluster?: boolean;
  /** Shows in tight worlds. */
  readonly isTight?: boolean;
}

/** A bug that this scenario finds, by what it expects: what it needs is drawn by no seed. */
export interface ByScenario extends Bug {
  readonly scenario: string;
}

/** One planted bug. */
export type Plant = BySeed | ByScenario;

export const PLANTS: readonly Plant[] = [
  {
    name: "oldest wins",
    file: "src/data/datum.ts",
    find: 'if (order <= 0) return "refused";',
    replace: 'if (order >= 0) return "refused";',
    rules: ["1", "5", "7", "G11", "quiet:"],
  },
  {
    name: "a removal leaves no tombstone",
    file: "src/data/datum.ts",
    find: "this.#tombstones.bury(registId, stamp, by)",
    replace: "this.#tombstones.delete(registId)",
    rules: ["1", "7", "G11", "quiet:"],
    isCluster: true,
  },
  {
    name: "what a removed publication took is not given back",
    file: "src/session/publications.ts",
    find: "held.client.account.release(HELD.registrations, held.bytes);",
    replace: "",
    rules: ["bug"],
  },
  {
    name: "what a client that returned left behind stays charged to it",
    file: "src/base/budget.ts",
    find: "if (before !== undefined) before.account.release(kind, beforeBytes);",
    replace: "",
    rules: ["bug"],
  },
  {
    name: "versions follow the clock alone",
    file: "src/model/version.ts",
    find: "byClock > this.#last ? byClock : this.#last + 1n",
    replace: "byClock",
    rules: ["2", "4", "bug"],
  },
  {
    name: "a restart forgets the version floor",
    file: "src/data/versionFloor.ts",
    find: "new VersionSource(floor)",
    replace: "new VersionSource(0n)",
    rules: ["2"],
  },
  {
    name: "a delta leaves out the first change",
    file: "src/data/operatorLog.ts",
    find: "isSameVersion(base, have)",
    replace: "base.version > have.version",
    // What it leaves out may be the newest of a registration.
    rules: ["4", "G11"],
  },
  {
    name: "no hold after a restart",
    file: "src/data/data.ts",
    find: "new RestartHold(memory.serviceSizes",
    replace: "new RestartHold(new Map()",
    rules: ["6"],
  },
  {
    name: "no hold after a restart, with several data nodes",
    file: "src/data/data.ts",
    find: "new RestartHold(memory.serviceSizes",
    replace: "new RestartHold(new Map()",
    rules: ["6"],
    isCluster: true,
  },
  {
    name: "a cut counts at once",
    file: "src/session/departedClients.ts",
    find: "nowMs + returnMs(client, this.#graceMs, nowMs)",
    replace: "nowMs",
    rules: ["5", "6"],
  },
  {
    name: "a silent client is not asked",
    file: "src/gateways/sofa/handler.ts",
    find: "this.#write([encodeHeartbeat(this.#dialect, this.#environment.nextHeartbeatId(), BOLT_CODEC.HESSIAN)]);",
    replace: "",
    rules: ["5"],
  },
  {
    name: "a client that stands still for ten seconds is gone",
    file: "src/gateways/sofa/silenceWatch.ts",
    find: "if (this.silentMs(nowMs) < this.patienceMs) return false;",
    replace: "return this.silentMs(nowMs) >= this.patienceMs / 2;",
    rules: ["5"],
  },
  {
    name: "anybody may have a registration that he names",
    file: "src/session/takeOver.ts",
    find: "const isFree = isOneClient(held.client, client, claim) && mayBeReplaced(held.client, claim);",
    replace: "const isFree = true;",
    rules: ["owner:", "1", "5", "6", "7", "G11", "quiet:"],
  },
  {
    name: "at another session anybody may have a registration that he names",
    file: "src/data/challenges.ts",
    find: "!haveDifferentHosts(claim.by, holder)",
    replace: "!haveDifferentHosts(holder, holder)",
    rules: ["owner:", "1", "5", "6", "7", "G11"],
    isCluster: true,
  },
  {
    name: "a registration stays with the connection that was lost",
    file: "src/session/publications.ts",
    find: "this.#handOver(held, client);",
    replace: "",
    rules: ["5", "6", "7", "bug", "quiet:"],
  },
  {
    name: "the next batch does not wait",
    file: "src/session/outbox.ts",
    find: "this.#underWay !== undefined || this.#waiting.size === 0",
    replace: "this.#waiting.size === 0",
    rules: ["8"],
  },
  {
    name: "the scan is not answered",
    file: "src/data/data.ts",
    find: "of message.versions)",
    replace: "of [] as typeof message.versions)",
    rules: ["7", "G11", "quiet:"],
  },
  {
    name: "a data node says that it has what a session has, whatever that is",
    file: "src/data/reconciliation.ts",
    find: "count !== (held?.count ?? 0) || digest !== (held?.value ?? 0n)",
    replace: "count < 0 && digest === held?.value",
    rules: ["5", "6", "7", "G11", "quiet:"],
  },
  {
    name: "the lease of a session never ends",
    file: "src/data/sessions.ts",
    find: "this.#leases.set(session, nowMs + leaseMs)",
    replace: "this.#leases.delete(session)",
    rules: ["5", "7", "quiet:"],
  },
  {
    name: "only the first client with a subscriber is pushed to",
    file: "src/session/subscriptions.ts",
    find: "{client.id}\\n$",
    replace: "{scope}\\n$",
    rules: ["7", "bug", "quiet:"],
  },
  {
    name: "an old push body is sent again",
    file: "src/session/serviceList.ts",
    find: "this.release();\n    this.#version = { version, origin };\n    this.#view = { kept: undefined,",
    replace: "this.#version = { version, origin };\n    this.#view = { kept: this.#view?.kept,",
    rules: ["3", "7", "quiet:"],
  },
  {
    name: "a late answer is ignored",
    file: "src/session/pusher.ts",
    find: "if (sent === undefined) this.#answeredLate(client, push, { isTaken, nowMs });",
    replace: "if (sent === undefined) nowMs;",
    scenario: "client-answers-late",
  },
  {
    name: "the gap between pushes never grows",
    file: "src/session/pushGap.ts",
    find: "this.#gapMs * GROWTH",
    replace: "0",
    scenario: "steady-change",
  },
  {
    name: "zone scope shows all zones",
    file: "src/gateways/sofa/pushBodies.ts",
    find: 'scope === "zone" && zone !== ownZone',
    replace: "false",
    rules: ["4"],
  },
  {
    name: "zones share a push body",
    file: "src/gateways/sofa/pushBodies.ts",
    find: "{push.zone}",
    replace: "{push.scope}",
    rules: ["4", "7", "quiet:"],
  },
  {
    name: "a client that does not read is written to all the same",
    file: "src/base/ports.ts",
    find: "const UNREAD_BYTES_MAX = 1024 * 1024;",
    replace: "const UNREAD_BYTES_MAX = 1024 * 1024 * 1024;",
    rules: ["8"],
    firstSeed: 117,
  },
  {
    name: "a slot serves before all sessions are heard",
    file: "src/data/completeness.ts",
    find: "![...members].every((session) => slot.heard.has(session))",
    replace: "slot.heard.size === 0",
    rules: ["6"],
    isCluster: true,
  },
  {
    name: "a digest ignores stamps",
    file: "src/model/registrationDigest.ts",
    find: "for (const word of words) {",
    replace: "for (const word of words.slice(0, 0)) {",
    rules: ["5", "6", "7", "G11", "quiet:"],
    firstSeed: 180,
    isCluster: true,
  },
  {
    name: "a dead leader's slots go to whoever leads least",
    file: "src/meta/arrangeSlots.ts",
    find: "const candidates = followers.filter((node) => nodes.get(node)?.isHeard === true);",
    replace: "const candidates = followers.filter((node) => nodes.get(node)?.isHeard === false);",
    rules: ["slots:"],
    isCluster: true,
  },
  {
    name: "the lease of a session ends although it is a member",
    file: "src/data/sessions.ts",
    find: "this.#members !== undefined && !this.#members.has(session) && ",
    replace: "",
    rules: ["5", "6"],
    isCluster: true,
  },
  {
    name: "a node that leaves hands nothing over",
    file: "src/meta/arrangeSlots.ts",
    find: "  handOver(draft);\n",
    replace: "",
    rules: ["settled:"],
    isCluster: true,
  },
  {
    name: "a slot is handed over while its leader holds services of it back",
    file: "src/meta/slotReports.ts",
    find: "const { held = [], inSync = [] } = slots ?? {};",
    replace: "const { held, inSync } = { held: [], inSync: slots?.inSync ?? [] };",
    rules: ["slots:"],
    isCluster: true,
  },
  {
    name: "a registration that lost by the clock alone is given up",
    file: "src/session/publications.ts",
    find: 'if (!isRemoved && held.state !== "new") {',
    replace: "if (!isRemoved) {",
    rules: ["5", "6", "7", "G11", "quiet:"],
    isCluster: true,
  },
  {
    name: "what was taken for dead is not published again",
    file: "src/session/publications.ts",
    find: 'if (!isRemoved && held.state !== "new") {',
    replace: 'if (held.state !== "new") {',
    rules: ["5", "6", "7", "G11", "quiet:"],
    isCluster: true,
  },
  {
    name: "the membership of an old leader is taken for a newer one",
    file: "src/messages/membership.ts",
    find: "if (a.epoch !== b.epoch) return a.epoch > b.epoch ? 1 : -1;",
    replace: "",
    rules: ["followers", "settled:", "epochs:", "5", "6", "7", "quiet:"],
    isCluster: true,
  },
  {
    name: "one of two followers is not told of changes",
    file: "src/data/replication.ts",
    find: "for (const follower of led.followers) {",
    replace: "for (const follower of [...led.followers].slice(1)) {",
    rules: ["followers", "5", "6"],
    isCluster: true,
  },
  {
    name: "a slot's new leader has the epoch of the old one",
    file: "src/meta/slotDraft.ts",
    find: "leaderEpoch: this.input.epoch,",
    replace: "leaderEpoch: this.owner(slot).leaderEpoch,",
    rules: ["slots:"],
    isCluster: true,
  },
  {
    name: "a subscriber that has left is kept",
    file: "src/session/subscriptions.ts",
    find: "if (service?.departed.get(registId) === subscriber) service.departed.delete(registId);",
    replace: "",
    rules: ["quiet:"],
    firstSeed: 2,
    isTight: true,
  },
  {
    name: "what was under way to a lost node is forgotten",
    file: "src/session/dataLinks.ts",
    find: "this.#outboxes.get(node)?.putBack();",
    replace: "",
    rules: ["quiet:"],
    firstSeed: 16,
    isTight: true,
  },
  {
    name: "a data node that is back is not compared",
    file: "src/session/session.ts",
    find: "    this.#repair.compare(node);\n    this.#comparisons",
    replace: "    this.#comparisons",
    rules: ["quiet:"],
    firstSeed: 12,
    isTight: true,
  },
  {
    name: "what changed while a push was under way is not pushed",
    file: "src/session/pusher.ts",
    find: "else this.#pushNewest(target, nowMs);",
    replace: "else nowMs;",
    rules: ["quiet:"],
    firstSeed: 4,
    isTight: true,
  },
  {
    name: "a refused batch is not tried again",
    file: "src/session/dataLinks.ts",
    find: "this.#retries.set(node, nowMs + MOVED_RETRY_MS);",
    replace: "this.#retries.set(node, nowMs + 1e9);",
    rules: ["quiet:"],
    firstSeed: 18,
    isTight: true,
  },
  {
    name: "another leader is not told what is here",
    file: "src/session/session.ts",
    find: "    this.#repair.moved(moved);\n",
    replace: "",
    rules: ["quiet:"],
    firstSeed: 2,
    isTight: true,
  },
  {
    name: "a node that leaves does not say so, for its codec",
    file: "src/codec/node/membership.ts",
    find: "writer.flag(heartbeat.isLeaving);",
    replace: "writer.flag(false);",
    rules: ["settled:"],
    firstSeed: 10,
    isTight: true,
  },
  {
    name: "a leader that does not know its lead is not asked again",
    file: "src/data/replication.ts",
    find: "return this.#retry(slot, RETRY_MS, nowMs);",
    replace: "return;",
    rules: ["followers"],
    firstSeed: 28,
    isTight: true,
  },
  {
    name: "values are not asked for again at a meta node that is back",
    file: "src/session/session.ts",
    find: "        this.#membership.hasNews();\n        this.#watchConfigs();",
    replace: "        this.#membership.hasNews();",
    rules: ["configuration:"],
    firstSeed: 26,
    isTight: true,
  },
  {
    name: "a follower whose leader is lost says that it has all that the leader has",
    file: "src/data/replication.ts",
    find: "if (slot.leader === node) slot.isInSync = false;",
    replace: "if (slot.leader === node) slot.isAsking = false;",
    rules: ["followers", "slots:"],
    isTight: true,
  },
  {
    name: "all slots are copied at once, however many",
    file: "src/data/replication.ts",
    find: "if (nowMs < this.#dueMs(slot) || underWay >= COPIES_PER_LEADER_MAX) continue;",
    replace: "if (nowMs < this.#dueMs(slot)) continue;",
    rules: ["8"],
    isCluster: true,
  },
  {
    name: "moves that are under way don't count",
    file: "src/meta/balanceSlots.ts",
    find: "draft.input.slotMovesMax - draft.movesUnderWay()",
    replace: "draft.input.slotMovesMax",
    rules: ["slots:"],
    isCluster: true,
  },
  {
    name: "a service that is forgotten is still counted",
    file: "src/data/slotContents.ts",
    find: "this.#memory.datums--;",
    replace: "",
    rules: ["quiet:"],
    firstSeed: 7,
    isTight: true,
  },
  {
    name: "what was pushed last is kept when the last subscriber has left",
    file: "src/session/subscriptions.ts",
    find: "if (service.targets.size > 0) return false;\n    service.list.release();",
    replace: "if (service.targets.size > 0) return false;",
    rules: ["quiet:"],
    firstSeed: 7,
    isTight: true,
  },
  {
    name: "meta is not told that the last watcher of a value has left",
    file: "src/session/session.ts",
    find: 'if (unwatched.length > 0) this.#output.toMeta({ kind: "unwatchConfig", dataInfoIds: unwatched });',
    replace: "",
    rules: ["quiet:"],
    firstSeed: 7,
    isTight: true,
  },
  {
    name: "meta goes on to tell values to a session that is gone",
    file: "src/meta/meta.ts",
    find: "this.#configs.ended(member);",
    replace: "",
    rules: ["quiet:"],
    firstSeed: 7,
    isTight: true,
  },
];
