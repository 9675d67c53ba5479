// `npm run sbom`: what a release brings along, as a CycloneDX document made from the lock file, checked before it is
// written: each package has one version, a digest and a licence, and none runs a script when it is installed.
//
//   --out FILE      where to write it; dist/sbom.cdx.json if nothing is said
//   --signatures    checks the registry's signatures of all packages, too (`npm audit signatures`). A registry that has
//                   none, or can't be reached, is noted; a signature that is wrong fails.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

const ROOT = join(import.meta.dirname, "..");
const SBOM = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev", "--workspaces=false"];
const SIGNATURES_MS = 60_000;

interface Component {
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly { readonly alg: string }[];
  readonly licenses?: readonly unknown[];
}

interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: object };
  readonly components: readonly Component[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean; readonly dev?: boolean }>>;
}

const { values: flags } = parseArgs({
  options: { out: { type: "string", default: join("dist", "sbom.cdx.json") }, signatures: { type: "boolean" } },
});

process.exitCode = main();

function main(): number {
  const faults = [...installScripts(), ...writeSbom(join(ROOT, flags.out))];
  if (flags.signatures === true) faults.push(...wrongSignatures());
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

/** Packages that would run a program of their author's on the machine of whoever installs. */
function installScripts(): string[] {
  const { packages } = readJson<Lock>("package-lock.json");
  const found = Object.entries(packages).filter(([path, { hasInstallScript }]) => path !== "" && hasInstallScript);
  return found.map(([path]) => `${path} has an install script`);
}

function writeSbom(file: string): string[] {
  const made = spawnSync("npm", SBOM, { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (made.status !== 0) return [`npm sbom: ${made.stderr}`];
  const sbom = JSON.parse(made.stdout) as Sbom;
  // npm names it after the folder.
  const { name } = readJson<{ readonly name: string }>("package.json");
  const whole = { ...sbom, metadata: { ...sbom.metadata, component: { ...sbom.metadata.component, name } } };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(whole, undefined, 2)}\n`);
  console.log(`${sbom.components.length} packages, in ${sbom.bomFormat}: ${flags.out}`);
  return sbom.components.flatMap(faultsOf);
}

function faultsOf({ name, version, hashes = [], licenses = [] }: Component): string[] {
  const what = `${name}@${version}`;
  return [
    ...(hashes.some(({ alg }) => alg === "SHA-512") ? [] : [`${what} has no digest in the lock file`]),
    ...(licenses.length > 0 ? [] : [`${what} has no licence`]),
  ];
}

function wrongSignatures(): string[] {
  const options = { cwd: ROOT, encoding: "utf8", timeout: SIGNATURES_MS } as const;
  const { status, stdout, stderr } = spawnSync("npm", ["audit", "signatures"], options);
  const said = `${stdout}${stderr}`.trim();
  if (status === 0) console.log(said);
  else if (/invalid (registry )?signature|missing registry signature|attestation.*(invalid|failed)/i.test(said))
    return [said];
  else console.log(`NOT RUN: npm audit signatures: ${said.split("\n")[0] || "no answer of the registry"}`);
  return [];
}

function readJson<Value>(file: string): Value {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Value;
}
