// Golden vectors and their meaning in a form in which decoded messages can be compared with them.

import { readdirSync, readFileSync } from "node:fs";
import { stringOf, type WireText } from "../../../base/text.ts";
import type { HessianNode, HessianTree } from "../../hessian/tree.ts";

const DIRECTORY = new URL("../../../../test/vectors/sofa/", import.meta.url);

export interface Vector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly meaning: unknown;
}

/** All vectors, by name. */
export function readVectors(): Vector[] {
  const names = readdirSync(DIRECTORY).filter((file) => file.endsWith(".hex"));
  return names.map((file) => readVector(file.slice(0, -".hex".length)));
}

export function readVector(name: string): Vector {
  const bytes = Uint8Array.fromHex(readFileSync(new URL(`${name}.hex`, DIRECTORY), "utf8").trim());
  return { name, bytes, meaning: JSON.parse(readFileSync(new URL(`${name}.json`, DIRECTORY), "utf8")) };
}

/** The JSON that a vector's file would hold for this tree. */
export function jsonOf(tree: HessianTree): unknown {
  const nodes: HessianNode[] = [];
  return jsonOfNode(tree, nodes);
}

function jsonOfNode(tree: HessianTree, nodes: HessianNode[]): unknown {
  if (typeof tree === "bigint") return { $long: String(tree) };
  if (tree instanceof Uint8Array) return { $bytes: tree.toHex() };
  if (tree === null || typeof tree !== "object") return tree;
  return tree;
}
