// The promises of a tree: changes of one register happen one after the other, each at a moment between question and
// answer; a reader never goes back, and misses nothing after a `sync`; numbers of sequential nodes only grow; a lock is
// held by one client at a time. ZooKeeper numbers the versions of a node, so nothing has to be searched for.

import type { TreeEvent } from "./treeEvent.ts";

type Write = TreeEvent & { readonly kind: "write" };
type Read = TreeEvent & { readonly kind: "read" };

/** The rules that are broken, in words; at most some of each kind. */
export function judgeTree(events: readonly TreeEvent[]): string[] {
  const registers = new Set(events.flatMap((event) => ("register" in event ? [event.register] : [])));
  const ofRegisters = [...registers].flatMap((register) => {
    const own = events.filter((event): event is Write | Read => "register" in event && event.register === register);
    return judgeRegister(register, own);
  });
  return [...ofRegisters, ...judgeSequence(events), ...judgeLock(events)];
}

function judgeRegister(register: string, events: readonly (Write | Read)[]): string[] {
  const writes = events.filter((event) => event.kind === "write");
  const reads = events.filter((event) => event.kind === "read");
  const done = writes.filter(({ outcome }) => outcome === "done").sort((a, b) => versionOf(a) - versionOf(b));
  return [
    ...judgeVersions(done),
    ...notBefore(done.map((write) => ({ ...write, order: versionOf(write) }))),
    ...judgeValues(writes, reads),
    ...judgeReaders(done, reads),
  ]
    .slice(0, FINDINGS_MAX)
    .map((finding) => `${register}: ${finding}`);
}

function judgeVersions(done: readonly Write[]): string[] {
  return done.flatMap((write, at) => {
    const version = versionOf(write);
    const findings: string[] = [];
    if (at > 0 && done[at - 1]?.version === version) findings.push(`two writes are version ${version}`);
    const { expected } = write;
    if (expected >= 0 && version !== expected + 1) findings.push(`a write of ${expected} made version ${version}`);
    return findings;
  });
}

/** Whatever was answered before something was asked has a lower number. `events` are in the order of their numbers. */
function notBefore(events: readonly { fromMs: number; toMs: number; order: number }[]): string[] {
  let latest: (typeof events)[number] | undefined;
  return events.flatMap((event) => {
    const before = latest;
    if (latest === undefined || event.fromMs > latest.fromMs) latest = event;
    return before !== undefined && event.toMs < before.fromMs
      ? [`${event.order} was answered before ${before.order} was asked for`]
      : [];
  });
}

/** A version has one value, and that is what was written; a write without an answer makes one version at most. */
function judgeValues(writes: readonly Write[], reads: readonly Read[]): string[] {
  const findings: string[] = [];
  const values = new Map<number, string>([[0, ""]]);
  const versions = new Map<string, number>();
  const known = (version: number, value: string) => {
    const other = values.get(version) ?? value;
    if (other !== value) findings.push(`version ${version} is ${other} and ${value}`);
    values.set(version, value);
    const before = versions.get(value) ?? version;
    if (before !== version) findings.push(`${value} is version ${before} and ${version}`);
    versions.set(value, version);
  };
  for (const write of writes) if (write.outcome === "done") known(versionOf(write), write.value);
  const lost = new Set(writes.flatMap(({ outcome, value }) => (outcome === "lost" ? [value] : [])));
  for (const { version, value } of reads) {
    if (version > 0 && !values.has(version) && !lost.has(value)) findings.push(`${value} was read, and never written`);
    known(version, value);
  }
  return findings;
}

function judgeReaders(done: readonly Write[], reads: readonly Read[]): string[] {
  const findings: string[] = [];
  const seen = new Map<string, number>();
  for (const { client, connection, version, isSynced, fromMs } of reads) {
    const reader = `${client}#${connection}`;
    const before = seen.get(reader) ?? 0;
    if (version < before) findings.push(`${reader} read version ${version} after ${before}`);
    seen.set(reader, version);
    const newest = isSynced ? done.findLast(({ toMs }) => toMs < fromMs) : undefined;
    const missed = newest === undefined ? 0 : versionOf(newest);
    if (version < missed) findings.push(`${reader} read version ${version} after a sync, ${missed} was there before`);
  }
  return findings;
}

function judgeSequence(events: readonly TreeEvent[]): string[] {
  const created = events.flatMap((event) => (event.kind === "created" ? [{ ...event, order: event.sequence }] : []));
  created.sort((a, b) => a.order - b.order);
  const twice = created.filter(({ order }, at) => at > 0 && created[at - 1]?.order === order);
  const findings = [...twice.map(({ order }) => `number ${order} was given twice`), ...notBefore(created)];
  return findings.slice(0, FINDINGS_MAX).map((finding) => `sequence: ${finding}`);
}

function judgeLock(events: readonly TreeEvent[]): string[] {
  const held = events.filter(({ kind }) => kind === "held").sort((a, b) => a.fromMs - b.fromMs);
  return held
    .flatMap((event, at) => {
      const before = held.slice(0, at).find(({ toMs, client }) => toMs > event.fromMs && client !== event.client);
      return before === undefined ? [] : [`lock: ${event.client} got it while ${before.client} held it`];
    })
    .slice(0, FINDINGS_MAX);
}

function versionOf({ version = 0 }: Write): number {
  return version;
}

const FINDINGS_MAX = 5;
