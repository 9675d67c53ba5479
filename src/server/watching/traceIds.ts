// Which publications and versions are traced, and under which ids. Both are computed from the registration or the
// version, so all nodes come to the same result without telling each other, and messages carry nothing for it: the span
// of a version at the data node and those of its pushes at all sessions are one trace.

import { createHash } from "node:crypto";
import type { ServiceKey } from "../../model/ids.ts";

/** The ids of a trace and of its root, which no node sends: 32 and 16 hexadecimal digits. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

// All of a service is traced in one of these times, or nothing: a version without its pushes explains little.
const WINDOW_MS = 10_000;

/** Whether what concerns this service at that time is traced, as one in `oneIn` services is. */
export function isTraced(serviceKey: ServiceKey, atMs: number, oneIn: number): boolean {
  if (oneIn === 1) return true;
  const window = Math.floor(atMs / WINDOW_MS);
  return digest(`${window}\n${serviceKey}`).readUInt32BE(0) % oneIn === 0;
}

/** The trace of one state of a registration. */
export function publicationTrace(key: { serviceKey: ServiceKey; registId: string; version: bigint }): TraceIds {
  return idsOf(`publication\n${key.version}\n${key.registId}\n${key.serviceKey}`);
}

/** The trace of one version of a service's list. */
export function versionTrace({ serviceKey, version }: { serviceKey: ServiceKey; version: bigint }): TraceIds {
  return idsOf(`version\n${version}\n${serviceKey}`);
}

function idsOf(text: string): TraceIds {
  const bytes = digest(text);
  // An id of zeros only would be invalid; no one will ever see one.
  return { traceId: bytes.toString("hex", 0, 16), spanId: bytes.toString("hex", 16, 24) };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
