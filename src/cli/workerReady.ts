/** What a worker says to the process that watches over it, when it serves. */
export const WORKER_READY = "ready";
