// A real PostgreSQL for tests, and its possible fates: it is stopped, killed, frozen, and comes back on the same port
// with the same data. It runs from a folder of its own, listens on loopback, trusts every client, and ends with the
// process that started it, however that ends.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";

export interface PostgresOptions {
  /** Where it keeps its data, which is then left there; otherwise a temporary folder, which goes with the server. */
  readonly dir?: string;
  /** A free one if nothing is said. */
  readonly port?: number;
  /** Addresses to listen on beside 127.0.0.1, for tests that make networks; every client there is trusted too. */
  readonly addresses?: readonly string[];
  /** Takes connections with TLS only; with `clientCa` only from clients whose certificate it has signed. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

/** A server under test. It stays the same over `halt`, `kill`, `start` and `restart`: port, data, URL. */
export interface PostgresServer {
  /** With all rights on an empty database. The role `guarded`, if a test makes it, must give its password. */
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Runs statements as the superuser, on a connection of their own. */
  sql(text: string, ...values: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Shuts it down in order; its clients are sent away. */
  halt(): Promise<void>;
  /** kill -9 of all its processes. */
  kill(): Promise<void>;
  /** Starts it after `halt` or `kill`. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Freezes all its processes: connections stand, new ones are taken by the kernel, and nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it for good, whatever was done to it before. May be called twice. */
  stop(): Promise<void>;
}

const READY = "database system is ready to accept connections";
const START_MS = 30_000;
const END_MS = 10_000;
const PORT_TRIES = 3;

// Nothing here has to outlive the machine, and it shares the machine with the tests.
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "16MB",
  max_connections: "50",
  max_wal_size: "64MB",
};

/** Why no server can be started here; nothing if one can. */
export function missingPostgres(): string | undefined {
  if (process.platform !== "linux") return "the harness needs Linux's /proc";
  return binaries() === undefined ? "PostgreSQL is not installed (Debian: apt-get install postgresql)" : undefined;
}

/** Starts a server; takes one to two seconds. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = binaries();
  if (bin === undefined) throw new Error(missingPostgres());
  const user = serverUser();
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "roster-pg-"));
  mkdirSync(dir, { recursive: true });
  if (user !== undefined) chownSync(dir, user.uid, user.gid);
  const tls = options.tls && tlsFiles(dir, user, options.tls);
  const place: Place = { bin, user, dir, addresses: options.addresses ?? [], tls };
  if (!existsSync(join(dir, "data", "PG_VERSION"))) initialise(place);
  for (let tries = 1; ; tries++) {
    const server = new Server(place, options.port ?? (await freePort()), options.dir === undefined);
    try {
      await server.start();
      return server;
    } catch (error) {
      const isTaken = String(error).includes("Address already in use") && options.port === undefined;
      if (!isTaken || tries === PORT_TRIES) {
        await server.stop();
        throw error;
      }
    }
  }
}

/** The user of the server if that is not ours: PostgreSQL refuses to be root. */
interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

interface Place {
  readonly bin: string;
  readonly user: ServerUser | undefined;
  readonly dir: string;
  readonly addresses: readonly string[];
  readonly tls: Readonly<Record<string, string>> | undefined;
}

class Server implements PostgresServer {
  readonly port: number;
  readonly dir: string;
  readonly url: string;
  readonly #place: Place;
  readonly #isTemporary: boolean;
  #process: ChildProcess | undefined;
  #isPaused = false;
  #watch: ChildProcess | undefined;

