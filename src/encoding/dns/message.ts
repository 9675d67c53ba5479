// DNS messages (RFC 1035, 2782, 3596, 6891) as plain values. A name is a list of labels, the most specific one first,
// each a text whose characters are its bytes (Latin-1): a label may contain anything, a dot too.

export type DnsName = readonly string[];

/** The numbers of the types that are asked for or answered here. */
export const DNS_TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
} as const;

/** The class of the Internet, and the one that stands for every class. */
export const DNS_CLASS_IN = 1;
export const DNS_CLASS_ANY = 255;

/** The outcomes of a query. */
export const DNS_CODE = {
  ok: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;
/** An EDNS version that is not known (RFC 6891, 6.1.3). */
export const DNS_CODE_BAD_VERSION = 16;

export type DnsCode = (typeof DNS_CODE)[keyof typeof DNS_CODE] | typeof DNS_CODE_BAD_VERSION;

export interface DnsQuestion {
  readonly name: DnsName;
  readonly type: number;
  readonly class: number;
}

/** The asker's part of EDNS. */
export interface Edns {
  readonly version: number;
  /** The largest answer over UDP that it takes. */
  readonly udpBytesMax: number;
}

/** A query with one question. */
export interface DnsQuery {
  readonly id: number;
  readonly opcode: number;
  readonly isRecursionDesired: boolean;
  readonly question: DnsQuestion;
  readonly edns: Edns | undefined;
}

/** The content of a record. Addresses are bytes in network order. */
export type DnsData =
  | { readonly type: "A" | "AAAA"; readonly address: Uint8Array }
  | { readonly type: "CNAME" | "NS" | "PTR"; readonly target: DnsName }
  | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: DnsName;
    }
  | { readonly type: "TXT"; readonly text: Uint8Array }
  | {
      readonly type: "SOA";
      readonly server: DnsName;
      readonly mailbox: DnsName;
      readonly serial: number;
      readonly refreshSeconds: number;
      readonly retrySeconds: number;
      readonly expireSeconds: number;
      readonly negativeSeconds: number;
    };

export interface DnsRecord {
  readonly name: DnsName;
  readonly ttlSeconds: number;
  readonly data: DnsData;
}

/** An answer, before it is cut to the size that the asker takes. */
export interface DnsAnswer {
  readonly code: DnsCode;
  readonly isAuthoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}
