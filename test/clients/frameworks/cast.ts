// One framework at work: two providers, and a consumer that calls them without end through what the registry says.

import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../nodes.ts";
import { type JavaCommand, JavaProgram } from "./javaProgram.ts";

/** A framework of one version: a module of pom.xml. */
export interface Framework {
  /** The module's name. */
  readonly name: string;
  readonly main: string;
  /** Properties of its JVMs, by the registry's host:port. */
  readonly properties?: (registry: string) => Readonly<Record<string, string>>;
}

/**
 * A change must have reached the consumer's calls within this. It takes one second when a provider was killed. When a
 * session was, SOFARegistry's client sleeps up to five seconds after each connection that is refused, and may choose
 * the dead session several times in a row.
 */
const CHANGE_LIMIT_MS = 60_000;
/** Some dozen calls: who was not called in this time is not in the list. */
const WATCH_MS = 400;
const FAILURES_SHOWN_MAX = 5;

type ProviderName = "a" | "b";

interface FailedCall {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly text: string;
}

// A consumer on a busy machine reads a little later that its connection has ended, and sends a call into it meanwhile.
const NOTICE_MS = 50;

/** Where a cast plays. */
export interface Place {
  /** host:port of a session's HTTP. */
  readonly registry: string;
  readonly classPath: string;
  readonly dir: string;
}

export class Cast {
  readonly framework: Framework;
  readonly #place: Place;
  readonly #ports: Readonly<Record<ProviderName, string>>;
  readonly #providers = new Map<ProviderName, JavaProgram>();
  #consumer: JavaProgram | undefined;
  /** From a kill to the moment at which the process was seen to be gone. */
  readonly #kills: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #failed: FailedCall[] = [];
  #answered = 0;

  private constructor(framework: Framework, place: Place, ports: Readonly<Record<ProviderName, string>>) {
    this.framework = framework;
    this.#place = place;
    this.#ports = ports;
  }

  static async start(framework: Framework, place: Place): Promise<Cast> {
    const cast = new Cast(framework, place, { a: await freePort(), b: await freePort() });
    try {
      await Promise.all([cast.startProvider("a"), cast.startProvider("b")]);
      cast.#consumer = await JavaProgram.start(cast.#command("consumer", ["consume"]));
      await cast.callsReach(["a", "b"]);
      return cast;
    } catch (error) {
      await cast.end();
      throw error;
    }
  }

  async startProvider(name: ProviderName): Promise<void> {
    const command = this.#command(`provider-${name}`, ["provide", name, this.#ports[name]]);
    this.#providers.set(name, await JavaProgram.start(command));
  }

  async stopProvider(name: ProviderName): Promise<void> {
    await this.#provider(name).stop();
  }

  /** Calls that begin before the consumer can have read that the process is gone are under way at its kill. */
  async killProvider(name: ProviderName): Promise<void> {
    const fromMs = Date.now();
    await this.#provider(name).kill();
    this.#kills.push({ fromMs, toMs: Date.now() + NOTICE_MS });
  }

  /** The provider leaves the registry and comes back; its process goes on. */
  async withdraw(name: ProviderName): Promise<void> {
    await this.#provider(name).ask("withdraw");
  }

  async provideAgain(name: ProviderName): Promise<void> {
    await this.#provider(name).ask("provide");
  }

  /** Resolves when the consumer calls all of these providers, and no other. */
  async callsReach(names: readonly ProviderName[]): Promise<void> {
    const endMs = Date.now() + CHANGE_LIMIT_MS;
    await this.#report();
    for (;;) {
      await sleep(WATCH_MS);
      const called = await this.#report();
      if (called.toString() === names.toString()) return;
      assert.ok(Date.now() < endMs, `calls reach ${called} and not ${names}${this.#failuresText(this.#failed)}`);
    }
  }

  /** Fails if a call has failed that was not under way when its provider was killed. */
  async judge(): Promise<string> {
    await this.#report();
    const isUnderWay = ({ beganMs, endedMs }: FailedCall) =>
      this.#kills.some(({ fromMs, toMs }) => beganMs <= toMs && endedMs >= fromMs);
    const wrong = this.#failed.filter((call) => !isUnderWay(call));
    assert.equal(wrong.length, 0, `${wrong.length} failed calls${this.#failuresText(wrong)}`);
    return `${this.#answered} calls, ${this.#failed.length} failed that were under way at a kill`;
  }

  async end(): Promise<void> {
    await Promise.all([this.#consumer, ...this.#providers.values()].map((program) => program?.kill()));
  }

  #provider(name: ProviderName): JavaProgram {
    const provider = this.#providers.get(name);
    assert.ok(provider !== undefined);
    return provider;
  }

  /** Takes the consumer's report in, and returns which providers have answered since the last one. */
  async #report(): Promise<readonly string[]> {
    const lines = (await this.#consumer?.ask("report")) ?? [];
    const called: string[] = [];
    for (const line of lines) {
      const [kind, first = "", second = "", ...rest] = line.split(" ");
      if (kind === "answered") {
        called.push(first);
        this.#answered += Number(second);
      } else {
        this.#failed.push({ beganMs: Number(first), endedMs: Number(second), text: rest.join(" ") });
      }
    }
    return called;
  }

  #failuresText(failed: readonly FailedCall[]): string {
    const shown = failed.slice(0, FAILURES_SHOWN_MAX).map(({ beganMs, endedMs, text }) => {
      const after = this.#kills.map(({ fromMs }) => `, ${beganMs - fromMs} ms after a kill`).join("");
      return `\n  ${new Date(beganMs).toISOString()}${after}, for ${endedMs - beganMs} ms: ${text}`;
    });
    return shown.join("");
  }

  #command(program: string, args: readonly string[]): JavaCommand {
    const { name, main, properties } = this.framework;
    const { registry, classPath, dir } = this.#place;
    return {
      classPath,
      main,
      args: [registry, name, ...args],
      properties: properties?.(registry) ?? {},
      logFile: join(dir, `${name}-${program}.log`),
    };
  }
}
