// The answer of another server of Eureka to a batch: for each word a status, and its own state where that is newer.

import { RegistryError } from "../../../base/errors.ts";
import type { FieldValue } from "../codec/fields.ts";
import { fieldsOf, wholeField } from "../codec/fields.ts";
import type { EurekaInstance } from "../codec/instance.ts";
import { readInstance } from "../codec/readInstance.ts";
import { decodeJsonBody } from "../decode.ts";

/** The answer to one word. */
export interface PeerAnswer {
  readonly status: number;
  readonly instance: EurekaInstance | undefined;
}

/** The answers to a batch of `length` words, in their order, or the reason why these are none. */
export function answersIn(
  { status, body }: { readonly status: number; readonly body: Uint8Array },
  length: number,
  nowMs: number,
): readonly PeerAnswer[] | string {
  if (status !== 200) return `it answers with the status ${status}`;
  try {
    const list = decodeJsonBody(body, "responseList");
    if (!Array.isArray(list) || list.length !== length) return `it does not answer with a list of ${length}`;
    return list.map((item: FieldValue) => answerOf(item, nowMs));
  } catch (error) {
    if (error instanceof RegistryError) return error.message;
    throw error;
  }
}

function answerOf(item: FieldValue, nowMs: number): PeerAnswer {
  const fields = fieldsOf(item, "responseList");
  const entity = fields.get("responseEntity") ?? undefined;
  const instance = entity === undefined ? undefined : readInstance(entity, nowMs);
  return {
    status: wholeField(fields, "statusCode", 999) ?? 200,
    instance: instance === undefined || "missing" in instance ? undefined : instance,
  };
}
