import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { after, type TestContext, test } from "node:test";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { Connection } from "../../base/ports.ts";
import { hostClock } from "../clock.ts";
import { listenTcp } from "../tcp.ts";
import { TestCertificates } from "../testing/certificates.ts";
import { LOCAL } from "../testing/local.ts";
import { type Credentials, readCredentials } from "./credentials.ts";
import { HANDSHAKES_MAX, type TlsPort } from "./tlsGate.ts";

const MIB = 1024 * 1024;
const STRENGTH = {
  minVersion: "TLSv1.2",
  ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256",
} as const;

const certificates = new TestCertificates({ after });
const files = certificates.issue({ name: "server" });
const client = certificates.issue({ name: "client", names: "DNS:orders.shop" });
certificates.authority("stranger");
const stranger = certificates.issue({ name: "strange", by: "stranger" });
const expired = certificates.issue({ name: "expired", days: -1 });
const CA = certificates.read(certificates.ca);

function credentialsOf({ cert, key }: { cert: string; key: string }): Credentials {
  const named = (file: string) => ({ key: "tls", file });
  return readCredentials({ cert: named(cert), key: named(key), ca: named(certificates.ca) }, STRENGTH, Date.now());
}

const SERVER = credentialsOf(files);

/** A port that answers each connection's input with the same bytes, and the outcomes that it has counted. */
async function port(t: TestContext, changes: Partial<TlsPort> = {}) {
  const outcomes: string[] = [];
  const reasons: string[] = [];
  const connections: Connection[] = [];
  const drained: number[] = [];
  const tls: TlsPort = {
    credentials: () => SERVER,
    clientAuth: "none",
    takesPlain: false,
    ended: (outcome) => void outcomes.push(outcome),
    failed: (reason) => void reasons.push(reason),
    underWay: () => undefined,
    ...changes,
  };
  const listener = await listenTcp({
    ...LOCAL,
    connectionsMax: () => 4 * HANDSHAKES_MAX,
    clock: hostClock,
    peers: "clients",
    tls,
    accept: (connection) => {
      connections.push(connection);
      return {
        received: (chunk) => connection.write(chunk),
        drained: (nowMs) => void drained.push(nowMs),
        closed: () => undefined,
      };
    },
  });
  t.after(() => listener.close());
  const dial = (options: ConnectionOptions = {}) => {
    const socket = connectTls({ port: listener.port, host: "127.0.0.1", ca: CA, ...options });
    t.after(() => socket.destroy());
    return socket;
  };
  const dialPlain = () => {
    const socket = connectPlain(listener.port, "127.0.0.1");
    t.after(() => socket.destroy());
    return socket;
  };
  return { outcomes, reasons, connections, drained, dial, dialPlain };
}

async function echo(socket: Socket, sent: Buffer): Promise<Buffer> {
  const got: Buffer[] = [];
  let bytes = 0;
  socket.write(sent);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    got.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= sent.length) break;
  }
  return Buffer.concat(got);
}

function closed(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("error", () => undefined).resume();
  if (socket.closed) resolve();
  else socket.once("close", () => resolve());
  return promise;
}

test("what goes through TLS arrives whole and in order, small and large", async (t) => {
  const { dial, outcomes } = await port(t);
  const socket = dial();
  for (const bytes of [1, 70_000, 3 * MIB]) {
    const sent = Buffer.alloc(bytes, bytes % 251);
    assert.ok((await echo(socket, sent)).equals(sent));
  }
  assert.deepEqual(outcomes, ["ok"]);
});

test("what leaves at once is not reported as drained, and what has waited is, once", async (t) => {
  const { dial, connections, drained } = await port(t);
  const socket = dial();
  for (const bytes of [1, 5_000, 60_000]) await echo(socket, Buffer.alloc(bytes));
  assert.equal(drained.length, 0);
  socket.pause();
  connections[0]?.write(Buffer.alloc(16 * MIB));
  await new Promise(setImmediate);
  assert.ok((connections[0]?.bufferedBytes ?? 0) > MIB);
  socket.resume();
  while (drained.length === 0) await new Promise(setImmediate);
  assert.equal(connections[0]?.bufferedBytes, 0);
  await echo(socket, Buffer.alloc(1));
  assert.equal(drained.length, 1);
});

