// TLS to a real PostgreSQL: each sslmode against servers with good and bad certificates, and with certificates of
// clients.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openPostgresRecords } from "../../src/store/postgres/postgresRecords.ts";
import { TestCertificates } from "../../src/transport/testing/certificates.ts";
import { missingPostgres, type PostgresServer, startPostgres } from "./postgres.ts";

const missing = missingPostgres();
if (missing === undefined) runTests();
else test(`PostgreSQL with TLS was not tried: ${missing}`, () => assert.notEqual(process.env["CI"], "true", missing));

function runTests(): void {
  const certificates = new TestCertificates({ after });
  certificates.authority("other");
  const { ca } = certificates;
  const otherCa = `${certificates.folder}/other.pem`;
  const good = certificates.issue({ name: "good", names: "DNS:localhost,IP:127.0.0.1" });
  const elsewhere = certificates.issue({ name: "elsewhere", names: "DNS:db.example.org" });
  const client = certificates.issue({ name: "postgres" });
  const strange = certificates.issue({ name: "strange", by: "other" });
  const servers: PostgresServer[] = [];
  after(() => Promise.all(servers.map((server) => server.stop())));

  async function serverWith(tls: Parameters<typeof startPostgres>[0]): Promise<PostgresServer> {
    const server = await startPostgres(tls);
    servers.push(server);
    return server;
  }

  /** Opens the records, writes nothing, and closes them; rejects with the first failure. */
  async function open(server: PostgresServer, parameters: string, host = "127.0.0.1"): Promise<void> {
    const records = await openPostgresRecords(`postgres://postgres@${host}:${server.port}/postgres?${parameters}`);
    await records.close();
  }

  test("a server that takes TLS only: each mode by what it checks", { timeout: 120_000 }, async () => {
    const server = await serverWith({ tls: good });
    await open(server, `sslmode=verify-full&sslrootcert=${ca}`);
    await open(server, `sslmode=verify-full&sslrootcert=${ca}`, "localhost");
    await open(server, `sslrootcert=${ca}`);
    await open(server, `sslmode=verify-ca&sslrootcert=${ca}`);
    await open(server, `sslmode=require&sslrootcert=${ca}`);
    await open(server, "sslmode=require");
    await assert.rejects(open(server, ""), /STORE_UNAVAILABLE.*no encryption/);
    await assert.rejects(open(server, "sslmode=disable"), /STORE_UNAVAILABLE.*no encryption/);
    await assert.rejects(open(server, "sslmode=verify-full"), /STORE_UNAVAILABLE.*sslrootcert in store-url/);
    for (const mode of ["require", "verify-ca", "verify-full"]) {
      await assert.rejects(open(server, `sslmode=${mode}&sslrootcert=${otherCa}`), /STORE_UNAVAILABLE.*certificate/);
    }
  });

  test("a certificate of another host is refused by verify-full alone", { timeout: 120_000 }, async () => {
    const server = await serverWith({ tls: elsewhere });
    await open(server, `sslmode=verify-ca&sslrootcert=${ca}`);
    for (const host of ["127.0.0.1", "localhost"]) {
      const refused = open(server, `sslmode=verify-full&sslrootcert=${ca}`, host);
      await assert.rejects(refused, /STORE_UNAVAILABLE.*use the host name of the server's certificate/);
    }
  });

  test("a server that wants certificates of its clients", { timeout: 120_000 }, async () => {
    const server = await serverWith({ tls: { ...good, clientCa: ca } });
    const verified = `sslmode=verify-full&sslrootcert=${ca}`;
    await open(server, `${verified}&sslcert=${client.cert}&sslkey=${client.key}`);
    await assert.rejects(open(server, verified), /STORE_UNAVAILABLE/);
    await assert.rejects(
      open(server, `${verified}&sslcert=${strange.cert}&sslkey=${strange.key}`),
      /STORE_UNAVAILABLE/,
    );
  });

  test("a server without TLS is not talked to where TLS is wanted", { timeout: 120_000 }, async () => {
    const server = await serverWith({});
    await assert.rejects(open(server, "sslmode=require"), /STORE_UNAVAILABLE.*turn on TLS on the server/);
    await open(server, "sslmode=disable");
  });
}
