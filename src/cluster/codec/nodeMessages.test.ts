import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { RegistryError } from "../../base/errors.ts";
import { FORMAT } from "./format.ts";
import { NODE_MESSAGES } from "./nodeMessages.ts";
import { LINKS, type LinkCodec } from "./testing/links.ts";

const ALL = Object.entries(LINKS);

// The fields that releases have added at the end of a message, with their values for releases that write none.
const ADDED: Readonly<Record<string, object>> = {
  "roster.DataToSession taken": { unlisted: [], isFull: false },
  "roster.LeaderToFollower change": { hidden: undefined },
  "roster.SessionToData renew": { elsewhere: undefined },
  "roster.Operation operationAsked": { by: undefined },
  "roster.Hello hello": { nonce: undefined },
  "roster.HelloAnswer helloAnswer": { proof: undefined },
};

interface AnyMessage {
  readonly kind: string;
  readonly members?: object;
  readonly clientAddresses?: ReadonlyMap<string, string>;
}

/** A message from releases without the added fields, or with only the first of them. */
function earlierForms(name: string, message: AnyMessage): object[] {
  if (message.kind !== "heartbeat") return [earlier(name, message)];
  const bolt = message.clientAddresses?.get("bolt");
  const clientAddresses = bolt === undefined ? undefined : new Map([["bolt", bolt]]);
  const withoutZone = { ...message, zone: undefined };
  const withoutRules = { ...withoutZone, rulesEpoch: undefined };
  const later = { ...withoutRules, clientAddresses };
  return [withoutZone, withoutRules, later, { ...later, clients: undefined }].map(withoutUndefined);
}

function earlier(name: string, message: AnyMessage): object {
  const whole = { ...message, ...ADDED[`${name} ${message.kind}`] };
  if (name === "roster.MetaToMember" && message.kind === "members") {
    return withoutUndefined({ ...whole, members: withoutUndefined({ ...message.members, blocked: undefined }) });
  }
  return withoutUndefined(whole);
}

function withoutUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The decoder's result for any bytes: a value, or the one error that it may throw. */
function tryDecode(link: LinkCodec, content: Uint8Array): unknown {
  try {
    return link.decode(content);
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.code, "NODE_MESSAGE_MALFORMED");
    assert.equal(typeof error.details["offset"], "number");
    return error;
  }
}

test("every class has its row here", () => {
  assert.deepEqual(Object.keys(LINKS), Object.keys(NODE_MESSAGES));
});

for (const [name, link] of ALL) {
  test(`${name}: messages are read as they were written`, () => {
    fc.assert(
      fc.property(link.samples, ({ message, content }) => {
        assert.deepEqual(link.decode(content), message);
      }),
      { numRuns: 200 },
    );
  });

  test(`${name}: what a later release adds to messages and records is passed over`, () => {
    fc.assert(
      fc.property(link.samples, ({ message, grown }) => {
        assert.deepEqual(link.decode(grown), message);
      }),
      { numRuns: 100 },
    );
  });

  test(`${name}: a kind of a later release is unknown, which is no error`, () => {
    assert.deepEqual(link.decode(Uint8Array.of(FORMAT, 100, 1, 4, 97, 98, 7, 7)), {
      kind: "unknown",
      what: "message kind 100",
    });
  });

  test(`${name}: another format is refused`, () => {
    for (const format of [0, FORMAT + 1]) {
      const error = tryDecode(link, Uint8Array.of(format, 1, 0));
      assert.ok(error instanceof RegistryError);
      assert.equal(error.details["what"], `format ${format}, this release reads ${FORMAT}`);
    }
  });

  test(`${name}: a message that is cut short is refused`, () => {
    fc.assert(
      fc.property(link.samples, fc.nat(), ({ message, content }, cut) => {
        const read = tryDecode(link, content.subarray(0, cut % content.length));
        if (read instanceof RegistryError) return;
        const forms = earlierForms(name, message as AnyMessage);
        assert.ok(
          forms.some((form) => isDeepStrictEqual(read, form)),
          `${inspect(read)} is not as an earlier release wrote it: ${inspect(forms)}`,
        );
      }),
      { numRuns: 200 },
    );
  });

  test(`${name}: changed bytes are read or refused, and nothing else happens`, () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(link.samples, fc.array(change, { minLength: 1, maxLength: 6 }), ({ content }, changes) => {
        const changed = content.slice();
        for (const [at, byte] of changes) changed[at % changed.length] = byte;
        tryDecode(link, changed);
      }),
      { numRuns: 300 },
    );
  });

  test(`${name}: random bytes are read or refused`, () => {
    fc.assert(
      fc.property(fc.nat(12), fc.uint8Array({ maxLength: 100 }), fc.boolean(), (kind, bytes, isBare) => {
        tryDecode(link, isBare ? bytes : Uint8Array.of(FORMAT, kind, 1, 2, 97, ...bytes));
      }),
      { numRuns: 300 },
    );
  });
}
