// The obvious tree: one map, and one transaction at a time, with the time of each as its number. It is the oracle of
// the model test; it knows no records, commits or copies.

import type { Transaction, TreeFault, TreeStep } from "../transactions.ts";
import type { SessionId } from "../znode.ts";

export interface PlainNode {
  data: string | undefined;
  version: number;
  aclVersion: number;
  creates: number;
  deletes: number;
  owner: SessionId;
  kind: string;
  created: number;
  modified: number;
  childChange: number;
}

export type PlainOutcome = { readonly paths: readonly string[] } | { readonly fault: TreeFault; readonly at: number };

export class PlainTree {
  nodes = new Map<string, PlainNode>([
    // Their first children were not created: ZooKeeper shows a version of -1 and of -2.
    ["/", { ...emptyNode(0), deletes: -1 }],
    ["/zookeeper", { ...emptyNode(0), deletes: -2 }],
    ["/zookeeper/config", emptyNode(0)],
    ["/zookeeper/quota", emptyNode(0)],
  ]);
  sessions = new Map<SessionId, string>();

  /** `zxid` is the number of the transaction. */
  run(txn: Transaction, zxid: number): PlainOutcome {
    switch (txn.kind) {
      case "beginSession":
        if (this.sessions.has(txn.session)) return { fault: "nodeExists", at: 0 };
        this.sessions.set(txn.session, txn.judge);
        return { paths: [] };
      case "moveSession":
      case "adoptSession":
        if (!this.sessions.has(txn.session)) return { fault: "sessionExpired", at: 0 };
        this.sessions.set(txn.session, txn.judge);
        return { paths: [] };
      case "endSession":
        return this.#end(txn.session, txn.judge, zxid);
      case "mirror":
      case "prune":
        return { paths: [] };
      case "step":
        return this.#steps([txn.step], { ...txn.author, zxid });
      case "multi":
        return this.#steps(txn.steps, { ...txn.author, zxid });
    }
  }

  children(path: string): string[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    const below = [...this.nodes.keys()].filter((each) => each !== "/" && each.startsWith(prefix));
    return below
      .map((each) => each.slice(prefix.length))
      .filter((name) => !name.includes("/"))
      .sort();
  }

  #end(session: SessionId, judge: string, zxid: number): PlainOutcome {
    if (!this.sessions.has(session)) return { fault: "sessionExpired", at: 0 };
    if (this.sessions.get(session) !== judge) return { fault: "sessionMoved", at: 0 };
    for (const [path, node] of [...this.nodes].sort()) if (node.owner === session) this.#remove(path, zxid);
    this.sessions.delete(session);
    return { paths: [] };
  }

  #steps(steps: readonly TreeStep[], author: { session: SessionId; node: string; zxid: number }): PlainOutcome {
    if (!this.sessions.has(author.session)) return { fault: "sessionExpired", at: 0 };
    if (this.sessions.get(author.session) !== author.node) return { fault: "sessionMoved", at: 0 };
    const before = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
    const paths: string[] = [];
    for (const [at, step] of steps.entries()) {
      const fault = this.#step(step, author, paths);
      if (fault === undefined) continue;
      this.nodes = before;
      return { fault, at };
    }
    return { paths };
  }

  #step(
    step: TreeStep,
    { session, zxid }: { session: SessionId; zxid: number },
    paths: string[],
  ): TreeFault | undefined {
    const node = this.nodes.get(step.path);
    if (step.kind === "create") return this.#create(step, { session, zxid }, paths);
    if (node === undefined) return "noNode";
    const version = step.kind === "setAcl" ? node.aclVersion : node.version;
    if (step.version !== -1 && step.version !== version) return "badVersion";
    if (step.kind === "delete") {
      if (this.children(step.path).length > 0) return "notEmpty";
      this.#remove(step.path, zxid);
    }
    if (step.kind === "setData") {
      node.data = step.data && Buffer.from(step.data).toString();
      node.version++;
      node.modified = zxid;
    }
    if (step.kind === "setAcl") node.aclVersion++;
    paths.push(step.path);
    return undefined;
  }

  #create(
    step: TreeStep & { readonly kind: "create" },
    { session, zxid }: { session: SessionId; zxid: number },
    paths: string[],
  ): TreeFault | undefined {
    const parent = this.nodes.get(parentPath(step.path));
    if (parent === undefined) return "noNode";
    const path = step.isSequential ? step.path + String(parent.creates).padStart(10, "0") : step.path;
    if (this.nodes.has(path)) return "nodeExists";
    if (parent.owner !== 0) return "noChildrenForEphemerals";
    const owner = step.lifetime.kind === "ephemeral" ? session : 0;
    const data = step.data && Buffer.from(step.data).toString();
    this.nodes.set(path, { ...emptyNode(zxid), data, owner, kind: step.lifetime.kind });
    parent.creates++;
    parent.childChange = zxid;
    paths.push(path);
    return undefined;
  }

  #remove(path: string, zxid: number): void {
    this.nodes.delete(path);
    const parent = this.nodes.get(parentPath(path));
    if (parent === undefined) return;
    parent.deletes++;
    parent.childChange = zxid;
  }
}

function parentPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function emptyNode(zxid: number): PlainNode {
  const counts = { version: 0, aclVersion: 0, creates: 0, deletes: 0, owner: 0 };
  return { data: "", ...counts, kind: "persistent", created: zxid, modified: zxid, childChange: zxid };
}
