// ZooKeeper's quotas. A client puts limits for a path at `/zookeeper/quota<path>/zookeeper_limits`, and finds what is
// used at `zookeeper_stats` beside it. That is counted when it is read; nothing is written for it.

import { nameOf, parentOf, pathAndAncestors, ROOT } from "../../records/tree/paths.ts";
import type { Tree } from "../../records/tree/tree.ts";

const QUOTAS = "/zookeeper/quota";
const LIMITS = "zookeeper_limits";
const STATS = "zookeeper_stats";

const DECODER = new TextDecoder("utf-8");
const ENCODER = new TextEncoder();

/** The data of a path that shows what is used; undefined for any other path. */
export function quotaStats(tree: Tree, path: string): Uint8Array | undefined {
  if (!path.startsWith(`${QUOTAS}/`) || nameOf(path) !== STATS) return undefined;
  const { nodes, bytes } = tree.within(parentOf(path).slice(QUOTAS.length) || ROOT);
  return ENCODER.encode(`count=${nodes},bytes=${bytes}`);
}

/** Whether no hard limit above a path is passed when so much is added there. */
export function isWithinQuota(
  tree: Tree,
  path: string,
  grown: { readonly nodes: number; readonly bytes: number },
): boolean {
  for (const above of pathAndAncestors(path)) {
    const limits = tree.node(`${QUOTAS}${above === ROOT ? "" : above}/${LIMITS}`)?.znode.data;
    if (limits === undefined) continue;
    const { nodes, bytes } = tree.within(above);
    const { countMax, bytesMax } = hardLimits(DECODER.decode(limits));
    if (grown.nodes > 0 && nodes + grown.nodes > countMax) return false;
    if (grown.bytes > 0 && bytes + grown.bytes > bytesMax) return false;
  }
  return true;
}

/** Reads `count=N,bytes=N;byteHardLimit=N;countHardLimit=N`; no limit, or -1, is none. */
function hardLimits(text: string): { readonly countMax: number; readonly bytesMax: number } {
  const numberOf = (name: string) => {
    const found = Number(new RegExp(`${name}=(\\d+)`).exec(text)?.[1] ?? -1);
    return found < 0 ? Number.POSITIVE_INFINITY : found;
  };
  return { countMax: numberOf("countHardLimit"), bytesMax: numberOf("byteHardLimit") };
}
