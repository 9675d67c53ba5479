import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RegistryError } from "../../base/errors.ts";
import { decodeQuery, malformedId } from "./decodeQuery.ts";
import { encodeAnswer, encodeRefusal, UDP_BYTES_MAX, udpBytesMax } from "./encodeAnswer.ts";
import { DNS_CODE, type DnsAnswer, type DnsQuery, type DnsRecord } from "./message.ts";
import { isName, nameOfText, textOfLabels } from "./names.ts";
import { hex, readAnswer } from "./testing/readAnswer.ts";

// dig @127.0.0.1 -p 8600 web.service.consul A, as dig 9.18 sends it: with EDNS and a cookie.
const DIG = hex(
  "cafe 0120 0001 0000 0000 0001 03776562 07736572766963 65 06636f6e73756c 00 0001 0001" +
    "00 0029 04d0 00000000 000c 000a0008 0102030405060708",
);

const isMalformed = (error: unknown) => error instanceof RegistryError && error.code === "DNS_MESSAGE_MALFORMED";

test("a query of dig is read", () => {
  assert.deepEqual(decodeQuery(DIG), {
    id: 0xcafe,
    opcode: 0,
    isRecursionDesired: true,
    question: { name: ["web", "service", "consul"], type: 1, class: 1 },
    edns: { version: 0, udpBytesMax: 1_232 },
  });
});

const HEADER = "0001 0100 0001 0000 0000 0000";
const CASES: Record<string, string> = {
  "an answer": `0001 8100 0001 0000 0000 0000 00 0001 0001`,
  "no question": "0001 0100 0000 0000 0000 0000",
  "two questions": `0001 0100 0002 0000 0000 0000 00 0001 0001 00 0001 0001`,
  "a pointer in the question": `${HEADER} c00c 0001 0001`,
  "a label of 64 bytes": `${HEADER} 40${"61".repeat(64)}00 0001 0001`,
  "a name of 256 bytes": `${HEADER} ${`3f${"61".repeat(63)}`.repeat(4)}00 0001 0001`,
  "a record whose length lies": "0001 0100 0001 0000 0000 0001 00 0001 0001 00 0029 1000 00000000 ffff",
  "a thousand records": "0001 0100 0001 0000 0000 03e8 00 0001 0001",
};
for (const [what, bytes] of Object.entries(CASES)) {
  test(`${what} is no query`, () => assert.throws(() => decodeQuery(hex(bytes)), isMalformed));
}

test("every cut of a query is refused, and nothing else is thrown", () => {
  for (let length = 0; length < DIG.length; length++) {
    assert.throws(() => decodeQuery(DIG.subarray(0, length)), isMalformed, `${length} bytes`);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        decodeQuery(bytes);
      } catch (error) {
        assert.ok(isMalformed(error));
      }
      malformedId(bytes);
    }),
  );
});

test("only a message with a header that is no answer is answered with a refusal", () => {
  assert.equal(malformedId(DIG.subarray(0, 11)), undefined);
  assert.equal(malformedId(DIG.subarray(0, 12)), 0xcafe);
  assert.equal(malformedId(hex("cafe 8120 0001 0000 0000 0001")), undefined);
  assert.deepEqual([...encodeRefusal(0xcafe, DNS_CODE.formatError)], [0xca, 0xfe, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
});

const QUERY = decodeQuery(DIG);
const NAME = QUERY.question.name;
const PLAIN: DnsQuery = { ...QUERY, edns: undefined };
const address = (last: number): DnsRecord => ({
  name: NAME,
  ttlSeconds: 7,
  data: { type: "A", address: Uint8Array.of(10, 0, 0, last) },
});
const answerOf = (answers: DnsRecord[], additionals: DnsRecord[] = []): DnsAnswer => ({
  code: DNS_CODE.ok,
  isAuthoritative: true,
  answers,
  authorities: [],
  additionals,
});

test("each kind of record is written as it can be read, and names are compressed", () => {
  const target = ["0a000001", "addr", "dc1", "consul"];
  const soa = { server: ["ns", "consul"], mailbox: ["hostmaster", "consul"], serial: 4_000_000_000 } as const;
  const times = { refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 86_400, negativeSeconds: 0 };
  const data: DnsRecord["data"][] = [
    { type: "A", address: Uint8Array.of(10, 0, 0, 1) },
    { type: "AAAA", address: new Uint8Array(16).fill(7) },
    { type: "CNAME", target },
    { type: "NS", target },
    { type: "PTR", target },
    { type: "SRV", priority: 1, weight: 2, port: 65_535, target },
    { type: "TXT", text: new TextEncoder().encode("x".repeat(300)) },
    { type: "TXT", text: new Uint8Array(0) },
    { type: "SOA", ...soa, ...times },
  ];
  const records = data.map((each) => ({ name: NAME, ttlSeconds: 60, data: each }));
  const bytes = encodeAnswer(QUERY, answerOf(records), UDP_BYTES_MAX);
  const read = readAnswer(bytes);
  assert.deepEqual(read.answers, records);
  assert.deepEqual([read.id, read.code, read.isTruncated, read.hasEdns], [0xcafe, 0, false, true]);
  const short = encodeAnswer(PLAIN, answerOf([address(1)]), 512);
  // A header, the question, and a pointer with 14 bytes.
  assert.equal(short.length, 12 + 20 + 4 + 16);
});

test("an answer never has more bytes than are taken; what is left out is said, unless it is only additional", () => {
  const many = Array.from({ length: 200 }, (_, at) => address(at % 256));
  for (const query of [QUERY, PLAIN]) {
    for (const bytesMax of [64, 100, 512, 1_232]) {
      const bytes = encodeAnswer(query, answerOf(many), bytesMax);
      const read = readAnswer(bytes);
      assert.ok(bytes.length <= bytesMax);
      assert.ok(bytesMax - bytes.length < 16);
      assert.equal(read.isTruncated, true);
      const extra = readAnswer(encodeAnswer(query, answerOf([address(1)], many), bytesMax));
      assert.deepEqual([extra.isTruncated, extra.answers], [false, [address(1)]]);
    }
  }
  assert.equal(readAnswer(encodeAnswer(QUERY, answerOf(many), 65_535)).answers.length, 200);
});

test("the size is the asker's, not below 512 and not above 1,232", () => {
  const sizes = [0, 100, 513, 4_096].map((bytes) => udpBytesMax({ edns: { version: 0, udpBytesMax: bytes } }));
  assert.deepEqual([udpBytesMax(PLAIN), ...sizes], [512, 512, 512, 513, 1_232]);
});

test("names are texts in lower case, whatever bytes they have", () => {
  assert.deepEqual(nameOfText("Web.service.consul."), ["Web", "service", "consul"]);
  assert.equal(textOfLabels(nameOfText("Zürich.b") ?? []), "zürich.b");
  assert.equal(nameOfText("a..b"), undefined);
  assert.equal(nameOfText("a".repeat(64)), undefined);
  assert.equal(isName(new Array(128).fill("a")), false);
});
