// Answers and watch events: values as records and frames.

import { frameHead, JuteWriter } from "../../../encoding/jute/writer.ts";
import type { Acl } from "../../../records/tree/acl.ts";
import type { StepResult, TransactionOutcome } from "../../../records/tree/transactions.ts";
import type { WatchEvent } from "../../../records/tree/watchTable.ts";
import type { Stat } from "../../../records/tree/znode.ts";
import { CODE, type Code, XID } from "./operations.ts";
import type { WriteAnswer, WriteStep } from "./requests.ts";

const HEADER_BYTES = 16;
const STATE_CONNECTED = 3;
const MULTI_ERROR = -1;

/** The frame of an answer: its head, and the record behind it, which may be in parts. */
export function replyFrame(
  { xid, zxid, code = CODE.ok }: { readonly xid: number; readonly zxid: number; readonly code?: Code },
  body: readonly Uint8Array[] = [],
): Uint8Array[] {
  let length = HEADER_BYTES;
  for (const part of body) length += part.length;
  const head = new JuteWriter(HEADER_BYTES + 4).int(length).int(xid).long(zxid).int(code);
  return [head.done(), ...body];
}

/** The frame of a watch event. */
export function eventFrame({ kind, path }: WatchEvent, zxid: number): Uint8Array {
  const record = new JuteWriter(64 + path.length);
  record.int(XID.watchEvent).long(zxid).int(CODE.ok);
  record.int(kind).int(STATE_CONNECTED).string(path);
  const bytes = record.done();
  return new JuteWriter(bytes.length + 4).raw(frameHead(bytes.length)).raw(bytes).done();
}

export function writeStat(writer: JuteWriter, stat: Stat): JuteWriter {
  writer.long(stat.czxid).long(stat.mzxid).long(stat.createdMs).long(stat.modifiedMs);
  writer.int(stat.version).int(stat.childVersion).int(stat.aclVersion).long(stat.ephemeralOwner);
  return writer.int(stat.dataLength).int(stat.children).long(stat.pzxid);
}

export function writeAcl(writer: JuteWriter, acl: readonly Acl[]): JuteWriter {
  return writer.vector(acl, (to, { permissions, scheme, id }) => void to.int(permissions).string(scheme).string(id));
}

export function writeNames(writer: JuteWriter, names: readonly string[]): JuteWriter {
  return writer.vector(names, (to, name) => void to.string(name));
}

/** The record that answers a write. */
export function writeResult(writer: JuteWriter, answer: WriteAnswer, { path, stat }: StepResult): JuteWriter {
  if (answer === "path" || answer === "path and stat") writer.string(path);
  if (stat !== undefined && (answer === "stat" || answer === "path and stat")) writeStat(writer, stat);
  return writer;
}

/** The record that answers a multi that was done, or the code and place of the step that was refused. */
export function multiResult(
  writes: readonly WriteStep[],
  outcome:
    | Exclude<TransactionOutcome, { kind: "refused" }>
    | { readonly kind: "refused"; readonly code: Code; readonly at: number },
): Uint8Array {
  const writer = new JuteWriter(256);
  for (const [at, { operation, answer }] of writes.entries()) {
    if (outcome.kind === "refused") writeMultiError(writer, codeAt(outcome, at));
    else {
      const result = outcome.results[at];
      writer.int(operation).bool(false).int(CODE.ok);
      if (result !== undefined) writeResult(writer, answer, result);
    }
  }
  return writeMultiEnd(writer).done();
}

/** Steps before the refused one were not at fault; those behind it were not looked at. */
function codeAt({ code, at: culprit }: { readonly code: Code; readonly at: number }, at: number): Code {
  if (at < culprit) return CODE.ok;
  return at === culprit ? code : CODE.runtimeInconsistency;
}

export function writeMultiError(writer: JuteWriter, code: Code): JuteWriter {
  return writer.int(MULTI_ERROR).bool(false).int(code).int(code);
}

export function writeMultiEnd(writer: JuteWriter): JuteWriter {
  return writer.int(MULTI_ERROR).bool(true).int(MULTI_ERROR);
}
