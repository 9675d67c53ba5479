import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../base/assert.ts";
import { type ErrorDetails, RegistryError } from "../../base/errors.ts";
import { brandServiceKey } from "../../model/ids.ts";
import { EMPTY_PAYLOAD, packBoxes } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import type { DataToSession, SessionToData } from "../messages/sessionData.ts";
import { FORMAT } from "./format.ts";
import { decodeHello, encodeHello } from "./hello.ts";
import { decodeMetaToMember, encodeMetaToMember } from "./membership.ts";
import { NodeReader } from "./nodeReader.ts";
import { encodeMessage, NodeWriter } from "./nodeWriter.ts";
import { decodeLeaderToFollower } from "./replication.ts";
import { decodeDataToSession, decodeSessionToData, encodeDataToSession, encodeSessionToData } from "./sessionData.ts";
import { GOLDEN_MESSAGES, PUBLICATION } from "./testing/goldenMessages.ts";

function publishing(publications: readonly Publication[]): SessionToData {
  const items = publications.map((publication) => ({ kind: "put", publication }) as const);
  return { kind: "publish", batch: 1, epoch: 1n, items };
}

function publicationsOf(message: ReturnType<typeof decodeSessionToData>): Publication[] {
  assert.ok(message.kind === "publish");
  return message.items.map((item) => {
    assert.ok(item.kind === "put");
    return item.publication;
  });
}

/** The decoder's complaint about a content that begins with format, kind and no names. */
function refusal(decode: (content: Uint8Array) => unknown, kind: number, fields: readonly number[]): ErrorDetails {
  try {
    decode(Uint8Array.of(FORMAT, kind, 0, ...fields));
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.code, "NODE_MESSAGE_MALFORMED");
    return error.details;
  }
  assert.fail("not refused");
}

test("a string that comes again in a message travels once", () => {
  const zone = "a-rather-long-name-of-a-zone";
  const one = encodeSessionToData(publishing([{ ...PUBLICATION, zone }]));
  const two = encodeSessionToData(
    publishing([
      { ...PUBLICATION, zone },
      { ...PUBLICATION, zone },
    ]),
  );
  const other = encodeSessionToData(
    publishing([
      { ...PUBLICATION, zone },
      { ...PUBLICATION, zone: zone.toUpperCase() },
    ]),
  );
  assert.ok(two.length - one.length < 40);
  assert.equal(other.length - two.length, 1 + zone.length);
});

test("a batch of a hundred typical publications stays under 25 kB", () => {
  const payload = packBoxes([{ utf8: new Uint8Array(150), units: 150 }]);
  const serviceKey = brandServiceKey("com.example.trade.OrderService:1.0@DEFAULT#@#DEFAULT_INSTANCE_ID#@#SOFA");
  const registId = "a8c3ed53-4b0e-4f0c-9a6c-3f62c21bd0cb";
  const publications = Array.from({ length: 100 }, () => ({ ...PUBLICATION, serviceKey, registId, payload }));
  assert.ok(encodeSessionToData(publishing(publications)).length < 25_000);
});

test("a publication that is kept keeps neither its frame nor its ninety-nine neighbours", () => {
  for (const bytes of [0, 1, 150, 256, 257, 5_000]) {
    const utf8 = Uint8Array.from({ length: bytes }, (_, at) => at % 128);
    const payload = bytes === 0 ? EMPTY_PAYLOAD : packBoxes([{ utf8, units: bytes }]);
    const content = encodeSessionToData(publishing(new Array(100).fill({ ...PUBLICATION, payload })));
    const read = publicationsOf(decodeSessionToData(content));
    content.fill(0);
    for (const publication of read) {
      assert.deepEqual(publication.payload, payload);
      assert.ok(publication.payload.buffer.byteLength <= Math.max(1024, payload.length));
    }
  }
});

test("a lone publication takes no more memory than its message", () => {
  const content = encodeSessionToData(publishing([PUBLICATION]));
  const [publication = PUBLICATION] = publicationsOf(decodeSessionToData(content));
  assert.ok(publication.payload.buffer.byteLength < 10);
});

test("what was written is not written over by the next message", () => {
  const first = encodeSessionToData(publishing([PUBLICATION]));
  const before = first.slice();
  encodeSessionToData(publishing([PUBLICATION, PUBLICATION]));
  assert.deepEqual(first, before);
});

