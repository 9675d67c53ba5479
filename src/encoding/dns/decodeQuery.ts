// Bytes as a query. Nothing is allocated that was only declared: a name has at most 255 bytes, a query one question.

import { ByteReader } from "../../base/bytes.ts";
import { dnsError } from "./errors.ts";
import { DNS_TYPE, type DnsName, type DnsQuery, type Edns } from "./message.ts";

export const HEADER_BYTES = 12;
/** The most bytes of a name, with the lengths of its labels, and of a label. */
export const NAME_BYTES_MAX = 255;
export const LABEL_BYTES_MAX = 63;
// A query has an OPT record, perhaps one with a signature, and nothing else behind its question.
const RECORDS_MAX = 8;

const RESPONSE_BIT = 0x8000;
const RECURSION_DESIRED_BIT = 0x0100;

/**
 * Reads a query. Throws DNS_MESSAGE_MALFORMED; `malformedId` says then whether it can be answered.
 */
export function decodeQuery(bytes: Uint8Array): DnsQuery {
  const reader = new ByteReader(bytes, (details) => dnsError("DNS_MESSAGE_MALFORMED", details));
  const id = reader.u16();
  const flags = reader.u16();
  if ((flags & RESPONSE_BIT) !== 0) throw dnsError("DNS_MESSAGE_MALFORMED", { message: "an answer" });
  const questions = reader.u16();
  const records = reader.u16() + reader.u16() + reader.u16();
  if (questions !== 1) throw dnsError("DNS_MESSAGE_MALFORMED", { questions, expected: 1 });
  if (records > RECORDS_MAX) throw dnsError("DNS_MESSAGE_MALFORMED", { records, recordsMax: RECORDS_MAX });
  const name = readName(reader);
  const question = { name, type: reader.u16(), class: reader.u16() };
  let edns: Edns | undefined;
  for (let left = records; left > 0; left--) edns = readRecord(reader) ?? edns;
  const opcode = (flags >> 11) & 0xf;
  return { id, opcode, isRecursionDesired: (flags & RECURSION_DESIRED_BIT) !== 0, question, edns };
}

/** The id to which a malformed message is answered; undefined if it is too short, or itself an answer. */
export function malformedId(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return (view.getUint16(2) & RESPONSE_BIT) === 0 ? view.getUint16(0) : undefined;
}

/** The name of a question: nothing stands before it that it could point to. */
function readName(reader: ByteReader): DnsName {
  const labels: string[] = [];
  let bytes = 1;
  for (let length = reader.u8(); length > 0; length = reader.u8()) {
    if (length > LABEL_BYTES_MAX) throw reader.wrong("a label with a length above 63, or a pointer");
    bytes += length + 1;
    if (bytes > NAME_BYTES_MAX) throw reader.wrong("a name of more than 255 bytes");
    labels.push(String.fromCharCode(...reader.view(length)));
  }
  return labels;
}

/** Skips a record. Returns EDNS if it is that. */
function readRecord(reader: ByteReader): Edns | undefined {
  // Names behind the question may end with a pointer, which is not followed.
  for (let length = reader.u8(); length > 0; length = reader.u8()) {
    if (length >= 0xc0) {
      reader.u8();
      break;
    }
    if (length > LABEL_BYTES_MAX) throw reader.wrong("a label with a length above 63");
    reader.view(length);
  }
  const type = reader.u16();
  const udpBytesMax = reader.u16();
  const [, version] = reader.view(4);
  reader.view(reader.u16());
  return type === DNS_TYPE.OPT ? { version: version ?? 0, udpBytesMax } : undefined;
}
