// The log output of the process. The log owns standard output, so each test has a process for it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const HOSTILE = 'a\u009b2J\u202eb\u2028\u{e0041}"\n\ud800';

function linesOf(format: "json" | "text"): string[] {
  const program = `
    const { createLog } = await import(${JSON.stringify(new URL("./log.ts", import.meta.url).href)});
    const log = createLog({ level: "info", format: "${format}" });
    log.warn("a connection was closed", { client: ${JSON.stringify(HOSTILE)}, reason: "x".repeat(100_000) });
    log.stop();
  `;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  return out.split("\n").slice(0, -1);
}

for (const format of ["json", "text"] as const) {
  test(`a client's name can't forge a line, move the cursor or turn the text of a ${format} log around`, () => {
    const lines = linesOf(format);
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines[0] ?? "", /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u);
    assert.ok((lines[0] ?? "").length < 5_000);
  });
}

test("a JSON log holds what the client sent, as a value", () => {
  assert.equal(JSON.parse(linesOf("json")[0] ?? "").client, HOSTILE);
});
