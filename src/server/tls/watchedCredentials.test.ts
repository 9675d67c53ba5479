import assert from "node:assert/strict";
import { copyFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Metrics, noMetrics } from "../../base/metrics.ts";
import type { LogFields } from "../../base/ports.ts";
import { type CertificateFiles, TestCertificates } from "../../transport/testing/certificates.ts";
import { WatchedCredentials } from "./watchedCredentials.ts";

const certificates = new TestCertificates({ after });
const old = certificates.issue({ name: "old" });
const renewed = certificates.issue({ name: "renewed" });
const soon = certificates.issue({ name: "soon", days: 20 });
let folders = 0;

/** Watched files with the old certificate, and what was logged and counted. */
function watched(first: CertificateFiles = old) {
  const files = {
    cert: join(certificates.folder, `${++folders}.crt`),
    key: join(certificates.folder, `${folders}.private`),
  };
  const put = ({ cert, key }: CertificateFiles) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  put(first);
  const events: string[] = [];
  const reasons: string[] = [];
  const counted: string[] = [];
  const line = (event: string, fields: LogFields = {}) => {
    events.push(event);
    if (fields["reason"] !== undefined) reasons.push(String(fields["reason"]));
  };
  const log = { debug: line, info: line, warn: line, error: line };
  const metrics: Metrics = {
    ...noMetrics,
    add: (_name: string, _value: number, labels?: Readonly<Record<string, string>>) =>
      void counted.push(labels?.["outcome"] ?? ""),
  };
  const environment = { certificate: "server", clock: { nowMs: () => Date.now() }, log, metrics };
  const credentials = new WatchedCredentials(
    { cert: { key: "tls-cert-file", file: files.cert }, key: { key: "tls-key-file", file: files.key }, ca: undefined },
    { minVersion: "TLSv1.2", ciphers: "TLS_AES_128_GCM_SHA256" },
    environment,
  );
  events.length = 0;
  const name = () => credentials.current.subject;
  return { files, put, credentials, events, reasons, counted, name };
}

test("changed files are in force once they have stood still for a look", () => {
  const { put, credentials, name, counted } = watched();
  put(renewed);
  credentials.look();
  assert.equal(name(), "CN=old");
  credentials.look();
  assert.equal(name(), "CN=renewed");
  for (let looks = 0; looks < 5; looks++) credentials.look();
  assert.deepEqual(counted, ["ok"]);
});

test("a certificate that comes long before its key leaves the old pair in force, and is reported once", () => {
  const { files, credentials, name, events, reasons } = watched();
  copyFileSync(renewed.cert, files.cert);
  for (let looks = 0; looks < 5; looks++) credentials.look();
  assert.equal(name(), "CN=old");
  assert.deepEqual(events, ["changed certificate files can't be used; the old ones stay in force"]);
  assert.match(reasons[0] ?? "", /key=tls-key-file.*not the key of the certificate/);
  copyFileSync(renewed.key, files.key);
  for (let looks = 0; looks < 2; looks++) credentials.look();
  assert.equal(name(), "CN=renewed");
});

for (const [what, spoil] of [
  ["a file that is gone", ({ cert }: CertificateFiles) => rmSync(cert)],
  [
    "a file that is cut short",
    ({ cert }: CertificateFiles) => writeFileSync(cert, certificates.read(renewed.cert).subarray(0, 200)),
  ],
  ["an empty key", ({ key }: CertificateFiles) => writeFileSync(key, "")],
] as const) {
  test(`${what} leaves the old certificate in force, until there is one again`, () => {
    const { files, put, credentials, name, counted } = watched();
    spoil(files);
    for (let looks = 0; looks < 3; looks++) credentials.look();
    assert.equal(name(), "CN=old");
    put(renewed);
    for (let looks = 0; looks < 3; looks++) credentials.look();
    assert.equal(name(), "CN=renewed");
    assert.deepEqual(counted, ["failed", "ok"]);
  });
}

test("a link that leads to another file is followed", () => {
  const { files, credentials, name } = watched();
  for (const kind of ["cert", "key"] as const) {
    symlinkSync(renewed[kind], `${files[kind]}.new`);
    renameSync(`${files[kind]}.new`, files[kind]);
  }
  for (let looks = 0; looks < 2; looks++) credentials.look();
  assert.equal(name(), "CN=renewed");
});

test("a reload that is asked for does not wait", () => {
  const { put, credentials, name } = watched();
  put(renewed);
  credentials.reload();
  assert.equal(name(), "CN=renewed");
});

test("a certificate that expires soon is in force, and reported", () => {
  const { put, credentials, events } = watched();
  put(soon);
  credentials.reload();
  assert.deepEqual(events, ["a new certificate is in force", "a certificate expires within 30 days"]);
});
