// The schemas of the document of operations, by a validator that is not ours.

import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { OPERATIONS } from "../../admin/operations.ts";
import { REFUSAL } from "../../admin/refusal.ts";

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, formats: { "date-time": isTime } });
const answers = new Map(OPERATIONS.map(({ name, answer }) => [name, ajv.compile(answer)]));
const refusal = ajv.compile(REFUSAL);

/** Fails if an answer of an operation, or a refusal, has a field too many or too few, or one of another type. */
export function assertInForm(
  name: string,
  { status, body }: { readonly status: number; readonly body: unknown },
): void {
  const isForm: ValidateFunction | undefined = status < 400 ? answers.get(name) : refusal;
  assert.ok(isForm?.(body) === true, `${name} ${status}: ${ajv.errorsText(isForm?.errors)}: ${JSON.stringify(body)}`);
}

function isTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text)) && text.endsWith("Z");
}
