// Answers as bytes, with compressed names (RFC 1035, 4.1.4), cut to the size that the asker takes.

import { ByteWriter } from "../../base/bytes.ts";
import { HEADER_BYTES } from "./decodeQuery.ts";
import {
  DNS_CLASS_IN,
  DNS_TYPE,
  type DnsAnswer,
  type DnsCode,
  type DnsData,
  type DnsName,
  type DnsQuery,
  type DnsRecord,
} from "./message.ts";

const RESPONSE = 0x8000;
const AUTHORITATIVE = 0x0400;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
// Pointers have 14 bits.
const POINTER_MAX = 0x3fff;
const POINTER = 0xc000;
const OPT_BYTES = 11;

/** The size of an answer to one that says nothing about it (RFC 1035, 4.2.1). */
export const PLAIN_BYTES_MAX = 512;

/**
 * The largest answer over UDP, whatever the asker takes: larger ones are cut to pieces on the way, which are lost, or
 * forged. Tables of addresses are fetched over TCP.
 */
export const UDP_BYTES_MAX = 1_232;
export const TCP_BYTES_MAX = 65_535;

/** The size of an answer over UDP that the asker takes. */
export function udpBytesMax({ edns }: Pick<DnsQuery, "edns">): number {
  return Math.min(Math.max(edns?.udpBytesMax ?? PLAIN_BYTES_MAX, PLAIN_BYTES_MAX), UDP_BYTES_MAX);
}

/** The answer as a message of `bytesMax` at most; it says whether answers had to be left out. */
export function encodeAnswer(query: DnsQuery, answer: DnsAnswer, bytesMax: number): Uint8Array {
  const writer = new AnswerWriter(bytesMax - (query.edns === undefined ? 0 : OPT_BYTES));
  writer.question(query);
  let isWhole = true;
  const counts = [answer.answers, answer.authorities, answer.additionals].map((records, section) => {
    const isNeeded = section < 2;
    let written = 0;
    while (isWhole && written < records.length) {
      const record = records[written];
      if (record === undefined || !writer.record(record)) break;
      written++;
    }
    // Additional records can be asked for.
    if (isNeeded && written < records.length) isWhole = false;
    return written;
  });
  if (query.edns !== undefined) writer.edns(answer.code);
  const flags = flagsOf(query, answer.code) | (answer.isAuthoritative ? AUTHORITATIVE : 0) | (isWhole ? 0 : TRUNCATED);
  const [answers = 0, authorities = 0, additionals = 0] = counts;
  return writer.done(
    { id: query.id, flags, questions: 1, answers, authorities, additionals },
    query.edns !== undefined,
  );
}

/** An answer to a message that is no query: a header that gives the code. */
export function encodeRefusal(id: number, code: DnsCode): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES);
  for (const value of [id, RESPONSE | (code & 0xf), 0, 0, 0, 0]) writer.u16(value);
  return writer.done();
}

function flagsOf({ opcode, isRecursionDesired }: DnsQuery, code: DnsCode): number {
  return RESPONSE | (opcode << 11) | (isRecursionDesired ? RECURSION_DESIRED : 0) | (code & 0xf);
}

interface Header {
  readonly id: number;
  readonly flags: number;
  readonly questions: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
}

class AnswerWriter {
  readonly #bytesMax: number;
  readonly #writer = new ByteWriter(512);
  /** Where the ends of names begin that were written, by their labels. */
  readonly #offsets = new Map<string, number>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    for (let at = 0; at < HEADER_BYTES; at += 2) this.#writer.u16(0);
  }

  question({ question }: DnsQuery): void {
    this.#name(question.name);
    this.#writer.u16(question.type);
    this.#writer.u16(question.class);
  }

  /** Writes a record; false: there was no room, and nothing of it was written. */
  record({ name, ttlSeconds, data }: DnsRecord): boolean {
    const writer = this.#writer;
    const start = writer.length;
    this.#name(name);
    writer.u16(DNS_TYPE[data.type]);
    writer.u16(DNS_CLASS_IN);
    writer.u32(ttlSeconds);
    const lengthAt = writer.length;
    writer.u16(0);
    this.#data(data);
    if (writer.length > this.#bytesMax) {
      writer.length = start;
      for (const [end, at] of this.#offsets) if (at >= start) this.#offsets.delete(end);
      return false;
    }
    this.#u16At(lengthAt, writer.length - lengthAt - 2);
    return true;
  }

  /** The answer's part of EDNS; its room has been left. */
  edns(code: DnsCode): void {
    const writer = this.#writer;
    writer.u8(0);
    writer.u16(DNS_TYPE.OPT);
    writer.u16(UDP_BYTES_MAX);
    writer.u8(code >> 4);
    writer.u8(0);
    writer.u16(0);
    writer.u16(0);
  }

  done({ id, flags, questions, answers, authorities, additionals }: Header, hasEdns: boolean): Uint8Array {
    const values = [id, flags, questions, answers, authorities, additionals + (hasEdns ? 1 : 0)];
    for (const [at, value] of values.entries()) this.#u16At(2 * at, value);
    return this.#writer.done();
  }

  #data(data: DnsData): void {
    const writer = this.#writer;
    switch (data.type) {
      case "A":
      case "AAAA":
        return writer.bytes(data.address);
      case "CNAME":
      case "NS":
      case "PTR":
        return this.#name(data.target);
      case "SRV":
        for (const value of [data.priority, data.weight, data.port]) writer.u16(value);
        // RFC 2782: not compressed.
        return this.#plainName(data.target);
      case "TXT":
        return this.#texts(data.text);
      case "SOA": {
        const { refreshSeconds, retrySeconds, expireSeconds, negativeSeconds } = data;
        this.#name(data.server);
        this.#name(data.mailbox);
        for (const value of [data.serial, refreshSeconds, retrySeconds, expireSeconds, negativeSeconds]) {
          writer.u32(value);
        }
      }
    }
  }

  /** A text is strings of 255 bytes at most. */
  #texts(text: Uint8Array): void {
    for (let at = 0; at === 0 || at < text.length; at += 255) {
      const part = text.subarray(at, at + 255);
      this.#writer.u8(part.length);
      this.#writer.bytes(part);
    }
  }

  #name(name: DnsName): void {
    for (let at = 0; at < name.length; at++) {
      const end = JSON.stringify(name.slice(at));
      const known = this.#offsets.get(end);
      if (known !== undefined) return this.#writer.u16(POINTER | known);
      if (this.#writer.length <= POINTER_MAX) this.#offsets.set(end, this.#writer.length);
      this.#label(name[at] ?? "");
    }
    this.#writer.u8(0);
  }

  #plainName(name: DnsName): void {
    for (const label of name) this.#label(label);
    this.#writer.u8(0);
  }

  #label(label: string): void {
    this.#writer.u8(label.length);
    for (let at = 0; at < label.length; at++) this.#writer.u8(label.charCodeAt(at));
  }

  #u16At(at: number, value: number): void {
    const bytes = this.#writer.target();
    bytes[at] = value >> 8;
    bytes[at + 1] = value;
  }
}
