// Making of Hessian contents by hand or by our writers, for tests.

import assert from "node:assert/strict";
import { RegistryError } from "../../src/base/errors.ts";
import { DraftWriter } from "../../src/encoding/hessian/draftWriter.ts";
import { FinalWriter } from "../../src/encoding/hessian/finalWriter.ts";
import type { HessianDialect } from "../../src/encoding/hessian/tokenReader.ts";
import type { HessianWriter } from "../../src/encoding/hessian/writer.ts";

/** Both. */
export const DIALECTS: readonly HessianDialect[] = ["draft", "final"];

function writerOf(dialect: HessianDialect): HessianWriter {
  return dialect === "draft" ? new DraftWriter() : new FinalWriter();
}

/** The output of the dialect's writer. */
export function written(dialect: HessianDialect, write: (writer: HessianWriter) => void): Uint8Array {
  const writer = writerOf(dialect);
  write(writer);
  return writer.out.done();
}

/** Bytes out of numbers and ASCII. */
export function bytesOf(...parts: readonly (number | string | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part)] : part)));
}

/** The code of the RegistryError that is thrown, if any; anything else thrown fails the test. */
export function codeOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error.code;
  }
}

