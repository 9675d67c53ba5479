/** Milliseconds by the one clock that all processes of a machine share. `performance.now` begins at 0 in each. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