test("large output right behind small output leaves, and in order", async (t) => {
  const { dial, connections } = await port(t);
  const socket = dial();
  await echo(socket, Buffer.from("x"));
  const parts = [Buffer.alloc(10, 1), Buffer.alloc(MIB, 2), Buffer.alloc(3, 3), Buffer.alloc(MIB, 4)];
  for (const part of parts) connections[0]?.write(part);
  const got: Buffer[] = [];
  for await (const chunk of socket) {
    got.push(chunk as Buffer);
    if (Buffer.concat(got).length === 2 * MIB + 13) break;
  }
  assert.ok(Buffer.concat(got).equals(Buffer.concat(parts)));
});

test("a client without TLS is ended where it is required", async (t) => {
  const { dialPlain, outcomes, reasons, connections } = await port(t);
  const socket = dialPlain();
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await closed(socket);
  assert.deepEqual([outcomes, connections], [["failed"], []]);
  assert.match(reasons[0] ?? "", /http request|wrong version/);
});

test("a port that takes both tells them apart by the first byte, whole or not", async (t) => {
  const { dial, dialPlain, outcomes } = await port(t, { takesPlain: true });
  const sent = Buffer.from([1, 2, 3]);
  const plain = dialPlain();
  assert.ok((await echo(plain, sent)).equals(sent));
  assert.ok((await echo(plain, sent)).equals(sent));
  assert.ok((await echo(dial(), sent)).equals(sent));
  assert.deepEqual(outcomes, ["plain", "ok"]);
});

test("a silent connection without TLS is handed to its protocol, which judges it", async (t) => {
  const { dialPlain, outcomes } = await port(t, { takesPlain: true, handshakeMsMax: 20 });
  const socket = dialPlain();
  const sent = Buffer.from("late");
  await once(socket, "connect");
  while (outcomes.length === 0) await new Promise(setImmediate);
  assert.ok((await echo(socket, sent)).equals(sent));
  assert.deepEqual(outcomes, ["plain"]);
});

for (const [what, takesPlain, beginning] of [
  ["says nothing", false, []],
  ["stops in the middle of its greeting", false, [0x16, 3, 1, 2, 0]],
  ["stops in the middle of its greeting, at a port that takes both", true, [0x16, 3, 1]],
] as const) {
  test(`a client that ${what} is ended when its time is over`, async (t) => {
    const { dialPlain, outcomes, connections } = await port(t, { takesPlain, handshakeMsMax: 30 });
    const socket = dialPlain();
    socket.write(Uint8Array.from(beginning));
    await closed(socket);
    assert.deepEqual([outcomes, connections], [["timeout"], []]);
  });
}

test("one address has half of the handshakes that may be under way, and gives them back", async (t) => {
  let open = 0;
  const { dial, dialPlain, outcomes } = await port(t, {
    underWay: (count) => {
      open = count;
    },
  });
  const sockets = Array.from({ length: HANDSHAKES_MAX / 2 + 10 }, dialPlain);
  for (const socket of sockets.slice(-10)) await closed(socket);
  assert.deepEqual(outcomes, Array(10).fill("refused"));
  assert.equal(open, HANDSHAKES_MAX / 2);
  for (const socket of sockets) socket.destroy();
  while (open > 0) await new Promise(setImmediate);
  const sent = Buffer.from("now");
  assert.ok((await echo(dial(), sent)).equals(sent));
});

