// The time after which a push is tried again. After a refusal the n-th retry waits n times half a second, as
// SOFARegistry's. After no answer it waits n times push-timeout-ms instead: a client that takes a little longer than
// its time is not pushed to again.

const REFUSED_MS = 500;
// Beyond push-retries-max each retry waits twice as long as the one before, up to this: a client that refuses a list
// for ever costs little, and one that recovers has it within a minute.
const DELAY_MS_MAX = 60_000;
// 60 s are reached long before.
const DOUBLINGS_MAX = 16;

export type PushFailure = "refused" | "timeout";

/** The delay after this many failures of a target in a row. */
export function retryDelayMs(
  failures: number,
  last: PushFailure,
  { pushTimeoutMs, pushRetriesMax }: { readonly pushTimeoutMs: number; readonly pushRetriesMax: number },
): number {
  const stepMs = last === "timeout" ? pushTimeoutMs : REFUSED_MS;
  const steps = Math.min(failures, Math.max(1, pushRetriesMax));
  const doublings = Math.min(failures - steps, DOUBLINGS_MAX);
  return Math.min(stepMs * steps * 2 ** doublings, DELAY_MS_MAX);
}
