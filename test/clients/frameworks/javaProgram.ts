// A Java program that is told what to do on its standard input and answers on its standard output; see Program.java.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { ended } from "../nodes.ts";

/** The beginning of lines that are answers. */
const ANSWER = "> ";
const DONE = "done";
/** Two cores start a dozen JVMs at once, beside whatever else the machine does. */
const ANSWER_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const LOG_TAIL_CHARS = 2_000;

const JVM = [
  "-Xmx128m",
  "-Xshare:auto",
  "-XX:TieredStopAtLevel=1",
  "-XX:+UseSerialGC",
  // Packages that frameworks of Java 8's time access.
  "--add-opens=java.base/java.lang=ALL-UNNAMED",
  "--add-opens=java.base/java.math=ALL-UNNAMED",
  "--add-opens=java.base/java.util=ALL-UNNAMED",
  // The registry's client, SOFARPC and the tracer would write their logs to the home directory.
  "-Dsofa.middleware.log.disable=true",
];

/** The command to run, and the file for its output except the answers. */
export interface JavaCommand {
  readonly classPath: string;
  readonly main: string;
  readonly args: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** A program that runs, and ends with this process at the latest. */
export class JavaProgram {
  readonly #command: JavaCommand;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #log: number;
  #lines: string[] = [];
  #waiting: ((lines: readonly string[]) => void) | undefined;

  private constructor(command: JavaCommand) {
    this.#command = command;
    this.#log = openSync(command.logFile, "a");
    const properties = Object.entries(command.properties).map(([key, value]) => `-D${key}=${value}`);
    const java = [...JVM, ...properties, "-cp", command.classPath, command.main, ...command.args];
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", "java", ...java], { stdio: ["pipe", "pipe", this.#log] });
    // A write to a program that has just ended fails, which its missing answer tells as well.
    this.#process.stdin?.on("error", () => undefined);
    if (this.#process.stdout !== null) {
      createInterface({ input: this.#process.stdout }).on("line", (line) => this.#onLine(line));
    }
    this.#ended = ended(this.#process);
    void this.#ended.then(() => closeSync(this.#log));
  }

  /** Resolves when the program has done what its arguments say. */
  static async start(command: JavaCommand): Promise<JavaProgram> {
    const program = new JavaProgram(command);
    try {
      await program.#answer("start");
      return program;
    } catch (error) {
      await program.kill();
      throw error;
    }
  }

  /** Resolves to the answer. One question at a time. */
  ask(question: string): Promise<readonly string[]> {
    this.#process.stdin?.write(`${question}\n`);
    return this.#answer(question);
  }

  /** The program stops in order: it says farewell to the registry, waits a moment, and ends. */
  async stop(): Promise<void> {
    this.#process.stdin?.write("stop\n");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
    assert.notEqual(this.#process.signalCode, "SIGKILL", `${this.#command.main} does not stop`);
  }

  /** SIGKILL: neither program nor framework can say goodbye. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  async #answer(question: string): Promise<readonly string[]> {
    assert.equal(this.#waiting, undefined, "one question at a time");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), ANSWER_LIMIT_MS);
    });
    const answered = new Promise<readonly string[]>((resolve) => {
      this.#waiting = resolve;
    });
    const outcome = await Promise.race([answered, late, this.#ended]);
    clearTimeout(timer);
    this.#waiting = undefined;
    if (Array.isArray(outcome)) return outcome;
    const tail = readFileSync(this.#command.logFile, "utf8").slice(-LOG_TAIL_CHARS);
    return assert.fail(`no answer to "${question}": ${tail}`);
  }

  #onLine(line: string): void {
    if (!line.startsWith(ANSWER)) {
      if (this.#process.exitCode === null) writeSync(this.#log, `${line}\n`);
      return;
    }
    const said = line.slice(ANSWER.length);
    if (said !== DONE) {
      this.#lines.push(said);
      return;
    }
    const lines = this.#lines;
    this.#lines = [];
    this.#waiting?.(lines);
  }
}
