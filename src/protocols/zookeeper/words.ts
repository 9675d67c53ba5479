// The commands of four letters: a connection that begins with one is answered with text, and closed.

import type { Tree } from "../../records/tree/tree.ts";
import type { WatchTable } from "../../records/tree/watchTable.ts";
import type { Sessions } from "./sessions.ts";

const DECODER = new TextDecoder("utf-8");
const ENCODER = new TextEncoder();

/** The release of ZooKeeper whose behaviour clients find here; some ask for it. */
const SERVED_RELEASE = "3.9.5";

/** A connection, for lists of them. */
export interface ShownConnection {
  readonly remoteAddress: string;
  readonly session: number;
  readonly timeoutMs: number;
  readonly queued: number;
  readonly requested: number;
  readonly sent: number;
}

/** The things that the commands show. */
export interface WordsView {
  readonly tree: Tree;
  readonly watches: WatchTable;
  readonly sessions: Sessions;
  readonly connections: () => Iterable<ShownConnection>;
  readonly allowed: readonly string[];
  readonly version: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly isReady: () => boolean;
}

type Answer = (view: WordsView) => string;

const WORDS: Readonly<Record<string, Answer>> = {
  ruok: ({ isReady }) => (isReady() ? "imok" : "This ZooKeeper instance is not currently serving requests\n"),
  srvr: (view) => `${server(view)}`,
  stat: (view) => `${versionLine(view)}Clients:\n${connections(view)}\n${server(view).replace(/^.*\n/, "")}`,
  conf: ({ settings }) => lines(Object.entries(settings).map(([key, value]) => `${key}=${value}`)),
  cons: (view) => `${connections(view)}\n`,
  crst: () => "Connection stats reset.\n",
  srst: () => "Server stats reset.\n",
  dump: (view) => dump(view),
  envi: ({ version }) =>
    lines(["Environment:", `zookeeper.version=${SERVED_RELEASE}-roster-${version}, built on 01/01/2026 00:00 UTC`]),
  dirs: ({ tree }) => lines(["datadir_size: 0", `logdir_size: ${tree.bytes}`]),
  isro: () => "rw",
  mntr: (view) => monitored(view),
  wchs: (view) => watchSummary(view),
  wchc: (view) => watchesBySession(view),
  wchp: (view) => watchesByPath(view),
  gtmk: () => "0",
  stmk: () => "0",
  hash: () => "",
  lsnp: () => "",
  lead: () => "",
  obsr: () => "",
  sysp: () => "",
};

/** The text of the first four bytes. */
export function wordOf(bytes: Uint8Array): string {
  return DECODER.decode(bytes);
}

export function isWord(word: string): boolean {
  return Object.hasOwn(WORDS, word);
}

/** The answer to a command; a refusal for one that is not allowed. */
export function answerWord(word: string, view: WordsView): Uint8Array {
  const isAllowed = view.allowed.includes("*") || view.allowed.includes(word);
  const refusal = `${word} is not executed because it is not in the whitelist.\n`;
  return ENCODER.encode(isAllowed ? (WORDS[word]?.(view) ?? "") : refusal);
}

function versionLine({ version }: WordsView): string {
  return `Zookeeper version: ${SERVED_RELEASE}-roster-${version}, built on 01/01/2026 00:00 UTC\n`;
}

function server(view: WordsView): string {
  const all = [...view.connections()];
  const sum = (count: (connection: ShownConnection) => number) => all.reduce((total, each) => total + count(each), 0);
  return `${versionLine(view)}${lines([
    "Latency min/avg/max: 0/0.0/0",
    `Received: ${sum((each) => each.requested)}`,
    `Sent: ${sum((each) => each.sent)}`,
    `Connections: ${all.length}`,
    `Outstanding: ${sum((each) => each.queued)}`,
    `Zxid: 0x${view.tree.lastZxid.toString(16)}`,
    "Mode: standalone",
    `Node count: ${view.tree.size}`,
  ])}`;
}

function connections(view: WordsView): string {
  return lines(
    [...view.connections()].map(({ remoteAddress, session, timeoutMs, queued, requested, sent }) => {
      const counts = `queued=${queued},recved=${requested},sent=${sent},sid=0x${session.toString(16)},to=${timeoutMs}`;
      return ` /${remoteAddress}[1](${counts})`;
    }),
  );
}

function dump({ tree }: WordsView): string {
  const sessions = [...tree.sessions()].map(({ id }) => `\t0x${id.toString(16)}`);
  const ephemerals = [...tree.ephemeralsBySession()].flatMap(([id, paths]) => [
    `0x${id.toString(16)}:`,
    ...[...paths].map((path) => `\t${path}`),
  ]);
  return lines([
    "SessionTracker dump:",
    `Global Sessions(${sessions.length}):`,
    ...sessions,
    "ephemeral nodes dump:",
    `Sessions with Ephemerals (${[...tree.ephemeralsBySession()].length}):`,
    ...ephemerals,
  ]);
}

function monitored(view: WordsView): string {
  const { tree, watches, version } = view;
  const all = [...view.connections()];
  const ephemerals = [...tree.ephemeralsBySession()].reduce((sum, [, paths]) => sum + paths.size, 0);
  const values: Readonly<Record<string, string | number>> = {
    zk_version: `${SERVED_RELEASE}-roster-${version}`,
    zk_server_state: "standalone",
    zk_avg_latency: 0,
    zk_max_latency: 0,
    zk_min_latency: 0,
    zk_num_alive_connections: all.length,
    zk_outstanding_requests: all.reduce((sum, { queued }) => sum + queued, 0),
    zk_znode_count: tree.size,
    zk_watch_count: watches.size,
    zk_ephemerals_count: ephemerals,
    zk_approximate_data_size: tree.bytes,
    zk_global_sessions: [...tree.sessions()].length,
  };
  return lines(Object.entries(values).map(([key, value]) => `${key}\t${value}`));
}

function watchSummary({ watches }: WordsView): string {
  const paths = new Set<string>();
  let owners = 0;
  for (const [, owned] of watches.all()) {
    owners++;
    for (const path of owned.keys()) paths.add(path);
  }
  return lines([`${owners} connections watching ${paths.size} paths`, `Total watches:${watches.size}`]);
}

function watchesBySession({ watches }: WordsView): string {
  return lines([...watches.all()].flatMap(([owner, owned]) => [sessionOf(owner), ...[...owned.keys()].map(indented)]));
}

function watchesByPath({ watches }: WordsView): string {
  const byPath = new Map<string, string[]>();
  for (const [owner, owned] of watches.all()) {
    for (const path of owned.keys()) {
      const sessions = byPath.get(path) ?? [];
      byPath.set(path, sessions);
      sessions.push(sessionOf(owner));
    }
  }
  return lines([...byPath].flatMap(([path, sessions]) => [path, ...sessions.map(indented)]));
}

function sessionOf(owner: object): string {
  return "session" in owner ? `0x${Number(owner.session).toString(16)}` : "0x0";
}

const indented = (text: string) => `\t${text}`;

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
