/** A point in time as answers show it. Clients' clocks give some: one that no calendar has is shown as the first. */
export function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
