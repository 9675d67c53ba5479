// Builds examples/java-auth with Maven, and runs it against a server where clients need a proof: with the right secret,
// with a wrong one, and for a service that no policy allows. Without Java or Maven nothing can be run: that is a
// failure in CI and a loud note elsewhere.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import { operate, TestNodes } from "../src/server/testing/testNodes.ts";
import { missingJavaTools, runInRoot } from "./javaTools.ts";

const EXAMPLE = join("examples", "java-auth");
const CLASS_PATH = [join(EXAMPLE, "target", "java-auth.jar"), join(EXAMPLE, "target", "lib", "*")].join(delimiter);
const BUILD_MS = 5 * 60_000;
const RUN_MS = 60_000;
const JAVA = ["--add-opens=java.base/java.lang=ALL-UNNAMED", "-Dsofa.middleware.log.disable=true", "-cp", CLASS_PATH];

process.exitCode = await main();

async function main(): Promise<number> {
  const missing = missingJavaTools();
  if (missing.length > 0) {
    const failed = process.env["CI"] === "true";
    console.error(`${failed ? "FAILED" : "NOT RUN"}: ${EXAMPLE} needs ${missing.join(", ")}.`);
    return failed ? 1 : 0;
  }
  const built = await runInRoot("mvn", ["-q", "-B", "-f", EXAMPLE, "package"], Date.now() + BUILD_MS);
  if (built !== 0) return built;
  const nodes = new TestNodes();
  try {
    return await runAll(nodes);
  } finally {
    await nodes.close();
  }
}

async function runAll(nodes: TestNodes): Promise<number> {
  const server = await nodes.start(["meta", "data", "session"]);
  const { body } = await operate(server, "POST", "/keys", { name: "shop" });
  const { secret } = body as unknown as { readonly secret: string };
  const conditions = { names: ["shop"], actions: ["publish", "subscribe"], namePrefixes: ["com.example.shop."] };
  await operate(server, "PUT", "/policy", { name: "shop", effect: "allow", ...conditions });
  await operate(server, "DELETE", "/policy?name=anonymous-clients");
  let failures = 0;
  for (const [what, service, given, isSeen] of [
    ["a registration signed with the key", "com.example.shop.Orders", secret, true],
    ["one signed with another secret", "com.example.shop.Other", "x".repeat(43), false],
    ["one for a service that no policy allows the key", "com.example.pay.Orders", secret, false],
  ] as const) {
    const env = { ...process.env, ROSTER_ACCESS_KEY: "shop", ROSTER_SECRET: given };
    const args = [...JAVA, "example.Main", "127.0.0.1", String(server.ports.http), service];
    const outcome = await run(args, env);
    const isRight = outcome === (isSeen ? 0 : 1);
    if (!isRight) failures++;
    console.log(`${isRight ? "ok" : "FAILED"}: ${what} is ${isSeen ? "" : "not "}seen (exit code ${outcome})`);
  }
  return failures === 0 ? 0 : 1;
}

/** The exit code. The server is in this process, so that is not stopped meanwhile. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  const child = spawn("java", args, { env, stdio: "inherit", timeout: RUN_MS, cwd: join(import.meta.dirname, "..") });
  const [code] = await once(child, "exit");
  return code;
}
