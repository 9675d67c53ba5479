// The command line.

import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { PEER_NAMES, type PeerName } from "./targets/targets.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "./workloads.ts";

export const USAGE = `npm run bench -- [${WORKLOAD_NAMES.join("] [")}] [flags]
  --peer A,B      measure these beside Roster: ${PEER_NAMES.join(", ")}
  --cluster       measure Roster with a process for each role, too
  --runs N        so many runs; the table shows medians, and the least and the most
  --root DIR      the checkout whose server is measured (this one)
  --only TEXT     only the cases in whose title this stands
  --json FILE     write every figure of every run to a file`;

export interface Options {
  readonly workloads: readonly WorkloadName[];
  readonly peers: readonly PeerName[];
  readonly hasCluster: boolean;
  readonly runs: number;
  readonly root: string;
  /** Part of a case's title. */
  readonly only: string;
  readonly jsonFile: string | undefined;
}

/** Throws with a sentence for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      peer: { type: "string", default: "" },
      cluster: { type: "boolean", default: false },
      runs: { type: "string", default: "1" },
      root: { type: "string", default: join(import.meta.dirname, "..") },
      only: { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs}: a number from 1 up`);
  return {
    workloads: positionals.length === 0 ? WORKLOAD_NAMES : positionals.map((name) => named(name, WORKLOAD_NAMES)),
    peers: values.peer.split(",").flatMap((name) => (name === "" ? [] : [named(name, PEER_NAMES)])),
    hasCluster: values.cluster,
    runs,
    root: resolve(values.root),
    only: values.only,
    jsonFile: values.json,
  };
}

function named<Name extends string>(name: string, names: readonly Name[]): Name {
  const found = names.find((known) => known === name);
  if (found === undefined) throw new Error(`no ${name}; there are ${names.join(", ")}`);
  return found;
}