test("a client's certificate names it to the protocol", async (t) => {
  const { dial, connections } = await port(t, { clientAuth: "require" });
  const socket = dial({ cert: certificates.read(client.cert), key: certificates.read(client.key) });
  await echo(socket, Buffer.from("x"));
  const [certificate] = connections.map((connection) => connection.certificate);
  assert.equal(certificate?.subject, "CN=client");
  assert.deepEqual(certificate?.names, ["DNS:orders.shop"]);
  assert.match(certificate?.fingerprint ?? "", /^[0-9A-F:]{95}$/);
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const clientAuth of ["request", "require"] as const) {
    for (const [what, shown] of [
      ["of another authority", stranger],
      ["that has expired", expired],
    ] as const) {
      test(`a certificate ${what} is refused: ${clientAuth}, ${maxVersion}`, async (t) => {
        const { dial, outcomes, reasons, connections } = await port(t, { clientAuth });
        const socket = dial({ cert: certificates.read(shown.cert), key: certificates.read(shown.key), maxVersion });
        await closed(socket);
        while (reasons.length === 0) await new Promise(setImmediate);
        assert.match(reasons[0] ?? "", /certificate can't be trusted/);
        assert.deepEqual([outcomes, connections], [["failed"], []]);
      });
    }
  }
  test(`a client without a certificate is refused where each needs one: ${maxVersion}`, async (t) => {
    const { dial, outcomes, reasons, connections } = await port(t, { clientAuth: "require" });
    await closed(dial({ maxVersion }));
    assert.match(reasons[0] ?? "", /did not return a certificate/);
    assert.deepEqual([outcomes, connections], [["failed"], []]);
  });
}

test("a client without a certificate is served where it is only requested", async (t) => {
  const { dial, connections } = await port(t, { clientAuth: "request" });
  await echo(dial(), Buffer.from("x"));
  assert.equal(connections[0]?.certificate, undefined);
});

test("a client that knows only an older version is refused", async (t) => {
  const { dial, outcomes } = await port(t);
  await closed(dial({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" }));
  assert.deepEqual(outcomes, ["failed"]);
});

test("new credentials are shown to the next client, and the present one keeps its connection", async (t) => {
  let current = SERVER;
  const { dial } = await port(t, { credentials: () => current });
  const first = dial();
  const sent = Buffer.from("x");
  await echo(first, sent);
  current = credentialsOf(certificates.issue({ name: "renewed" }));
  const second = dial();
  await echo(second, sent);
  assert.equal(second.getPeerX509Certificate()?.subject, "CN=renewed");
  assert.ok((await echo(first, sent)).equals(sent));
});

test("no session is resumed where clients show certificates", async (t) => {
  const { dial } = await port(t, { clientAuth: "request" });
  const first = dial({ maxVersion: "TLSv1.2" });
  await echo(first, Buffer.from("x"));
  const session = first.getSession();
  const second = dial({ maxVersion: "TLSv1.2", ...(session !== undefined && { session }) });
  await echo(second, Buffer.from("x"));
  assert.equal(second.isSessionReused(), false);
});

test("an address that begins handshakes one after the other is refused some, and they are counted", async (t) => {
  const { dial, outcomes, reasons } = await port(t, { handshakes: { atOnceMax: 3, perSecondMax: 0.01 } });
  for (let count = 0; count < 3; count++) await echo(dial(), Buffer.from("x"));
  await closed(dial());
  assert.deepEqual(outcomes, ["ok", "ok", "ok", "refused"]);
  assert.match(String(reasons), /3 handshakes at once, then 0.01 a second/);
});

test("connections without TLS take no handshakes from those with it", async (t) => {
  const { dial, dialPlain, outcomes } = await port(t, {
    takesPlain: true,
    handshakes: { atOnceMax: 1, perSecondMax: 0 },
  });
  for (let count = 0; count < 3; count++) await echo(dialPlain(), Buffer.from("plain"));
  await echo(dial(), Buffer.from("x"));
  assert.deepEqual(outcomes, ["plain", "plain", "plain", "ok"]);
});