  constructor(place: Place, port: number, isTemporary: boolean) {
    this.#place = place;
    this.port = port;
    this.dir = place.dir;
    this.#isTemporary = isTemporary;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  async sql(text: string, ...values: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async start(): Promise<void> {
    const { bin, dir, user, addresses, tls } = this.#place;
    const settings = {
      ...SETTINGS,
      ...tls,
      listen_addresses: ["127.0.0.1", ...addresses].join(","),
      unix_socket_directories: dir,
    };
    const flags = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    const command = [join(bin, "postgres"), "-D", join(dir, "data"), "-p", String(this.port), ...flags];
    const [file = "", ...args] = [...endWithUs(), ...command];
    const child = spawn(file, args, { cwd: dir, ...user, stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    running.add(this);
    await ready(child);
    // A test that forgets to stop its server ends nevertheless, and the server with it.
    child.unref();
    if (child.stderr !== null && "unref" in child.stderr && typeof child.stderr.unref === "function") {
      child.stderr.unref();
    }
  }

  async halt(): Promise<void> {
    this.resume();
    await this.#end("SIGINT");
  }

  async kill(): Promise<void> {
    const family = this.killNow();
    await this.#end("SIGKILL");
    while (family.some(isAlive)) await sleep(5);
  }

  async restart(): Promise<void> {
    await this.halt();
    await this.start();
  }

  pause(): void {
    const pid = this.#livingPid();
    if (pid === undefined || this.#isPaused) return;
    this.#isPaused = true;
    // The first of them first: it can't start any more then, and the list of the others is whole.
    signal(pid, "SIGSTOP");
    const family = [pid, ...childrenOf(pid)];
    for (const each of family) signal(each, "SIGSTOP");
    this.#watch = watchFrozen(family);
  }

  resume(): void {
    const pid = this.#livingPid();
    if (pid === undefined || !this.#isPaused) return;
    this.#isPaused = false;
    this.#watch?.kill("SIGKILL");
    for (const each of [...childrenOf(pid), pid]) signal(each, "SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    this.forget();
  }

  /** Sends all processes SIGKILL and waits for none; their ids. */
  killNow(): readonly number[] {
    const pid = this.#livingPid();
    if (pid === undefined) return [];
    signal(pid, "SIGSTOP");
    const family = [pid, ...childrenOf(pid)];
    for (const each of family) signal(each, "SIGKILL");
    this.#watch?.kill("SIGKILL");
    this.#isPaused = false;
    return family;
  }

  /** Removes what it leaves behind. */
  forget(): void {
    running.delete(this);
    if (this.#isTemporary) rmSync(this.dir, { recursive: true, force: true });
  }

  #livingPid(): number | undefined {
    const child = this.#process;
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  async #end(by: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exited = once(child, "exit");
    child.kill(by);
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await exited;
    clearTimeout(timer);
  }
}

// A test that forgets to stop a server, or is ended with Ctrl-C, leaves none running. Against kill -9 the kernel helps
// (see endWithUs).
const running = new Set<Server>();

function endAll(): void {
  for (const server of running) {
    server.killNow();
    server.forget();
  }
}

process.on("exit", endAll);
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => {
    // Others who listen decide what the signal means, and `exit` follows; alone we do what it does without us.
    if (process.listenerCount(name) > 0) return;
    endAll();
    process.kill(process.pid, name);
  });
}

/** The words before a command that have the kernel end it (at once, as PostgreSQL takes SIGQUIT) when we die. */
function endWithUs(): readonly string[] {
  const found = spawnSync("setpriv", ["--pdeathsig", "QUIT", "true"], { stdio: "ignore" });
  return found.status === 0 ? ["setpriv", "--pdeathsig", "QUIT"] : [];
}

/** A frozen process would outlive us even then: a shell waits for our end and kills it. */
function watchFrozen(pids: readonly number[]): ChildProcess {
  const script = `trap '' INT TERM HUP; cat > /dev/null; kill -9 ${pids.join(" ")}`;
  const watch = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"] });
  watch.unref();
  return watch;
}

/** Resolves when it takes connections; rejects with what it said if it does not come to that. */
async function ready(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = "";
  let isReady = false;
  const failed = (why: string) => reject(new Error(`PostgreSQL ${why}:\n${said}`));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (isReady) return;
    said += text;
    isReady = said.includes(READY);
    if (isReady) resolve();
  });
  child.once("error", (error) => failed(`can't be run (${error.message})`));
  child.once("close", (code) => failed(`ended with ${code}`));
  const timer = setTimeout(() => failed(`was not ready within ${START_MS} ms`), START_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** The settings for TLS, with copies of the files that the server may read. */
function tlsFiles(dir: string, user: ServerUser | undefined, tls: NonNullable<PostgresOptions["tls"]>) {
  const own = (name: string, from: string) => {
    const file = join(dir, name);
    copyFileSync(from, file);
    chmodSync(file, 0o600);
    if (user !== undefined) chownSync(file, user.uid, user.gid);
    return file;
  };
  const { cert, key, clientCa } = tls;
  return {
    ssl: "on",
    ssl_cert_file: own("server.crt", cert),
    ssl_key_file: own("server.key", key),
    ...(clientCa !== undefined && { ssl_ca_file: own("clients.crt", clientCa) }),
  };
}

function initialise({ bin, user, dir, addresses, tls }: Place): void {
  const data = join(dir, "data");
  const flags = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"];
  const made = spawnSync(join(bin, "initdb"), ["-D", data, ...flags], { cwd: dir, ...user, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? ""}${made.stdout}${made.stderr}`);
  const anywhere = addresses.length === 0 ? [] : ["host all all all trust"];
  const clients = tls?.["ssl_ca_file"] === undefined ? "" : " clientcert=verify-ca";
  const access = [
    "local all all trust",
    "host all guarded all scram-sha-256",
    tls === undefined ? "host all all 127.0.0.1/32 trust" : `hostssl all all 127.0.0.1/32 trust${clients}`,
    ...anywhere,
  ];
  writeFileSync(join(data, "pg_hba.conf"), `${access.join("\n")}\n`);
}

/** The folder with `initdb` and `postgres`, of the newest release that Debian has installed, or from PATH. */
function binaries(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const releases = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...releases.map((release) => join(debian, release, "bin")), ...paths()];
  return folders.find((folder) => ["initdb", "postgres"].every((name) => isExecutable(join(folder, name))));
}

function paths(): readonly string[] {
  return (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((flag) => spawnSync("id", [flag, name], { encoding: "utf8" }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error("PostgreSQL can't run as root, and there is neither a user postgres nor nobody");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a listening server has a port");
  return address.port;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended meanwhile, which is what most signals here are for.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function childrenOf(pid: number): number[] {
  const all = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return all.filter((each) => statusOf(each)?.parent === pid);
}

/** A process whose end was not collected yet is not alive either. */
function isAlive(pid: number): boolean {
  const status = statusOf(pid);
  return status !== undefined && status.state !== "Z" && status.state !== "X";
}

function statusOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name before it is in brackets, and may hold anything.
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
