// Bugs that are put into the program on purpose, to see that the simulation finds them: a checker that never fires
// proves nothing. Each is one small edit of one file, of the kind that a tired colleague makes.

/** One planted bug: `find` must occur exactly once in `file`. */
export interface Plant {
  readonly name: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The rules by which it may be found: whichever is broken first in the seed that breaks it. */
  readonly rules: readonly string[];
  /** Where to begin, for a bug that shows in few seeds only; 1 unless said otherwise. */
  readonly firstSeed?: number;
  /** Needs several sessions and data nodes to show. */
  readonly isCluster?: boolean;
}

export const PLANTS: readonly Plant[] = [
  {
    name: "oldest wins",
    file: "src/data/datum.ts",
    find: "compareStamps(publication, known) <= 0",
    replace: "compareStamps(publication, known) > 0",
    rules: ["1", "7", "G11"],
  },
  {
    name: "a late cleanup removes whatever is there",
    file: "src/data/datum.ts",
    find: "order < 0 : order <= 0",
    replace: "false : order <= 0",
    rules: ["5", "6", "7"],
    isCluster: true,
  },
  {
    name: "a cleanup spares what is not exactly as old",
    file: "src/data/datum.ts",
    find: "order < 0 : order <= 0",
    replace: "order !== 0 : order <= 0",
    rules: ["5", "7"],
    firstSeed: 1_200,
  },
  {
    name: "a removal leaves no tombstone",
    file: "src/data/datum.ts",
    find: "this.#tombstones.set(registId, { stamp })",
    replace: "this.#tombstones.delete(registId)",
    rules: ["1", "7", "G11"],
    firstSeed: 2_250,
    isCluster: true,
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
    name: "a delta is applied to whatever is there",
    file: "src/session/serviceList.ts",
    find: "delta.base !== this.#version",
    replace: "delta.base > delta.version",
    rules: ["4"],
  },
  {
    name: "a delta leaves out the first change",
    file: "src/data/operatorLog.ts",
    find: "delta.base === have",
    replace: "delta.base > have",
    rules: ["4"],
  },
  {
    name: "no hold after a restart",
    file: "src/data/data.ts",
    find: "new RestartHold(memory.serviceSizes",
    replace: "new RestartHold(new Map()",
    rules: ["6"],
  },
  {
    name: "a cut counts at once",
    file: "src/session/session.ts",
    find: "set(client, nowMs + this.#options.clientReturnGraceMs)",
    replace: "set(client, nowMs)",
    rules: ["5", "6"],
  },
  {
    name: "a registration stays with the connection that was lost",
    file: "src/session/publications.ts",
    find: "this.#handOver(held, client);",
    replace: "",
    rules: ["5", "6", "7"],
  },
  {
    name: "a batch that was under way is forgotten",
    file: "src/session/outbox.ts",
    find: "batch.items.map((item) => [keyOf(item), item])",
    replace: "[]",
    rules: ["5", "6", "7", "G11"],
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
    rules: ["7", "G11"],
  },
  {
    name: "a data node without memory is told nothing",
    file: "src/session/session.ts",
    find: "if (isFresh) {",
    replace: "if (false) {",
    rules: ["6", "7", "G11"],
  },
  {
    name: "a session without memory answers for its old clients",
    file: "src/data/data.ts",
    find: "if (!isFresh) return;",
    replace: "return;",
    rules: ["5", "7"],
  },
  {
    name: "only the first client with a subscriber is pushed to",
    file: "src/session/subscriptions.ts",
    find: "{client.id}\\n$",
    replace: "{scope}\\n$",
    rules: ["7", "bug"],
  },
  {
    name: "an old push body is sent again",
    file: "src/gateways/sofa/pushBodies.ts",
    find: "cached?.version === push.view.version",
    replace: "cached !== undefined",
    rules: ["3", "7"],
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
    rules: ["4", "7"],
  },
  {
    name: "a client that does not read is written to all the same",
    file: "src/base/ports.ts",
    find: "const UNREAD_BYTES_MAX = 1024 * 1024;",
    replace: "const UNREAD_BYTES_MAX = 1024 * 1024 * 1024;",
    rules: ["8"],
  },
  {
    name: "a meta leader that starts gives away the slots of whom it has not heard yet",
    file: "src/meta/meta.ts",
    find: "if (!this.#hasBegun) this.#begin(nowMs);",
    replace: "",
    rules: ["1", "2", "5", "6", "8"],
    isCluster: true,
  },
];
