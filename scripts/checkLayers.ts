// Imports go down. layers.json says which folder under src/ may import which; this script holds every import to it,
// finds cycles of files and of folders, and refuses barrels. A fault says the file and what to do about it.

import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { readSources, type SourceFile, withoutComments } from "./sourceText.ts";

/** The contents of layers.json. */
export interface LayerTable {
  /**
   * For each layer, which is a folder with what is in it except for layers inside of it, the layers that it may import.
   */
  readonly allow: Readonly<Record<string, readonly string[]>>;
  /**
   * For a layer and one that it may import, the only files that do: `{ "server": { "protocols": ["server/gateways.ts"]
   * } }`.
   */
  readonly onlyIn: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Layers that import neither Node's modules nor packages. */
  readonly pure: readonly string[];
  /** Files in pure layers that run them on a real host, and so may import Node's modules. */
  readonly hostEntries: readonly string[];
  /** Folders whose subfolders do not import each other. */
  readonly siblingsForbidden: readonly string[];
  /** For each layer the packages that it may import. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
}

interface Import {
  readonly from: string;
  /** As written: `../base/errors.ts`, `node:fs`, `pino`. */
  readonly specifier: string;
  /** The imported file of ours, relative to src; nothing for a package. */
  readonly target: string | undefined;
}

/**
 * All faults of the tree `root`/src against the table, one line each. Tests, and their helpers in folders named
 * `testing`, may import anything; no other code may import those helpers.
 */
