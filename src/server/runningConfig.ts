// The configuration of this process as it is in force: operators change some settings for the whole cluster while it
// runs, and a role of this process hears of it.

import { camelCase } from "../base/keySpec.ts";
import type { Log } from "../base/ports.ts";
import { DYNAMIC_KEY_NAMES, type DynamicValues } from "../model/dynamicKeys.ts";
import type { Config } from "./config/table.ts";

export class RunningConfig {
  /** Always the same object: parts of the process read a value when they need it. */
  readonly config: Config;
  readonly #configured: Config;
  readonly #environment: { readonly log: Log; readonly changed: (config: Config) => void };
  #shown = "";

  /** `changed` is called when values have changed, for those that are used in the form of something else. */
  constructor(configured: Config, environment: { readonly log: Log; readonly changed: (config: Config) => void }) {
    this.#configured = configured;
    this.config = { ...configured };
    this.#environment = environment;
  }

  /** Takes the values that operators have set for this node. Every other one is as configured. */
  take(settings: Partial<DynamicValues>): void {
    const names = DYNAMIC_KEY_NAMES.filter((key) => settings[camelCase(key)] !== undefined);
    const shown = names.map((key) => `${key}=${settings[camelCase(key)]}`).join(" ");
    if (shown === this.#shown) return;
    this.#shown = shown;
    Object.assign(this.config, this.#configured, settings);
    this.#environment.changed(this.config);
    if (shown === "") this.#environment.log.info("all settings are as configured");
    else this.#environment.log.info("operators have changed settings", { settings: shown });
  }
}
