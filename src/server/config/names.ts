// A key's names in its possible sources, and the search for the key that a typo meant.

/** `http-port` as `ROSTER_HTTP_PORT`. */
export function environmentName(key: string): string {
  return `ROSTER_${key.replaceAll("-", "_").toUpperCase()}`;
}

/** The known name nearest to a mistyped one; undefined if none is near. */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  // A third of the letters wrong is a typo; more is another word.
  let best: string | undefined;
  let bestDistance = Math.floor(typed.length / 3) + 1;
  for (const name of known) {
    const distance = editDistance(typed, name);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** The number of letters to insert, remove or change to turn `a` into `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(changed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
