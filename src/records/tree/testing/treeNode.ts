// One node of a cluster on a store: its copy of the tree, what keeps it, and what writes it.

import { nodeId } from "../../../model/ids.ts";
import type { Records } from "../../records.ts";
import type { Transaction } from "../transactions.ts";
import { Tree } from "../tree.ts";
import { TreeFollower } from "../treeFollower.ts";
import type { TreeEvent } from "../treeRecords.ts";
import { TreeWriter, type Written } from "../treeWriter.ts";

export const NOW_MS = 1_700_000_000_000;

export interface TreeNode {
  readonly tree: Tree;
  readonly writer: TreeWriter;
  /** The transactions that were told, in order. */
  readonly told: { readonly events: readonly TreeEvent[]; readonly zxid: number }[];
  write(txn: Transaction): Promise<Written>;
  close(): void;
}

/** Opens a node, which has read the tree. `after` runs at once unless a clock is given. */
export async function openTreeNode(
  records: Pick<Records, "range" | "commit" | "watch">,
  name: string,
  { hasRoom = () => true }: { readonly hasRoom?: (path: string) => boolean } = {},
): Promise<TreeNode> {
  const told: { events: readonly TreeEvent[]; zxid: number }[] = [];
  const tree = new Tree({
    happened: (events, zxid) => void told.push({ events, zxid }),
    committed: (commit, revision) => writer.committed(commit, revision),
    sessionChanged: () => undefined,
  });
  const failed = (error: unknown) => {
    throw error;
  };
  const after = (_delayMs: number, run: () => void) => void setImmediate(run);
  const writer = new TreeWriter({
    ...{ tree, records, maker: name, after, failed },
    surroundings: () => ({ nowMs: NOW_MS, hasRoom }),
    later: (run) => void setImmediate(run),
  });
  const loaded = Promise.withResolvers<void>();
  const follower = new TreeFollower({
    ...{ tree, records, after, failed },
    recordsMax: 100_000,
    applied: () => writer.reached(),
    loaded: () => {
      writer.reloaded();
      loaded.resolve();
    },
    notRead: () => undefined,
  });
  follower.start();
  await loaded.promise;
  return {
    ...{ tree, writer, told },
    write: (txn) => new Promise((resolve) => writer.submit(txn, resolve)),
    close: () => {
      writer.close();
      follower.close();
    },
  };
}

/** The node of a test, by its number. */
export const nodeNamed = (number: number) => nodeId(`node-${number}.run`);
