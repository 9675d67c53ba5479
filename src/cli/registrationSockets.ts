// How `roster deregister` finds the running `roster register`s of this user on this machine: each listens on a socket
// in the user's folder. A process id could be that of another program by now; a socket belongs to its process.

import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type Environment, userFolder } from "./contexts.ts";

/** A registration that a running command holds. */
export interface RunningRegistration {
  readonly service: string;
  readonly registId: string;
  readonly boxes: readonly string[];
}

const END = "end\n";
const ENDED = "ended\n";

// Everything is on this machine; a stopped process does not answer.
const ANSWER_MS_MAX = 5_000;
const LINE_CHARS_MAX = 1_000_000;

export function registrationsFolder(environment: Environment): string {
  const isRuntime = environment["XDG_RUNTIME_DIR"]?.startsWith("/") === true;
  const variable = isRuntime ? "XDG_RUNTIME_DIR" : "XDG_STATE_HOME";
  return join(userFolder(environment, variable, ".local/state"), "registrations");
}

/**
 * Lets others end this registration: `end` is called at their wish; when it has resolved they are told so, and then
 * `ended` is called. Resolves with the stop. Rejects with an error of the system, as for a path that is too long.
 */
export async function offerEnd(
  environment: Environment,
  registration: RunningRegistration,
  { end, ended }: { readonly end: () => Promise<void>; readonly ended: () => void },
): Promise<() => void> {
  const folder = registrationsFolder(environment);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${registration.registId.slice(0, 8)}.sock`);
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => void end().then(() => socket.end(ENDED, ended)));
    socket.write(`${JSON.stringify(registration)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return () => {
    server.close();
    rmSync(path, { force: true });
  };
}

/** The registrations that running commands hold. */
export async function runningRegistrations(environment: Environment): Promise<readonly RunningRegistration[]> {
  const found: RunningRegistration[] = [];
  await withEach(environment, (registration, socket) => {
    found.push(registration);
    socket.destroy();
  });
  return found;
}

/** Ends those that are meant, and returns the ones that have ended. */
export async function endRegistrations(
  environment: Environment,
  isMeant: (registration: RunningRegistration) => boolean,
): Promise<readonly RunningRegistration[]> {
  const ended: RunningRegistration[] = [];
  await withEach(environment, (registration, socket) => {
    if (!isMeant(registration)) return void socket.destroy();
    socket.on("data", (text) => {
      if (String(text) === ENDED) ended.push(registration);
    });
    socket.write(END);
  });
  return ended;
}

/** Connects to each running command; resolves when all these connections are over. */
async function withEach(
  environment: Environment,
  use: (registration: RunningRegistration, socket: Socket) => void,
): Promise<void> {
  const folder = registrationsFolder(environment);
  await Promise.all(socketsIn(folder).map((name) => withOne(join(folder, name), use)));
}

function socketsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".sock"));
  } catch {
    // No command has ever made the folder.
    return [];
  }
}

function withOne(path: string, use: (registration: RunningRegistration, socket: Socket) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let line = "";
    const read = (chunk: Buffer) => {
      line += String(chunk);
      if (line.length > LINE_CHARS_MAX) socket.destroy();
      if (!line.endsWith("\n")) return;
      socket.off("data", read);
      const registration = parsed(line);
      if (registration === undefined) socket.destroy();
      else use(registration, socket);
    };
    socket.on("data", read);
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
    socket.once("error", (error) => {
      // Its process was killed and could not remove it.
      if ("code" in error && error.code === "ECONNREFUSED") rmSync(path, { force: true });
    });
    socket.once("close", () => resolve());
  });
}

/** Undefined for what no command of ours has written. */
function parsed(line: string): RunningRegistration | undefined {
  try {
    const { service, registId, boxes } = JSON.parse(line) as Partial<RunningRegistration>;
    if (typeof service !== "string" || typeof registId !== "string" || !Array.isArray(boxes)) return undefined;
    return { service, registId, boxes: boxes.map(String) };
  } catch {
    return undefined;
  }
}
