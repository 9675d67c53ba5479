// Probes as JSON.

import type { Probe } from "../base/probes.ts";
import { type Fields, flagIn, mapIn, numberIfIn, numberIn, textIn, wordIn } from "./fields.ts";

const KINDS = ["tcp", "http", "grpc", "udp"] as const;
const METHODS = ["GET", "HEAD", "OPTIONS"] as const;

export function probeJson(probe: Probe): unknown {
  return probe.kind === "http" ? { ...probe, headers: [...probe.headers] } : probe;
}

/** Throws Unreadable. */
export function probeIn(fields: Fields): Probe {
  const kind = wordIn(fields, "kind", KINDS);
  const address = { host: textIn(fields, "host"), port: numberIn(fields, "port") };
  if (kind === "tcp" || kind === "udp") return { kind, ...address };
  const tls = { isTls: flagIn(fields, "isTls"), isTlsUnchecked: flagIn(fields, "isTlsUnchecked") };
  if (kind === "grpc") return { kind, ...address, ...tls, service: textIn(fields, "service") };
  return {
    kind,
    ...address,
    ...tls,
    method: wordIn(fields, "method", METHODS),
    path: textIn(fields, "path"),
    headers: mapIn(fields, "headers"),
    expectedStatus: numberIfIn(fields, "expectedStatus"),
  };
}