export function checkLayers(root: string, table: LayerTable): string[] {
  const files = readSources(root, "src", [".ts"])
    .filter(({ path }) => !/\.(test|d)\.ts$|\/testing\//.test(path))
    .map(({ path, text }) => ({ path: path.slice("src/".length), text: withoutComments(text) }));
  const imports = files.flatMap(importsOf);
  return [
    ...unknownFolders(files, table),
    ...imports.flatMap((each) => importFaults(each, table)),
    ...files.filter(isBarrel).map(({ path }) => `${path}: barrel: it only re-exports; import from where things are`),
    ...cycles(imports, (path) => path).map((cycle) => `${cycle[0]}: cycle of files: ${cycle.join(" -> ")}`),
    ...folderCycles(imports, table),
  ];
}

// `import ... from "x"`, `import "x"`, `export ... from "x"`, `import("x")`, and `import("x")` in a type.
const STATIC = /(?:^|[;}\n])\s*(?:import|export)\b(?:[^'"();=]*?\bfrom)?\s*["']([^"']+)["']/g;
const DYNAMIC = /\b(?:import|require)\(\s*["'`]([^"'`]+)["'`]/g;

function importsOf(file: SourceFile): Import[] {
  const found = [...file.text.matchAll(STATIC), ...file.text.matchAll(DYNAMIC)];
  return found.map(([, specifier = ""]) => {
    const isOurs = specifier.startsWith(".");
    const target = isOurs ? posix.join(posix.dirname(file.path), specifier).replace(/\.js$/, ".ts") : undefined;
    return { from: file.path, specifier, target };
  });
}

function unknownFolders(files: readonly SourceFile[], table: LayerTable): string[] {
  const unknown = files.filter(({ path }) => !Object.hasOwn(table.allow, layerOf(path, table)));
  return unknown.map(
    ({ path }) => `${path}: unknown folder: name src/${layerOf(path, table)} in layers.json, or move the file`,
  );
}

function importFaults({ from, specifier, target }: Import, table: LayerTable): string[] {
  const fault = target === undefined ? packageFault(from, specifier, table) : layerFault(from, target, table);
  return fault === undefined ? [] : [`${from}: ${fault} ("${specifier}")`];
}

function packageFault(from: string, specifier: string, table: LayerTable): string | undefined {
  const layer = layerOf(from, table);
  const isHost = !table.pure.includes(layer) || table.hostEntries.includes(from);
  if (specifier.startsWith("node:")) {
    return isHost ? undefined : `host module: src/${layer} is pure; take a port of base/ports.ts instead`;
  }
  if (table.packages[layer]?.some((name) => specifier === name || specifier.startsWith(`${name}/`))) return undefined;
  return `package: layers.json does not list it for src/${layer}`;
}

function layerFault(from: string, target: string, table: LayerTable): string | undefined {
  const [layer, targetLayer] = [layerOf(from, table), layerOf(target, table)];
  if (targetLayer !== layer && !table.allow[layer]?.includes(targetLayer)) {
    return `layer: src/${layer} may not import src/${targetLayer}`;
  }
  const only = table.onlyIn[layer]?.[targetLayer];
  if (only !== undefined && !only.includes(from)) {
    return `layer: in src/${layer} only ${only.join(", ")} may import src/${targetLayer}`;
  }
  if (target.includes("/testing/")) return "testing: only tests may import a test's helper";
  const owner = target.includes("/internal/") ? target.slice(0, target.indexOf("/internal/") + 1) : "";
  if (!from.startsWith(owner)) return `internal: only ${owner} itself may import it`;
  if (layer === targetLayer && table.siblingsForbidden.includes(layer) && areSiblings(from, target)) {
    return `siblings: the folders of src/${layer} do not import each other; share through src/${layer} itself`;
  }
  return undefined;
}

function areSiblings(from: string, target: string): boolean {
  const [, child, ...rest] = from.split("/");
  const [, targetChild, ...targetRest] = target.split("/");
  return rest.length > 0 && targetRest.length > 0 && child !== targetChild;
}

/** Whether a file does nothing but pass on what others export. */
function isBarrel({ text }: SourceFile): boolean {
  const statements = text.split(";").map((statement) => statement.trim());
  const reExport = /^export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})\s+from\s+["'][^"']+["']$/;
  const told = statements.filter((statement) => statement !== "");
  return told.length > 0 && told.every((statement) => reExport.test(statement));
}

/** The layer of a path under src: the innermost folder in the table, or else the first; `(src)` for a file in src. */
function layerOf(path: string, { allow }: LayerTable): string {
  let folder = posix.dirname(path);
  while (folder.includes("/") && !Object.hasOwn(allow, folder)) folder = posix.dirname(folder);
  return folder === "." ? "(src)" : folder;
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function graphOf(imports: readonly Import[], nodeOf: (path: string) => string): Graph {
  const graph = new Map<string, Set<string>>();
  for (const { from, target } of imports) {
    const edge = target === undefined ? undefined : ([nodeOf(from), nodeOf(target)] as const);
    if (edge === undefined || isInside(edge[0], edge[1]) || isInside(edge[1], edge[0])) continue;
    graph.set(edge[0], (graph.get(edge[0]) ?? new Set()).add(edge[1]));
  }
  return graph;
}

/** A folder and those inside it are one neighbourhood: between them only files can form a cycle. */
function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

/** Cycles of the layers, and of all folders. */
function folderCycles(imports: readonly Import[], table: LayerTable): string[] {
  const found = [...cycles(imports, (path) => layerOf(path, table)), ...cycles(imports, posix.dirname)];
  return [...new Set(found.map((cycle) => `${cycle[0]}: cycle of folders: ${cycle.join(" -> ")}`))];
}

/** One way round for each edge that closes a circle in a depth-first walk; none exactly if there is no cycle. */
function cycles(imports: readonly Import[], nodeOf: (path: string) => string): string[][] {
  const graph = graphOf(imports, nodeOf);
  const found: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): void => {
    const at = trail.indexOf(node);
    if (at >= 0) found.push([...trail.slice(at), node]);
    if (at >= 0 || done.has(node)) return;
    trail.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    trail.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return found;
}

if (import.meta.main) {
  const root = new URL("..", import.meta.url).pathname;
  const faults = checkLayers(root, JSON.parse(readFileSync(`${root}/layers.json`, "utf8")));
  for (const fault of faults) console.error(`src/${fault}`);
  console.log(`layers: ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
