// Commands to a node that asks for certificates.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { listNodes } from "../admin/operations/nodes.ts";
import { RegistryError } from "../base/errors.ts";
import type { RunningServer } from "../server/start.ts";
import { TestNodes } from "../server/testing/testNodes.ts";
import { TestCertificates } from "../transport/testing/certificates.ts";
import { login } from "./login.ts";
import { NodeClient } from "./nodeClient.ts";
import { readTlsFiles, type TlsFiles } from "./send.ts";

const nodes = new TestNodes();
const certificates = new TestCertificates({ after });
after(() => nodes.close());

const { ca } = certificates;
const SERVER = certificates.issue({ name: "server" });
const OWN = certificates.issue({ name: "ann" });
const ADMIN_TOKEN = join(certificates.folder, "admin-token");

let server: RunningServer;
before(async () => {
  writeFileSync(ADMIN_TOKEN, "t".repeat(64));
  server = await nodes.start(["meta", "data", "session"], {
    ...{ tlsCertFile: SERVER.cert, tlsKeyFile: SERVER.key, tlsClientCaFile: ca, tlsClientAuth: "require" },
    ...{ tlsPorts: ["admin"], adminTokenFile: ADMIN_TOKEN },
  });
});

/** The answer to a question, or the code and the reason of its failure. */
async function asked(files: TlsFiles): Promise<string> {
  const client = new NodeClient([`https://localhost:${server.ports.admin}`], { tls: readTlsFiles(files) });
  try {
    return Array.isArray((await client.ask(listNodes))["items"]) ? "answered" : "else";
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error.message;
  }
}

test("a node that asks for certificates answers a command that shows one of its authority", async () => {
  assert.equal(await asked({ cacert: ca, ...OWN }), "answered");
});

test("a node of an unknown authority is not asked, and one refuses a command without a certificate", async () => {
  assert.match(await asked(OWN), /^NODE_UNREACHABLE.*(self-signed|unable to verify|issuer)/);
  assert.match(await asked({ cacert: ca }), /^NODE_UNREACHABLE/);
  const stranger = new TestCertificates({ after });
  assert.match(await asked({ cacert: ca, ...stranger.issue({ name: "eve" }) }), /^NODE_UNREACHABLE/);
});

test("files that can't be read, hold no PEM, or lack the other one are refused by their names", () => {
  assert.throws(() => readTlsFiles({ cacert: "/no/such/file" }), /FILE_UNUSABLE.*no\/such\/file/);
  assert.throws(() => readTlsFiles({ cacert: ADMIN_TOKEN }), /FILE_UNUSABLE.*PEM/);
  assert.throws(() => readTlsFiles({ cert: OWN.cert }), /FIELD_INVALID.*--cert/);
  assert.throws(() => readTlsFiles({ key: OWN.key }), /FIELD_INVALID.*--key/);
});

test("a login reaches such a node with the files of its flags, or of variables", async () => {
  const code = "claim_x";
  const home = certificates.folder;
  const url = `https://localhost:${server.ports.admin}`;
  const wanted = { url, cacert: ca, ...OWN, claim: code };
  const environment = { HOME: home, XDG_CONFIG_HOME: join(home, "config") };
  await assert.rejects(login(wanted, environment), /CLAIM_REFUSED/);
  const variables = { ...environment, ROSTER_CACERT: ca, ROSTER_CERT: OWN.cert, ROSTER_KEY: OWN.key };
  await assert.rejects(login({ url, claim: code }, variables), /CLAIM_REFUSED/);
});
