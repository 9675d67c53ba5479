import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { TestCertificates } from "../testing/certificates.ts";
import { type CredentialFiles, readCredentials } from "./credentials.ts";

const certificates = new TestCertificates({ after });
const server = certificates.issue({ name: "server" });
const other = certificates.issue({ name: "other" });
const expired = certificates.issue({ name: "expired", days: -1 });
const STRENGTH = { minVersion: "TLSv1.2", ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256" } as const;

function filesOf({ cert = server.cert, key = server.key, ca }: { cert?: string; key?: string; ca?: string }) {
  const files: CredentialFiles = {
    cert: { key: "tls-cert-file", file: cert },
    key: { key: "tls-key-file", file: key },
    ca: ca === undefined ? undefined : { key: "tls-client-ca-file", file: ca },
  };
  return files;
}

function fileOf(name: string, content: string): string {
  const file = join(certificates.folder, name);
  writeFileSync(file, content);
  return file;
}

test("a certificate with its key is read, with its names and the time at which it expires", () => {
  const nowMs = Date.now();
  const { expiresMs, subject, names } = readCredentials(filesOf({ ca: certificates.ca }), STRENGTH, nowMs);
  assert.equal(subject, "CN=server");
  assert.deepEqual(names, ["DNS:localhost", "IP Address:127.0.0.1"]);
  assert.ok(Math.abs(expiresMs - nowMs - 365 * 86_400_000) < 120_000);
});

const CASES: readonly [what: string, files: () => CredentialFiles, expected: RegExp][] = [
  [
    "a file that there is not",
    () => filesOf({ cert: "/nowhere/a.pem" }),
    /key=tls-cert-file, file=\/nowhere\/a\.pem.*ENOENT/,
  ],
  [
    "a key of another certificate",
    () => filesOf({ key: other.key }),
    /key=tls-key-file.*not the key of the certificate in/,
  ],
  ["a key that is none", () => filesOf({ key: fileOf("no.key", "x") }), /key=tls-key-file.*no private key in PEM form/],
  [
    "a certificate that is none",
    () => filesOf({ cert: fileOf("no.pem", "x") }),
    /key=tls-cert-file.*no certificate in PEM form/,
  ],
  [
    "a damaged certificate",
    () => filesOf({ cert: fileOf("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") }),
    /key=tls-cert-file/,
  ],
  ["an expired certificate", () => filesOf(expired), /key=tls-cert-file.*it has expired.*expired=/],
  ["a file of authorities without any", () => filesOf({ ca: server.key }), /key=tls-client-ca-file.*no certificate/],
];

for (const [what, files, expected] of CASES) {
  test(`${what} is refused with its setting and its file`, () => {
    assert.throws(() => readCredentials(files(), STRENGTH, Date.now()), expected);
  });
}

test("ciphers that OpenSSL does not know are refused", () => {
  assert.throws(
    () => readCredentials(filesOf({}), { ...STRENGTH, ciphers: "NONE-SUCH" }, Date.now()),
    /CONFIG_INVALID.*key=tls-ciphers, value=NONE-SUCH/,
  );
});
