// Records of ZooKeeper's protocol as its clients write and read them.

import type { JuteReader } from "../../../encoding/jute/reader.ts";
import type { JuteWriter } from "../../../encoding/jute/writer.ts";
import { OPERATION } from "../../../protocols/zookeeper/codec/operations.ts";

export type Write = (to: JuteWriter) => void;

export const FLAGS = { persistent: 0, ephemeral: 1, sequential: 2, ephemeralSequential: 3 } as const;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8");
const ALL_RIGHTS = 31;
const LONG_FIRST = 4;

export interface SeenStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly version: number;
  readonly pzxid: number;
}

export function createOf(path: string, flags: number): Write {
  return (to) => {
    to.string(path).buffer(new Uint8Array(0));
    to.vector([ALL_RIGHTS], (entry, rights) => void entry.int(rights).string("world").string("anyone"));
    to.int(flags);
  };
}

export function setOf(path: string, value: string, version: number): Write {
  return (to) => void to.string(path).buffer(ENCODER.encode(value)).int(version);
}

/** A multi of writes of data, each under its demand of a version. */
export function multiOf(writes: readonly { path: string; value: string; version: number }[]): Write {
  return (to) => {
    for (const { path, value, version } of writes) {
      to.int(OPERATION.setData).bool(false).int(-1);
      setOf(path, value, version)(to);
    }
    to.int(-1).bool(true).int(-1);
  };
}

/** The stats that a multi of writes of data was answered with; undefined if it was refused. */
export function readMulti(from: JuteReader): SeenStat[] | undefined {
  const stats: SeenStat[] = [];
  for (;;) {
    const type = from.int();
    const isDone = from.bool();
    from.int();
    if (isDone) return stats;
    if (type === -1) return undefined;
    stats.push(readStat(from));
  }
}

/** Watches of a connection before this one: setWatches2. */
export function rewatchOf(
  zxid: number,
  paths: Readonly<Record<"data" | "child" | "recursive", readonly string[]>>,
): Write {
  return (to) => {
    to.long(BigInt(zxid));
    for (const list of [paths.data, [], paths.child, [], paths.recursive]) {
      to.vector(list, (entry, path) => void entry.string(path));
    }
  };
}

export function readStat(from: JuteReader): SeenStat {
  const [czxid = 0, mzxid = 0] = Array.from({ length: LONG_FIRST }, () => Number(from.long()));
  const version = from.int();
  from.int();
  from.int();
  from.long();
  from.int();
  from.int();
  return { czxid, mzxid, version, pzxid: Number(from.long()) };
}

export function readText(from: JuteReader): string {
  return DECODER.decode(from.buffer() ?? new Uint8Array(0));
}

export function readNames(from: JuteReader): string[] {
  return from.vector(LONG_FIRST, (each) => each.string());
}

/** The number of a sequential znode. */
export function sequenceOf(path: string): number {
  return Number(path.slice(-10));
}