test("a message of megabytes does not stay in memory", () => {
  let writer: NodeWriter | undefined;
  const writersAfter = (payloadBytes: number): boolean => {
    const payload = new Uint8Array(payloadBytes);
    const last = writer;
    encodeMessage(payload, (used, value) => {
      used.begin(1);
      used.block(value);
      writer = used;
    });
    return writer === last;
  };
  writersAfter(10);
  assert.equal(writersAfter(10), true);
  assert.equal(writersAfter(2_000_000), true);
  assert.equal(writersAfter(10), false);
});

test("a message that could not be written does not spoil the next", () => {
  const message: SessionToData = { kind: "publish", batch: -1, epoch: 1n, items: [] };
  assert.throws(() => encodeSessionToData(message), InvariantError);
  const good = publishing([PUBLICATION]);
  assert.deepEqual(decodeSessionToData(encodeSessionToData(good)), good);
});

test("texts of every kind and length come back as they were", () => {
  const whole = ["", "a", "\0", "é", "\ufeff", "服务", "😀", "x".repeat(64), "x".repeat(100_000), "é".repeat(100_000)];
  const lone = ["\ud800", "\udc00", "\udc00\ud800", "a\ud83d", "\ud83d\ud83d\ude00", "\udfff".repeat(10_000)];
  for (const reason of [...whole, ...lone]) {
    const decoded = decodeMetaToMember(encodeMetaToMember({ kind: "refused", reason }));
    assert.ok(decoded.kind === "refused" && decoded.reason === reason);
  }
});

test("times and versions come back exactly", () => {
  const times = [0, -0, 0.1, 1_700_000_000_000.123, -1, 2 ** 53 + 2, Number.MAX_VALUE, 5e-324, Infinity, NaN];
  const versions = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
  for (const registeredMs of times) {
    for (const version of versions) {
      const [read = PUBLICATION] = publicationsOf(
        decodeSessionToData(encodeSessionToData(publishing([{ ...PUBLICATION, version, registeredMs }]))),
      );
      assert.ok(Object.is(read.registeredMs, registeredMs) && read.version === version);
    }
  }
});

test("numbers come back whatever their length", () => {
  const numbers = Array.from({ length: 54 }, (_, bits) => [2 ** bits - 1, 2 ** bits]).flat();
  const slots = numbers.filter(Number.isSafeInteger);
  const message: DataToSession = { kind: "synced", slots };
  assert.deepEqual(decodeDataToSession(encodeDataToSession(message)), message);
});

test("a value that has no place in its field is a bug of the sender", () => {
  const unwritable: SessionToData[] = [
    { kind: "digests", epoch: 2n ** 63n, slots: [] },
    { kind: "digests", epoch: 1n, slots: [{ slot: 0, count: 1, digest: -1n }] },
    { kind: "digests", epoch: 1n, slots: [{ slot: 0, count: 1, digest: 2n ** 64n }] },
    { kind: "digests", epoch: 1n, slots: [{ slot: 0.5, count: 1, digest: 1n }] },
    { kind: "digests", epoch: 1n, slots: [{ slot: 0, count: 2 ** 53, digest: 1n }] },
  ];
  for (const message of unwritable) assert.throws(() => encodeSessionToData(message), InvariantError);
});

test("what is only declared costs nothing and is refused with its offset", () => {
  // 2^53 - 1, and the same times 128.
  const much = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  const tooMuch = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  const epoch = [0, 0, 0, 0, 0, 0, 0, 1];
  const cases: [string, number, number[], RegExp][] = [
    ["slots", 8, [...much, 1, 2], /^9007199254740991 elements in 2 bytes$/],
    ["slots", 8, [...tooMuch, 1, 2], /^a number above 2\^53$/],
    ["slots", 8, [4, 1, 2, 3], /^4 elements in 3 bytes$/],
    ["a name", 6, [0], /^a name that the message does not have$/],
    ["superseded", 1, [1, ...much], /^9007199254740991 elements in 0 bytes$/],
    ["an epoch", 2, [1, ...epoch.slice(1)], /^needs 8 bytes, 7 left$/],
  ];
  for (const [what, kind, fields, wrong] of cases) {
    const { what: said, offset } = refusal(decodeDataToSession, kind, fields);
    assert.match(String(said), wrong, what);
    assert.ok(Number(offset) >= 3, what);
  }
  assert.match(String(refusal(decodeMetaToMember, 4, [...much, 97])["what"]), /^needs 4503599627370495 bytes, 1 left$/);
});

