// Which places of which files a run of a test has come to, as V8 counts it when NODE_V8_COVERAGE names a folder. A test
// that never comes to the place of a fault can't find the fault.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** V8 names the whole function first and then the blocks in it that were run more or less often. */
interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

export class Reach {
  /** By path; several of a file that several processes have loaded. */
  readonly #scripts = new Map<string, Range[][]>();

  /** Reads what the processes of a run have left in `folder` about the files below `root`. */
  constructor(folder: string, root: string) {
    const base = `${pathToFileURL(root)}/`;
    for (const file of readdirSync(folder)) {
      const { result } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { result: readonly Script[] };
      for (const { url, functions } of result) {
        if (!url.startsWith(base)) continue;
        const path = url.slice(base.length);
        const scripts = this.#scripts.get(path) ?? [];
        this.#scripts.set(path, scripts);
        scripts.push(functions.flatMap(({ ranges }) => ranges));
      }
    }
  }

  /**
   * Whether the run may have come to the code that begins at `start` in the file's text. The preceding code counts too:
   * to V8 the right side of an `&&` begins with the operator, but the code decided by the operator does not.
   */
  comesTo(path: string, text: string, start: number): boolean {
    const before = text.slice(0, start).trimEnd().length - 1;
    const scripts = this.#scripts.get(path) ?? [];
    return scripts.some((ranges) => isRun(ranges, start) || isRun(ranges, before));
  }
}

/** The smallest range around a place says how often it was run. */
function isRun(ranges: readonly Range[], at: number): boolean {
  let smallest: Range | undefined;
  for (const range of ranges) {
    if (at < range.startOffset || at >= range.endOffset) continue;
    if (smallest === undefined || lengthOf(range) <= lengthOf(smallest)) smallest = range;
  }
  return (smallest?.count ?? 0) > 0;
}

function lengthOf({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset;
}
