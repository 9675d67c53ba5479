// The number of connections of each port, by the file descriptors that the system gives this process. When clients took
// the last descriptor, health checks failed, links between nodes broke and the store could not be opened. So each use
// has its part, and clients may hold the rest.

import { readFileSync } from "node:fs";
import { fail } from "../base/errors.ts";

/** The most connections at each kind of port. */
export interface ConnectionLimits {
  /** At the session's port for clients. */
  readonly clients: number;
  /** There and at the session's HTTP port together: some clients keep a connection at each. */
  readonly session: number;
  /** At each of the other HTTP ports: operators, health checks, metrics. */
  readonly otherHttp: number;
  readonly nodes: number;
}

// Node's own, the store with its log, connections to a database, ports, and links to other nodes of a small cluster.
const FILES = 96;
// Below this nothing would be left for clients.
const DESCRIPTORS_MIN = 256;
// A meta node has a link of each member, a data node one of each session and of each follower. The largest cluster that
// we plan for has 430 members.
const NODES_MAX = 4_096;
const NODES_PART = 1 / 8;
// Some dozens of tools that scrape or check.
const OTHER_HTTP_MAX = 256;
const OTHER_HTTP_PART = 1 / 32;
// Of the roles meta and data, and for operators.
const OTHER_HTTP_PORTS = 3;
// The connections left by clients at the session's HTTP port, if all of them are there.
const SESSION_HTTP_MAX = 1_024;
const SESSION_HTTP_PART = 1 / 16;

/** Shares out descriptors. Throws CONFIG_INVALID for too few; undefined is a system that does not report its limit. */
export function connectionLimits(
  descriptors: number | undefined,
  { clientsWanted, hasNodePort }: { clientsWanted: number; hasNodePort: boolean },
): ConnectionLimits {
  if (descriptors === undefined) {
    const session = 2 * clientsWanted + SESSION_HTTP_MAX;
    return { clients: clientsWanted, session, otherHttp: OTHER_HTTP_MAX, nodes: NODES_MAX };
  }
  if (descriptors < DESCRIPTORS_MIN) {
    throw fail("CONFIG_INVALID", { key: "ulimit -n", value: descriptors, expected: `at least ${DESCRIPTORS_MIN}` });
  }
  const nodes = hasNodePort ? Math.min(NODES_MAX, Math.floor(descriptors * NODES_PART)) : 0;
  const otherHttp = Math.min(OTHER_HTTP_MAX, Math.floor(descriptors * OTHER_HTTP_PART));
  const session = descriptors - FILES - nodes - OTHER_HTTP_PORTS * otherHttp;
  const http = Math.min(SESSION_HTTP_MAX, Math.floor(descriptors * SESSION_HTTP_PART));
  return { clients: Math.min(clientsWanted, session - http), session, otherHttp, nodes };
}

/**
 * The number of descriptors that this process may have; undefined if the system does not report it. Node raises it at
 * its start.
 */
export function descriptorLimit(): number | undefined {
  let text: string;
  try {
    text = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // Not Linux. Other systems report their limits only through a shell, and are used for development.
    return undefined;
  }
  return parseDescriptorLimit(text);
}

/** The soft limit in `/proc/self/limits`. */
export function parseDescriptorLimit(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+)\s/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
