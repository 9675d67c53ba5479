// Bugs in the ordered tree: in its state machine, and in the sessions and watches of ZooKeeper's clients.

import type { Plant } from "./plantedBug.ts";

const found = { rules: ["tree:"], isTree: true } as const;

export const TREE_PLANTS: readonly Plant[] = [
  {
    ...found,
    name: "a commit of the tree demands nothing",
    file: "src/records/tree/draft.ts",
    find: 'conditions.push({ kind: "revision", key, revision });',
    replace: "if (revision < 0n) conditions.push({ kind: 'revision', key, revision });",
  },
  {
    ...found,
    name: "sequential znodes are numbered by the children that are there",
    file: "src/records/tree/evaluate.ts",
    find: "sequenceOf(parent.creates)",
    replace: "sequenceOf(parent.children)",
  },
  {
    ...found,
    name: "a watch fires again",
    file: "src/records/tree/watchTable.ts",
    find: "for (const owner of owners) this.remove(kind, path, owner);",
    replace: "",
  },
  {
    ...found,
    name: "the watch of a list does not hear of a znode that is created",
    file: "src/records/tree/watchTable.ts",
    find: "if (kind === EVENT.dataChanged) return;",
    replace: "if (kind !== EVENT.deleted) return;",
  },
  {
    ...found,
    name: "a client that comes back does not hear what its watches have missed",
    file: "src/protocols/zookeeper/requests.ts",
    find: "isNewer(node.znode.mzxid)",
    replace: "isNewer(0)",
  },
  {
    ...found,
    name: "a session leaves an ephemeral znode behind",
    file: "src/records/tree/evaluate.ts",
    find: "paths.slice(0, ENDED_AT_ONCE)",
    replace: "paths.slice(1, ENDED_AT_ONCE)",
  },
  {
    ...found,
    name: "pings do not keep a session",
    file: "src/protocols/zookeeper/sessions.ts",
    find: "if (this.#heardMs.has(id)) this.#heardMs.set(id, nowMs);",
    replace: "",
  },
  {
    ...found,
    name: "a commit without an answer is refused when it is tried again",
    file: "src/records/tree/treeWriter.ts",
    find: 'if (outcome.kind === "committed" || !isUnsure) return outcome;',
    replace: "if (outcome !== undefined) return outcome;",
  },
  {
    ...found,
    name: "a sync does not wait for the copy",
    file: "src/records/tree/treeWriter.ts",
    find: "await new Promise<void>((resolve) => this.#whenReached(newest, resolve));",
    replace: "if (newest < 0n) this.#whenReached(newest, () => undefined);",
  },
  {
    ...found,
    name: "a read shows a write that was sent behind it",
    file: "src/protocols/zookeeper/connection.ts",
    find: "WRITES.has(request.kind) && this.#readsWaiting > 0",
    replace: "this.#readsWaiting < 0",
  },
  {
    ...found,
    name: "a tree that was read anew keeps its clients",
    file: "src/protocols/zookeeper/treeServer.ts",
    find: "if (!isFirst) this.#parts.endAll();",
    replace: "",
  },
  {
    ...found,
    name: "a node that stood still has reached the store all the time",
    file: "src/protocols/zookeeper/treeServer.ts",
    find: "    this.#patienceMs = nowMs + RESUME_MS;\n",
    replace: "    this.#patienceMs = nowMs + RESUME_MS;\n    this.#contactMs += awayMs;\n",
  },
  {
    ...found,
    name: "a client comes back to a session whose end is under way",
    file: "src/protocols/zookeeper/connection.ts",
    find: "sessions.judges(id) && !sessions.isChanging(id)",
    replace: "sessions.judges(id)",
  },
  {
    ...found,
    name: "sessions of a node that is gone are left to it",
    file: "src/protocols/zookeeper/sessions.ts",
    find: "    this.#takeOver(nowMs);\n",
    replace: "",
  },
];
