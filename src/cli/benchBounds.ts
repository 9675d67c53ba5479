/** Bounds of a run, each with its default: small enough for a cluster that works. */
export const BENCH_BOUNDS = {
  publishers: { default: 20, min: 1, max: 2_000 },
  subscribers: { default: 20, min: 0, max: 2_000 },
  services: { default: 10, min: 1, max: 1_000 },
  rate: { default: 20, min: 1, max: 10_000 },
  duration: { default: 10, min: 1, max: 3_600 },
} as const;
