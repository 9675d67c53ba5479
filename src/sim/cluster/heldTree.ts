import { Tree } from "../../records/tree/tree.ts";
import { TREE_RANGE } from "../../records/tree/treeRecords.ts";
import { statOf } from "../../records/tree/znode.ts";
import type { Store } from "./store.ts";

/** The content of the store as a tree that was never told a change. */
export function storedTree(store: Store): Tree {
  const silent = () => undefined;
  const tree = new Tree({ happened: silent, committed: silent, sessionChanged: silent });
  tree.load(store.recordsUnder(TREE_RANGE));
  return tree;
}

/** Everything that a tree shows, in words. */
export function wordsOfTree(tree: Tree): string {
  const lines: string[] = [`zxid ${tree.lastZxid}, ${tree.size} znodes, ${tree.bytes} bytes`];
  for (const node of tree.all()) {
    const { nodes, bytes } = tree.within(node.path);
    const names = [...tree.names(node.path)].sort().join(" ");
    lines.push(`${node.path} ${JSON.stringify(statOf(node))} ${nodes} ${bytes} [${names}]`);
  }
  for (const { id, judge, timeoutMs } of tree.sessions()) {
    lines.push(`session ${id} ${judge} ${timeoutMs} [${[...tree.ephemerals(id)].sort().join(" ")}]`);
  }
  return lines.sort().join("\n");
}
