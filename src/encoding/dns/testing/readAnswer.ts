// Reads answers, pointers and all, as a client does.

import { DNS_TYPE, type DnsData, type DnsName, type DnsRecord } from "../message.ts";

export interface ReadAnswer {
  readonly id: number;
  readonly code: number;
  readonly isTruncated: boolean;
  readonly isAuthoritative: boolean;
  readonly hasEdns: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** Bytes in hexadecimal, with spaces anywhere. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

export function readAnswer(bytes: Uint8Array): ReadAnswer {
  const reader = new Reader(bytes);
  const [id, flags] = [reader.u16(), reader.u16()];
  const [questions, ...counts] = [reader.u16(), reader.u16(), reader.u16(), reader.u16()];
  for (let left = questions; left > 0; left--) {
    reader.name();
    reader.at += 4;
  }
  let hasEdns = false;
  const [answers = [], authorities = [], additionals = []] = counts.map((count) =>
    Array.from({ length: count }, () => reader.record()).filter((record) => {
      hasEdns ||= record === undefined;
      return record !== undefined;
    }),
  );
  const bits = { isTruncated: (flags & 0x200) !== 0, isAuthoritative: (flags & 0x400) !== 0 };
  return { id, code: flags & 0xf, ...bits, hasEdns, answers, authorities, additionals };
}

class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u16(): number {
    this.at += 2;
    return this.#view.getUint16(this.at - 2);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4);
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.#bytes.slice(this.at - length, this.at);
  }

  name(): DnsName {
    const labels: string[] = [];
    let end: number | undefined;
    for (let length = this.take(1)[0] ?? 0; length > 0; length = this.take(1)[0] ?? 0) {
      if (length >= 0xc0) {
        const to = ((length & 0x3f) << 8) | (this.take(1)[0] ?? 0);
        end ??= this.at;
        this.at = to;
      } else labels.push(String.fromCharCode(...this.take(length)));
    }
    this.at = end ?? this.at;
    return labels;
  }

  /** Undefined for EDNS. */
  record(): DnsRecord | undefined {
    const name = this.name();
    const type = this.u16();
    this.at += 2;
    const ttlSeconds = this.u32();
    const end = this.u16() + this.at;
    if (type === DNS_TYPE.OPT) {
      this.at = end;
      return undefined;
    }
    return { name, ttlSeconds, data: this.#data(type, end) };
  }

  #data(type: number, end: number): DnsData {
    switch (type) {
      case DNS_TYPE.A:
      case DNS_TYPE.AAAA:
        return { type: type === DNS_TYPE.A ? "A" : "AAAA", address: this.take(end - this.at) };
      case DNS_TYPE.CNAME:
        return { type: "CNAME", target: this.name() };
      case DNS_TYPE.NS:
        return { type: "NS", target: this.name() };
      case DNS_TYPE.PTR:
        return { type: "PTR", target: this.name() };
      case DNS_TYPE.SRV: {
        const [priority, weight, port] = [this.u16(), this.u16(), this.u16()];
        return { type: "SRV", priority, weight, port, target: this.name() };
      }
      case DNS_TYPE.TXT: {
        const parts: number[] = [];
        while (this.at < end) parts.push(...this.take(this.take(1)[0] ?? 0));
        return { type: "TXT", text: Uint8Array.from(parts) };
      }
      default: {
        const [server, mailbox, serial] = [this.name(), this.name(), this.u32()];
        const [refreshSeconds, retrySeconds, expireSeconds] = [this.u32(), this.u32(), this.u32()];
        const times = { refreshSeconds, retrySeconds, expireSeconds, negativeSeconds: this.u32() };
        return { type: "SOA", server, mailbox, serial, ...times };
      }
    }
  }
}
