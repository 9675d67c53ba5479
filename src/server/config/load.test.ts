import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { type ConfigSources, configWith, loadConfig } from "./load.ts";

const folder = mkdtempSync(join(tmpdir(), "roster-config-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a flag beats the environment, that beats the file, that beats the default", () => {
  const file = configFile({ "bolt-port": 3, "http-port": 3_000, "push-retries-max": 7 });
  const loaded = load({ "bolt-port": "1", config: file }, { ROSTER_BOLT_PORT: "2", ROSTER_HTTP_PORT: "2000" });
  assert.equal(loaded.config.boltPort, 1);
  assert.equal(loaded.config.httpPort, 2_000);
  assert.equal(loaded.config.pushRetriesMax, 7);
  assert.equal(loaded.config.metaHttpPort, 9_615);
});

test("each value tells where it came from", () => {
  const file = configFile({ zone: "z3" });
  const { origins } = load({ "bolt-port": "1" }, { ROSTER_HTTP_PORT: "2", ROSTER_CONFIG: file });
  assert.equal(origins.get("bolt-port"), "flag --bolt-port");
  assert.equal(origins.get("http-port"), "environment ROSTER_HTTP_PORT");
  assert.equal(origins.get("zone"), `file ${file}`);
  assert.equal(origins.get("bind"), "default");
});

test("the file may be named by the environment, and a flag names another one", () => {
  const [first, second] = [configFile({ zone: "first" }), configFile({ zone: "second" })];
  assert.equal(load({}, { ROSTER_CONFIG: first }).config.zone, "first");
  assert.equal(load({ config: second }, { ROSTER_CONFIG: first }).config.zone, "second");
});

test("each type is read from text and from JSON", () => {
  const text = load({ insecure: true, "push-compress": "false", "client-idle-ms": "5000", "log-level": "warn" }).config;
  const json = load({ config: configFile({ insecure: true, "client-idle-ms": 5_000, "log-level": "warn" }) }).config;
  assert.deepEqual([text.insecure, text.pushCompress, text.clientIdleMs, text.logLevel], [true, false, 5_000, "warn"]);
  assert.deepEqual([json.insecure, json.clientIdleMs, json.logLevel], [true, 5_000, "warn"]);
});

test("paths become absolute", () => {
  assert.equal(load({ "data-dir": "some/where" }).config.dataDir, resolve("some/where"));
});

test("an empty variable counts as none", () => {
  assert.equal(load({}, { ROSTER_ZONE: "" }).config.zone, "DEFAULT_ZONE");
});

test("a shell that names a cluster for the commands may start a server", () => {
  const named = load({}, { ROSTER_URL: "10.0.0.1:9604", ROSTER_CONTEXT: "prod" });
  assert.deepEqual(named.config, load({}, {}).config);
});

test("what Kubernetes injects for a service named roster-bolt or roster is not taken for ours", () => {
  const { config } = load(
    {},
    {
      ROSTER_PORT: "tcp://10.0.0.1:9600",
      ROSTER_BOLT_PORT: "tcp://10.0.0.1:9600",
      ROSTER_BOLT_PORT_9600_TCP_ADDR: "10.0.0.1",
      ROSTER_BOLT_SERVICE_HOST: "10.0.0.1",
      ROSTER_SERVICE_PORT_HTTP: "9603",
    },
  );
  assert.equal(config.boltPort, 9_600);
});

// An unknown setting stops the start, and the message names the key, the value, its origin and the allowed values.
const REFUSALS: readonly [behaviour: string, sources: () => Partial<ConfigSources>, parts: readonly string[]][] = [
  ["an unknown flag", () => ({ flags: { colour: "red" } }), ["key=colour", "flag --colour"]],
  [
    "a typo, with the key it meant",
    () => ({ environment: { ROSTER_BOLT_PROT: "1" } }),
    ["key=bolt-prot", "ROSTER_BOLT_PROT", "nearest=bolt-port"],
  ],
  ["an unknown key of the file", () => fileFlag({ "http-prot": 1 }), ["key=http-prot", "nearest=http-port", ".json"]],
  ["a key that every object has", () => fileFlag({ constructor: 1 }), ["key=constructor"]],
  [
    "text for a number",
    () => ({ flags: { "bolt-port": "many" } }),
    ["bolt-port", "value=many", "a whole number, 0 to 65535"],
  ],
  ["a number as JSON text with decimals", () => ({ flags: { "bolt-port": "1.5" } }), ["value=1.5"]],
  [
    "a number below its range",
    () => ({ environment: { ROSTER_CLIENT_IDLE_MS: "999" } }),
    ["value=999", "milliseconds, 1000 to 3600000"],
  ],
  ["a number above its range", () => fileFlag({ "http-port": 65_536 }), ["value=65536"]],
  ["a word for yes", () => ({ flags: { insecure: "yes" } }), ["value=yes", "true or false"]],
  [
    "a word that is not among the choices",
    () => ({ flags: { "log-level": "loud" } }),
    ["value=loud", "debug, info, warn"],
  ],
  ["a flag without its value", () => ({ flags: { "bolt-port": true } }), ["value=true"]],
  ["text that its pattern refuses", () => ({ flags: { zone: "a b" } }), ["1 to 128 letters"]],
  ["an empty bind, which would be every interface", () => ({ flags: { bind: "" } }), ["key=bind"]],
  ["null", () => fileFlag({ zone: null }), ["key=zone", "value=null"]],
  ["a file that is not there", () => ({ flags: { config: join(folder, "none.json") } }), ["none.json", "ENOENT"]],
  ["a file that is no object", () => fileFlag([1]), ["a JSON object"]],
  [
    "two listeners on one port",
    () => ({ flags: { "bolt-port": "9603" } }),
    ["key=http-port", "value=9603", "bolt-port"],
  ],
];

for (const [behaviour, sources, parts] of REFUSALS) {
  test(`refuses ${behaviour}`, () => {
    const { flags = {}, environment = {} } = sources();
    assert.throws(
      () => load(flags, environment),
      (error) => {
        assert.ok(error instanceof RegistryError && error.code === "CONFIG_INVALID", String(error));
        for (const part of parts) assert.ok(error.message.includes(part), `${error.message} names ${part}`);
        return true;
      },
    );
  });
}

test("any free port may be asked for at every port", () => {
  const { config } = load({ "bolt-port": "0", "http-port": "0", "meta-http-port": "0" });
  assert.deepEqual([config.boltPort, config.httpPort, config.metaHttpPort], [0, 0, 0]);
});

test("a program that embeds the server changes single defaults", () => {
  const config = configWith({ boltPort: 0 });
  assert.deepEqual([config.boltPort, config.httpPort], [0, 9_603]);
});

function load(flags: ConfigSources["flags"], environment: ConfigSources["environment"] = {}) {
  return loadConfig({ flags, environment });
}

let files = 0;

function configFile(content: unknown): string {
  files += 1;
  const path = join(folder, `${files}.json`);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

function fileFlag(content: unknown): Partial<ConfigSources> {
  return { flags: { config: configFile(content) } };
}
