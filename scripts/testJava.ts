// Runs SOFARegistry's own Java client against this server: builds test/clients/java with Maven and starts its suite,
// which starts the servers it needs itself. `node scripts/testJava.ts [--cluster] [filter]` runs the cases whose name
// contains the filter, or one of several with commas between them, with --cluster against clusters of five processes
// instead of single servers, with --tls through TLS: Bolt has it as system properties. Without Java or Maven nothing
// can be run: that is a failure in CI and a loud note elsewhere.

import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { TestCertificates } from "../src/transport/testing/certificates.ts";
import { missingJavaTools, runInRoot } from "./javaTools.ts";

const SUITE = join("test", "clients", "java");
const CODEC_TEST = join("test", "conformance", "javaCodec.test.ts");

// The suite itself takes two to three minutes on two cores; the first build also fetches what it depends on.
const LIMIT_MS = 8 * 60_000;

const SERVER = [process.execPath, join("src", "cli", "main.ts"), "server"];
const CLUSTER = [process.execPath, join("test", "clients", "clusterServer.ts")];

const FLAGS = ["--cluster", "--tls"];
const isCluster = process.argv.includes("--cluster");
const isTls = process.argv.includes("--tls");
process.exitCode = await main(process.argv.slice(2).find((argument) => !FLAGS.includes(argument)) ?? "");

async function main(filter: string): Promise<number> {
  const missing = missingJavaTools();
  if (missing.length > 0) return reportMissing(missing);
  const endMs = Date.now() + LIMIT_MS;
  const built = await runInRoot("mvn", ["-q", "-B", "-f", SUITE, "package"], endMs);
  if (built !== 0) return built;
  // First whether its codec reads what we write: if not, every case would fail in its own way.
  const read = await runInRoot(process.execPath, ["--test", "--test-timeout=300000", CODEC_TEST], endMs);
  return read === 0 ? await runInRoot("java", suiteArguments(filter), endMs) : read;
}

function reportMissing(needed: readonly string[]): number {
  const failed = process.env["CI"] === "true";
  console.error(`${failed ? "FAILED" : "NOT RUN"}: the acceptance tests with the real Java client (${SUITE}),`);
  console.error("which are the only proof that SOFARegistry's own client is served.");
  console.error(`Missing on this machine: ${needed.join(", ")}.`);
  return failed ? 1 : 0;
}

function suiteArguments(filter: string): string[] {
  const target = join(SUITE, "target");
  const classPath = [join(target, "acceptance.jar"), join(target, "lib", "*")].join(delimiter);
  const tls = isTls ? tlsFlags() : { client: [], server: [] };
  const options = [`@${join(SUITE, "jvm.options")}`, ...tls.client, "-cp", classPath, "roster.acceptance.Main"];
  return [...options, ...(filter === "" ? [] : [filter]), "--", ...(isCluster ? CLUSTER : SERVER), ...tls.server];
}

/**
 * An authority of our own, for both sides. The suite's own sockets and its calls by HTTP have no TLS, which is told
 * apart by the first byte.
 */
function tlsFlags() {
  const certificates = new TestCertificates({ after: (remove) => process.once("exit", remove) });
  const { cert, key } = certificates.issue({ name: "server" });
  const store = join(certificates.folder, "trust.p12");
  const form = ["-keystore", store, "-storepass", "secret", "-storetype", "PKCS12"];
  execFileSync("keytool", ["-importcert", "-noprompt", "-alias", "ca", "-file", certificates.ca, ...form]);
  const properties = { enable: "true", keystore: store, "keystore.password": "secret", "keystore.type": "PKCS12" };
  const all = Object.entries({ ...properties, "tmf.algorithm": "PKIX" });
  return {
    client: all.map(([name, value]) => `-Dbolt.client.ssl.${name}=${value}`),
    server: ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-plain-ports", "clients,http"],
  };
}
