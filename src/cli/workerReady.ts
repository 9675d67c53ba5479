/** A worker's message to its supervising process when it serves. */
export const WORKER_READY = "ready";
