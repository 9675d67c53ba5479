/** A bug of ours: a broken invariant. In a role it ends the node, in a gateway it ends the one connection. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Asserts an invariant. `what` states the invariant, not the failure. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${what}`);
}

/** Returns a value that the caller knows to be there; `what` states why. */
export function defined<T>(value: T | undefined, what: string): T {
  assert(value !== undefined, what);
  return value;
}

/** Closes a switch over a union: an unhandled kind does not compile. */
export function unreachable(value: never): never {
  throw new InvariantError(`broken invariant: unexpected kind ${JSON.stringify(value)}`);
}
