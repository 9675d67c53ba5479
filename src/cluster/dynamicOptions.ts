// The options of a role, of which operators change some while it runs. Parts of the role read an option whenever they
// need it.

import type { DynamicValues } from "../model/dynamicKeys.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import { type SettingsPlace, settingsIn } from "../model/settings.ts";

export class DynamicOptions<Options extends object> {
  readonly #configured: Options;
  readonly #place: SettingsPlace;
  readonly #options: Options;
  #settings: Partial<DynamicValues> = {};

  constructor(configured: Options, place: SettingsPlace) {
    this.#configured = configured;
    this.#place = place;
    this.#options = { ...configured };
  }

  /** The options in force: always the same object. */
  get options(): Options {
    return this.#options;
  }

  /** The values that operators have set for this node. */
  get settings(): Partial<DynamicValues> {
    return this.#settings;
  }

  /** Takes the settings of these rules; the others are as configured. */
  rulesChanged(rules: RuleSet): void {
    this.#settings = settingsIn(rules.rules(), this.#place);
    Object.assign(this.#options, this.#configured);
    for (const [name, value] of Object.entries(this.#settings)) {
      if (name in this.#configured) Object.assign(this.#options, { [name]: value });
    }
  }
}
