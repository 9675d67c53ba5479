// The ways to a real etcd: TLS, certificates of clients, users with passwords.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { keysWith } from "../../src/records/keys.ts";
import type { CommitOutcome } from "../../src/records/records.ts";
import { openEtcdRecords } from "../../src/store/etcd/etcdRecords.ts";
import { A, commitOf, committed, contentOf, LONG_MS, leads, put } from "../../src/store/testing/testRecords.ts";
import { type EtcdServer, startEtcd, startEtcdCluster, withEtcd } from "./etcd.ts";
import { eventually, refusedAs } from "./withPostgres.ts";

const dir = mkdtempSync(join(tmpdir(), "roster-etcd-tls-"));
after(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string) => join(dir, name);

await withEtcd("etcd with a login", (server) => {
  loginTests(server);
  tlsTests(server);
  memberTests();
});

/** A user with the right to change what begins with a prefix. */
async function enableLogin(server: EtcdServer): Promise<void> {
  const everythingOf = (prefix: string) => ({ key: btoa(prefix), range_end: btoa(`${prefix.slice(0, -1)}0`) });
  const permission = { permType: "READWRITE", ...everythingOf("/allowed/") };
  await server.ask("/v3/auth/user/add", { name: "root", password: "of root" });
  await server.ask("/v3/auth/role/add", { name: "root" });
  await server.ask("/v3/auth/user/grant", { user: "root", role: "root" });
  await server.ask("/v3/auth/user/add", { name: "roster", password: "s3cret@/" });
  await server.ask("/v3/auth/role/add", { name: "roster" });
  await server.ask("/v3/auth/role/grant", { name: "roster", perm: permission });
  await server.ask("/v3/auth/user/grant", { user: "roster", role: "roster" });
  await server.ask("/v3/auth/enable", {});
}

function loginTests(server: EtcdServer): void {
  const place = `127.0.0.1:${server.port}`;
  const withLogin = `etcd://roster:${encodeURIComponent("s3cret@/")}@${place}`;

  test("a login that etcd does not ask for is refused with what to do", async () => {
    const refused = refusedAs("STORE_UNAVAILABLE", place, "remove user and password from store-url");
    await assert.rejects(openEtcdRecords(`${withLogin}/allowed`), refused);
  });

  test("a user works under its prefix and nowhere else; a wrong password, or none, is refused", async () => {
    await enableLogin(server);
    const records = await openEtcdRecords(`${withLogin}/allowed`);
    const told: string[] = [];
    records.watch(keysWith(""), await committed(records, put("a")), {
      changed: (changes) => told.push(...changes.map(({ kind }) => kind)),
      compacted: () => assert.fail("nothing is compacted"),
    });
    const { epoch } = await records.acquireLease(A, LONG_MS);
    assert.equal((await records.acquireLease(A, LONG_MS)).epoch, epoch);
    await committed(records, put("a", "2"));
    await eventually(async () => told.length === 1);

    for (const [url, ...parts] of [
      [`${withLogin}/elsewhere`, "permission denied", "grant this user"],
      [`etcd://roster:s3cret@${place}/allowed`, "check user and password in store-url"],
      [`etcd://${place}/allowed`, "give user and password in store-url"],
    ] as const) {
      const refused = refusedAs("STORE_UNAVAILABLE", place, ...parts);
      await assert.rejects(openEtcdRecords(url), (error) => refused(error) && !String(error).includes("s3cret"));
    }

    // Its tokens are gone with the process.
    await server.halt();
    await server.start();
    await committed(records, put("a", "3"));
    assert.deepEqual(await contentOf(records), [["a", "3"]]);
    await eventually(async () => told.length === 2);
    await records.releaseLease(epoch);
    await records.close();
  });
}

