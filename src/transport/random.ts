import type { Random } from "../base/ports.ts";

export const hostRandom: Random = { next: () => Math.random() };
