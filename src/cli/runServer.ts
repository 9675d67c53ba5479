// `roster server`: starts, reports its addresses, serves until it is told to stop, hands over, stops in order.

import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { type ConfigSources, loadConfig } from "../server/config/load.ts";
import { workerConfig } from "../server/config/nodeRoles.ts";
import type { Config } from "../server/config/table.ts";
import type { RunningServer } from "../server/start.ts";
import { offerToken } from "./localNodes.ts";
import { watchSignals } from "./watchSignals.ts";
import { shareMetrics } from "./workerMetrics.ts";
import { WORKER_READY } from "./workerReady.ts";

/**
 * Runs a server until a signal or `roster drain` ends it. Throws if it can't start, fails, or does not stop in time.
 */
export async function runServer(sources: ConfigSources): Promise<void> {
  const { config } = loadConfig(sources);
  if (config.workers === 1) return run(config);
  const { forkWorker, runWorkers } = await import("./runWorkers.ts");
  await runWorkers(config, forkWorker);
}

/** Runs one of the workers of a server, counted from 1. */
export async function runWorker(sources: ConfigSources, worker: number): Promise<void> {
  await run(workerConfig(loadConfig(sources).config, worker));
}

async function run(config: Config): Promise<void> {
  // Compiles each function when it is first called instead of interpreting it: the first pushes after a start take half
  // as long (W1: p99 12 -> 9 ms).
  setFlagsFromString("--always-sparkplug");
  let running: RunningServer | undefined;
  const signal = stopSignal(() => running);
  // Loaded only here, so that a mistyped flag is answered at once.
  const { startServer } = await import("../server/start.ts");
  const server = await startServer(config);
  running = server;
  const { log } = server;
  const withdrawToken = offerLocalToken(server, config);
  // `npm start` caches compiled sources (NODE_COMPILE_CACHE). Node would write them at exit, which a killed server
  // never reaches; without the variable this does nothing.
  flushCompileCache();
  shareMetrics(server.page);
  process.send?.(WORKER_READY);
  const end = await Promise.race([signal, server.failed, server.stopAsked.then(() => "an operator's call")]);
  const failure = end instanceof Error ? end : undefined;
  log.info("roster is stopping", { reason: failure?.message ?? String(end) });
  // A failed server has nothing that it could hand over.
  if (failure === undefined) await server.drain();
  withdrawToken();
  await closeInTime(server, config.shutdownTimeoutMs);
  if (failure !== undefined) throw failure;
}

/** Commands of this user on this machine need no login. Without a folder for the token they do. */
function offerLocalToken({ ports, localToken: token, log }: RunningServer, { adminBind: bind }: Config): () => void {
  try {
    return offerToken(process.env, { bind, port: ports.admin, token });
  } catch (error) {
    const reason = String(error);
    log.info("commands on this machine find no token, and need `roster login`; data-dir has it in admin-token", {
      reason,
    });
    return () => undefined;
  }
}

/** Resolves with the outside cause that ends the server. */
function stopSignal(server: () => RunningServer | undefined): Promise<string> {
  return new Promise((resolve) => {
    let signals = 0;
    const stop = (signal: NodeJS.Signals) => {
      signals++;
      if (signals > 1) giveUp("a second signal arrived");
      resolve(signal);
    };
    watchSignals({ stop, reload: () => server()?.reload() ?? false, log: () => server()?.log });
    // For a worker: its supervising process is gone, or releases it. That is not a signal, because a terminal and a
    // service manager signal both processes.
    process.once("disconnect", () => resolve("the process that supervises the workers has ended"));
  });
}

function giveUp(why: string): never {
  console.error(`roster: stopped without waiting: ${why}`);
  process.exit(1);
}

/** Closes the server; when the allowed time is over, ends the process at once. */
async function closeInTime(server: RunningServer, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => giveUp(`shutdown-timeout-ms (${timeoutMs}) has passed`), timeoutMs);
  try {
    await server.close();
  } finally {
    clearTimeout(timer);
  }
}
