/** A bug of ours: a broken invariant. In a role it ends the node, in a gateway the one connection. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** States what must be true here. `what` says the invariant, not the failure. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${what}`);
}

/** The value, which the caller knows to be there; `what` says why it knows. */
export function defined<T>(value: T | undefined, what: string): T {
  assert(value !== undefined, what);
  return value;
}

/** Closes a switch over a union: a kind that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new InvariantError(`broken invariant: unexpected kind ${JSON.stringify(value)}`);
}
