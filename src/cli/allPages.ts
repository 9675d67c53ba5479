// A list that a node answers in parts, as a whole.

import type { Operation } from "../admin/operation.ts";
import type { RawParameters } from "../admin/parameter.ts";
import type { Json } from "../admin/schema.ts";
import type { Answer, NodeClient } from "./nodeClient.ts";
import { Progress } from "./progress.ts";

/** Whether an operation answers in parts. */
export function isPaged({ method, parameters }: Operation): boolean {
  return method === "GET" && "after" in parameters && "limit" in parameters;
}

/** All parts as one answer: the fields of the first, and the rows of all. */
export async function askAllPages(client: NodeClient, operation: Operation, given: RawParameters): Promise<Answer> {
  const { limit } = operation.parameters;
  const parameters = { ...(limit?.type === "integer" && { limit: limit.max }), ...given };
  const progress = new Progress();
  const first = await client.ask(operation, parameters);
  const items = [...itemsOf(first)];
  // A question that waits for a change has waited with the first part.
  const { since: _, waitMs: __, ...again } = parameters as Readonly<Record<string, unknown>>;
  try {
    for (let { next } = first; typeof next === "string"; ) {
      progress.report(`${items.length} of ${first["total"]} read`);
      const part = await client.ask(operation, { ...again, after: next });
      items.push(...itemsOf(part));
      next = part["next"] ?? null;
    }
  } finally {
    progress.end();
  }
  return { ...first, items, next: null };
}

function itemsOf({ items }: Answer): readonly Json[] {
  return Array.isArray(items) ? items : [];
}
