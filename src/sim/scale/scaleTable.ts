// Clusters of growing size, up to the largest that SOFARegistry's authors have published, as shown in
// docs/internals/scale.md.

import { runScale, type ScaleResult, type ScaleSize } from "./runScale.ts";
import type { Count } from "./traffic.ts";

const CROWD = { publishers: 100, subscribers: 200, services: 5_000 };
const SIZES: readonly ScaleSize[] = [
  { metas: 3, datas: 3, sessions: 3, ...CROWD },
  { metas: 3, datas: 10, sessions: 50, ...CROWD },
  { metas: 3, datas: 30, sessions: 150, ...CROWD },
  { metas: 3, datas: 60, sessions: 370, ...CROWD },
];

function rate({ messages, bytes }: Count, nodes: number): string {
  return `${(messages / nodes).toFixed(1)} / ${(bytes / nodes / 1_000).toFixed(2)} kB`;
}

const HEADS = [
  "meta + data + session",
  "first table / served ms",
  "heartbeats, members, tables",
  "digests",
  "scans",
  "other",
  "one change: notices / copies / messages / kB",
  "data nodes lost",
  "table / served / copied again ms",
  "messages and MB for it",
];

function row({ size, quiet, change, repair, ...result }: ScaleResult): string {
  const { metas, datas, sessions } = size;
  const nodes = metas + datas + sessions;
  return [
    `${metas} + ${datas} + ${sessions}`,
    `${result.firstTableMs} / ${result.firstServedMs}`,
    rate(quiet.heartbeats, nodes),
    rate(quiet.digests, nodes),
    rate(quiet.scans, nodes),
    rate(quiet.other, nodes),
    [change.notices.messages, change.copies.messages, change.all.messages]
      .map((count) => count.toFixed(1))
      .concat((change.all.bytes / 1_000).toFixed(2))
      .join(" / "),
    String(result.lost),
    `${result.tableMs} / ${result.servedMs} / ${result.syncedMs}`,
    `${repair.messages} / ${(repair.bytes / 1e6).toFixed(1)}`,
  ].join(" | ");
}

/** The lines of a Markdown table, each as soon as its cluster has been simulated. */
export function* scaleTable(): Generator<string> {
  yield `| ${HEADS.join(" | ")} |\n|${"---|".repeat(HEADS.length)}`;
  for (const size of SIZES) yield `| ${row(runScale(size))} |`;
}
