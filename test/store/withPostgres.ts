// For test files that need PostgreSQL: with it they get a server, without it they say that they were left out. On CI
// nothing is left out.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, RegistryError } from "../../src/base/errors.ts";
import { missingPostgres, type PostgresServer, startPostgres } from "./postgres.ts";

/** Registers `tests` with a server of their own, which ends with the file. */
export async function withPostgres(name: string, tests: (server: PostgresServer) => void): Promise<void> {
  const missing = missingPostgres();
  if (missing === undefined) {
    const server = await startPostgres();
    after(() => server.stop());
    tests(server);
  } else if (process.env["CI"] === "true") {
    test(name, () => assert.fail(missing));
  } else {
    test(name, { skip: `left out: ${missing}` }, () => undefined);
  }
}

/** Checks an error's code, and that its message holds all of these parts. */
export function refusedAs(code: ErrorCode, ...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} names ${part}`);
    return true;
  };
}

/** Resolves when it is so; asks again and again, for a few seconds. */
export async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + 5_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < untilMs, "it became so within five seconds");
    await sleep(10);
  }
}