test("texts that are none are refused", () => {
  assert.equal(refusal(decodeMetaToMember, 4, [4, 0xc3, 0x28])["what"], "bad UTF-8");
  assert.equal(refusal(decodeMetaToMember, 4, [6, 0xed, 0xa0, 0x80])["what"], "bad UTF-8");
  assert.equal(refusal(decodeMetaToMember, 4, [7, 0xd8, 0x00, 0xd8])["what"], "an odd number of UTF-16 bytes");
});

test("a yes or no that is neither is refused", () => {
  assert.deepEqual(refusal(decodeLeaderToFollower, 1, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2]), {
    what: "2 is neither yes nor no",
    offset: 14,
  });
});

test("a payload that is not whole is refused before anything reads its texts", () => {
  const sent = (payload: Uint8Array) => encodeSessionToData(publishing([{ ...PUBLICATION, payload }]));
  for (const payload of [
    [6, 97],
    [6, 0xff, 0xff],
    [0x80],
    [7, 2, 97],
    [7],
    [1, 1, 0x80],
    [1, 1, 6, 97],
    [7, 7, 195, 169, 97, 97, 97, 97, 97],
    [7, 1, 97],
  ]) {
    assert.throws(
      () => decodeSessionToData(sent(Uint8Array.from(payload))),
      /NODE_MESSAGE_MALFORMED.*not whole/,
      `${payload}`,
    );
  }
  const later = Uint8Array.of(1, 2, 0x80);
  assert.deepEqual(publicationsOf(decodeSessionToData(sent(later))), [{ ...PUBLICATION, payload: later }]);
});

test("two attributes of one name are refused", () => {
  const content = encodeSessionToData(
    publishing([
      {
        ...PUBLICATION,
        attributes: new Map([
          ["a", "1"],
          ["b", "2"],
        ]),
      },
    ]),
  );
  const same = content.map((byte) => (byte === 98 ? 97 : byte));
  assert.notDeepEqual(same, content);
  assert.throws(() => decodeSessionToData(same), /two attributes of one name/);
});

test("a change of a kind that a later release has makes the whole message unknown, never half of it", () => {
  // A publish batch of 1 under epoch 0 with two items: one removal would follow the unknown kind 9.
  const batch = Uint8Array.of(FORMAT, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 1, 2, 3);
  assert.deepEqual(decodeSessionToData(batch), { kind: "unknown", what: "a kind of publish item" });
  const zeros = new Array<number>(32).fill(0);
  const delta = Uint8Array.of(FORMAT, 4, 1, 2, 97, 0, ...zeros, 1, 9);
  assert.deepEqual(decodeDataToSession(delta), { kind: "unknown", what: "a kind of datum change" });
});

test("members in a role that a later release has are passed over, the others are known", () => {
  const { members } = GOLDEN_MESSAGES["roster.MetaToMember"];
  const content = encodeMetaToMember(members);
  // The first member's role, 2 for data, follows its name: [0, 2, 1 (address), 0 (no client address)].
  const at = content.findIndex((byte, index) => byte === 0 && content[index + 1] === 2 && content[index + 2] === 1);
  content[at + 1] = 77;
  const [, second] = members.members.list;
  assert.deepEqual(decodeMetaToMember(content), {
    kind: "members",
    members: { ...members.members, list: [second] },
  });
});

test("a hello for a link that a later release has is unknown, its other roles are left out", () => {
  const { hello } = GOLDEN_MESSAGES["roster.Hello"];
  const content = encodeHello(hello);
  // Three roles, then the link.
  const at = content.findIndex((byte, index) => byte === 3 && content[index + 1] === 1 && content[index + 2] === 2);
  const laterRole = content.with(at + 1, 77);
  assert.deepEqual(decodeHello(laterRole), { ...hello, roles: ["data", "session"] });
  assert.deepEqual(decodeHello(content.with(at + 4, 77)), { kind: "unknown", what: "a kind of link" });
});

test("a later release gives what an earlier one did not send a default", () => {
  // A record of one text, to which that release adds a weight.
  const readLater = (content: Uint8Array): { text: string; weight: number } => {
    const reader = new NodeReader(content);
    const text = reader.text();
    const end = reader.tailEnd();
    const weight = reader.offset < end ? reader.varint() : 100;
    reader.offset = end;
    return { text, weight };
  };
  const writer = new NodeWriter();
  writer.begin(1);
  writer.text("a");
  writer.endRecord();
  assert.deepEqual(readLater(writer.content()), { text: "a", weight: 100 });

  writer.begin(1);
  writer.text("a");
  writer.block(Uint8Array.of(7));
  assert.deepEqual(readLater(writer.content()), { text: "a", weight: 7 });
});
