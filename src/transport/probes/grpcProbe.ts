// The standard health check of gRPC (grpc.health.v1.Health/Check), without a library: one call by HTTP/2, whose request
// and answer are messages of one field each.

import { connect, constants } from "node:http2";
import { isIP } from "node:net";
import type { GrpcProbe, ProbeOutcome } from "../../base/probes.ts";
import { failureOf, type ProbeOne } from "./probeOne.ts";

const PATH = "/grpc.health.v1.Health/Check";
// An answer is seven bytes. One that is longer is none.
const ANSWER_BYTES_MAX = 1_024;
const SERVING = 1;
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
const FRAME_BYTES = 5;
const FIELD_1_TEXT = 0x0a;
const FIELD_1_NUMBER = 0x08;

export const probeGrpc: ProbeOne<GrpcProbe> = (probe, { address }, { done }) => {
  const { host, port, service, isTls, isTlsUnchecked } = probe;
  const what = `gRPC ${host}:${port}${service === "" ? "" : `/${service}`}`;
  const at = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const shown = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const session = connect(`${isTls ? "https" : "http"}://${at}`, {
    maxSessionMemory: 1,
    settings: { enablePush: false },
    ...(isTls && { servername: isIP(host) === 0 ? host : "", rejectUnauthorized: !isTlsUnchecked }),
  });
  const failed = (error: NodeJS.ErrnoException) => done(failureOf(what, error));
  session.on("error", failed);
  const call = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: PATH,
    [constants.HTTP2_HEADER_AUTHORITY]: shown,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
    [constants.HTTP2_HEADER_TE]: "trailers",
  });
  const parts: Buffer[] = [];
  let bytes = 0;
  let status: unknown;
  call.on("response", (headers) => (status = headers["grpc-status"] ?? status));
  call.on("trailers", (headers) => (status = headers["grpc-status"] ?? status));
  call.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) done({ result: "critical", output: `${what}: the answer is too long` });
    else parts.push(part);
  });
  call.on("error", failed);
  call.on("close", () => done(outcomeOf(what, Buffer.concat(parts), status)));
  call.end(requestOf(service));
  return () => session.destroy();
};

function requestOf(service: string): Buffer {
  const name = Buffer.from(service);
  const field = name.length === 0 ? [] : [FIELD_1_TEXT, ...lengthOf(name.length)];
  const message = Buffer.concat([Buffer.from(field), name]);
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** As a varint; names have 256 characters at most. */
function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
}

function outcomeOf(what: string, answer: Buffer, grpcStatus: unknown): ProbeOutcome {
  if (grpcStatus !== undefined && grpcStatus !== "0") {
    return { result: "critical", output: `${what}: grpc-status ${String(grpcStatus).slice(0, 3)}` };
  }
  const message = answer.subarray(FRAME_BYTES);
  const isWhole = answer.length >= FRAME_BYTES && answer[0] === 0 && answer.readUInt32BE(1) === message.length;
  if (!isWhole) return { result: "critical", output: `${what}: no answer` };
  const serving = message[0] === FIELD_1_NUMBER ? (message[1] ?? 0) : 0;
  const output = `${what}: ${STATUSES[serving] ?? serving}`;
  return { result: serving === SERVING ? "passing" : "critical", output };
}
