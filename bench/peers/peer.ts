// The common part of all peers: a fresh folder, a process, and a wait until its port is open.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf, spawned } from "../processes/spawned.ts";
import { nowMs } from "../protocols/clock.ts";
import { connect, retryUntilUp } from "../protocols/sockets.ts";
import type { RunningTarget, StartOptions } from "../targets/target.ts";

export interface PeerProcess {
  /** The command, given a folder for its data. */
  readonly command: (folder: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The port that its clients connect to. */
  readonly port: number;
  /** Rejects as long as the server does not serve yet; an open port is enough by default. */
  readonly isReady?: () => Promise<void>;
}

export async function startPeer(
  { command, env, port, isReady }: PeerProcess,
  { isImpatient = false }: StartOptions = {},
): Promise<RunningTarget> {
  const folder = mkdtempSync(join(tmpdir(), "roster-bench-peer-"));
  const logFile = join(folder, "output.log");
  const startedAtMs = nowMs();
  const child = spawned(command(folder), { cwd: folder, env: { ...process.env, ...env }, logFile });
  const address = { host: "127.0.0.1", port };
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const failed = failureOf(child, logFile);
  const running = { address, processes: [{ name: "server", pid: child.pid }], startedAtMs, failed, stop };
  if (isImpatient) return running;
  const up = retryUntilUp(async () => {
    const socket = await connect(address, { onRead: () => true });
    socket.destroy();
    await isReady?.();
  });
  try {
    await Promise.race([up, failed]);
    return running;
  } catch (error) {
    await stop();
    throw error;
  }
}
