// Tests of running servers wait for the expected state, never for a time.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 20;
// An idle machine needs a second or two; a slow one that runs other tests beside, many.
const LIMIT_MS = 60_000;

/** Asks until the answer is as expected; fails with the last answer when `limitMs` is over. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  isExpected: (answer: T) => boolean,
  limitMs = LIMIT_MS,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (isExpected(answer)) return answer;
    if (performance.now() > endMs) assert.fail(`still not as expected: ${JSON.stringify(answer)}`);
    await sleep(POLL_MS);
  }
}
