// Prometheus itself checks the rules and reads the metrics of a running registry. Needs the commands
// promtool and prometheus (Debian's package prometheus).

import assert from "node:assert/strict";
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startProcess } from "../../src/cli/testing/serverProcess.ts";
import { eventually } from "../../src/server/testing/eventually.ts";
import { alertRules, dashboardQueries, RULES_FILE, RULES_TEST_FILE, SCRAPE_FILE } from "./deployed.ts";

const START_MS_MAX = 60_000;
// The names that Roster gives to SOFARegistry's figures break Prometheus's conventions.
const OWN_NAMES = { "sofa-metric-names": "false" };

function promtool(parameters: readonly string[], options: Partial<ExecFileSyncOptionsWithStringEncoding> = {}): string {
  return execFileSync("promtool", parameters, { encoding: "utf8", stdio: "pipe", ...options });
}

test("promtool finds nothing wrong with the rules and the scrape configuration", () => {
  promtool(["check", "rules", RULES_FILE]);
  promtool(["check", "config", SCRAPE_FILE]);
});

test("each alert fires where it should, and not where it should not", () => {
  assert.match(promtool(["test", "rules", RULES_TEST_FILE]), /SUCCESS/);
});

test("promtool finds nothing wrong with the metrics page of a registry", async (t) => {
  const server = startProcess(t, { flags: OWN_NAMES });
  const { http } = await server.line("roster is ready");
  const input = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  assert.equal(promtool(["check", "metrics"], { input }), "");
});

test("Prometheus reads OpenMetrics from a registry, and every query of the dashboard and the alerts", async (t) => {
  const server = startProcess(t);
  const { http, metaHttp } = await server.line("roster is ready");
  const url = await startPrometheus(t, [`127.0.0.1:${http}`, `127.0.0.1:${metaHttp}`]);
  await eventually(() => targetsOf(url), areRead, START_MS_MAX);
  // Prometheus itself asks for OpenMetrics; if that were wrong, the targets would be down.
  const accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
  const page = await fetch(`http://127.0.0.1:${http}/metrics`, { headers: { accept } });
  assert.match(page.headers.get("content-type") ?? "", /^application\/openmetrics-text; version=1\.0\.0/);
  assert.ok((await page.text()).endsWith("\n# EOF\n"));
  const alerts = alertRules().map(({ name, query }) => ({ title: name, query }));
  for (const { title, query } of [...dashboardQueries(), ...alerts]) {
    const answer = await ask(url, "query", { query });
    assert.deepEqual([answer.status, answer.error, answer.warnings], ["success", undefined, undefined], title);
  }
  const metadata = await ask(url, "targets/metadata", { metric: "roster_push_hop_seconds" });
  const [{ type, unit }] = metadata.data as [{ type: string; unit: string }];
  assert.deepEqual([type, unit], ["histogram", "seconds"]);
  const rules = await ask(url, "rules", {});
  const { groups } = rules.data as { groups: readonly { rules: readonly { health: string }[] }[] };
  assert.equal(groups[0]?.rules.length, alerts.length);
});

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly data: unknown;
}

async function ask(url: string, path: string, parameters: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  return (await response.json()) as Answer;
}

interface Target {
  readonly health: string;
  readonly lastError: string;
}

async function targetsOf(url: string): Promise<readonly Target[]> {
  try {
    const { data } = await ask(url, "targets", {});
    return (data as { activeTargets: readonly Target[] }).activeTargets;
  } catch {
    return [];
  }
}

function areRead(targets: readonly Target[]): boolean {
  return targets.length === 2 && targets.every(({ health, lastError }) => health === "up" && lastError === "");
}

/** Starts Prometheus with the alert rules; it ends with the test. Returns its URL. */
async function startPrometheus(t: TestContext, targets: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "roster-prometheus-"));
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [RULES_FILE],
    scrape_configs: [{ job_name: "roster", static_configs: [{ targets }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      "--log.level=error",
    ],
    { stdio: "inherit" },
  );
  t.after(async () => {
    const exited = once(child, "exit");
    if (child.kill("SIGKILL")) await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return `http://${address}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