function tlsTests(plain: EtcdServer): void {
  test("TLS needs the certificate's authority, and a host that the certificate names", async () => {
    makeCertificates();
    const server = await startEtcd({ tls: { cert: file("server.crt"), key: file("server.key") } });
    const { port } = server;
    const records = await openEtcdRecords(`etcds://127.0.0.1:${port}?cacert=${file("ca.crt")}`);
    const told: string[] = [];
    records.watch(keysWith(""), await committed(records, put("a")), {
      changed: (changes) => told.push(...changes.map(({ kind }) => kind)),
      compacted: () => assert.fail("nothing is compacted"),
    });
    await committed(records, put("a", "2"));
    await eventually(async () => told.length === 1);
    await records.close();
    for (const [url, advice] of [
      [`etcds://127.0.0.1:${port}`, "name the certificate authority: cacert in store-url"],
      [`etcds://localhost:${port}?cacert=${file("ca.crt")}`, "use the host name of the server's certificate"],
      [`etcd://127.0.0.1:${port}`, "use etcds:// in store-url"],
      [`etcds://127.0.0.1:${plain.port}?cacert=${file("ca.crt")}`, "use etcd:// in store-url"],
    ] as const) {
      await assert.rejects(openEtcdRecords(url), refusedAs("STORE_UNAVAILABLE", advice));
    }
    await server.stop();
  });

  test("an etcd that wants a client's certificate is given it", async () => {
    const tls = { cert: file("server.crt"), key: file("server.key"), clientCa: file("ca.crt") };
    const server = await startEtcd({ tls });
    const url = `etcds://127.0.0.1:${server.port}?cacert=${file("ca.crt")}`;
    const records = await openEtcdRecords(`${url}&cert=${file("client.crt")}&key=${file("client.key")}`);
    await committed(records, put("a"));
    await records.close();
    const refused = refusedAs("STORE_UNAVAILABLE", "give a client's certificate: cert and key in store-url");
    await assert.rejects(openEtcdRecords(url), refused);
    await server.stop();
  });
}

function memberTests(): void {
  test("of three members one may stand still or die: a call at most is refused, and watches go on", async () => {
    const members = await startEtcdCluster();
    const [first, second] = members;
    assert.ok(first !== undefined && second !== undefined);
    const records = await openEtcdRecords(`etcd://${members.map(({ port }) => `127.0.0.1:${port}`).join(",")}`);
    const told: string[] = [];
    records.watch(keysWith(""), await committed(records, put("a", "0")), {
      changed: (changes) => told.push(...changes.map((change) => (change.kind === "put" ? change.record.key : "-"))),
      compacted: () => assert.fail("nothing is compacted"),
    });
    const { epoch } = await records.acquireLease(A, LONG_MS);

    first.pause();
    const startMs = performance.now();
    await assert.rejects(records.range(keysWith("")), refusedAs("STORE_UNAVAILABLE", "no answer within"));
    assert.ok(performance.now() - startMs < 4_000);
    await eventually(() => isMade(records.commit(commitOf([put("b")], [leads(epoch)]))));
    await eventually(async () => told.includes("b"));
    first.resume();

    await second.kill();
    await eventually(() => isMade(records.commit(commitOf([put("c")], [leads(epoch)]))));
    await eventually(async () => told.includes("c"));
    assert.equal((await records.acquireLease(A, LONG_MS)).epoch, epoch);
    assert.deepEqual(
      (await contentOf(records)).map(([key]) => key),
      ["a", "b", "c"],
    );
    await records.close();
    await Promise.all(members.map((member) => member.stop()));
  });
}

const isMade = (outcome: Promise<CommitOutcome>) =>
  outcome.then(
    ({ kind }) => kind === "committed",
    () => false,
  );

/** An authority, a server's certificate for 127.0.0.1 alone, and a client's. */
function makeCertificates(): void {
  const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = ["-keyout", file("ca.key"), "-out", file("ca.crt"), "-subj", "/CN=authority"];
  openssl("req", "-x509", ...key, ...authority);
  // etcd's gateway is a client of its own server, with the server's certificate.
  const extensions = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth,clientAuth"];
  for (const name of ["server", "client"]) {
    const own = ["-keyout", file(`${name}.key`), "-out", file(`${name}.crt`), "-subj", "/CN=roster"];
    openssl("req", "-x509", ...key, ...own, "-CA", file("ca.crt"), "-CAkey", file("ca.key"), ...extensions);
  }
}
