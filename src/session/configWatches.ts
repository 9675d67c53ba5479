// Configuration values that clients of this session watch. There are few values and they change rarely, so the code is
// simple. A value goes out when it arrives or when a client begins to watch it, one at a time to each watch. The
// regular repair sends it again to clients that have not confirmed it in time.

import { CHARGE } from "../base/budget.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { RegistryError } from "../base/errors.ts";
import { type ConfigValue, UNSET_CONFIG_VERSION } from "../cluster/messages/membership.ts";
import type { ServiceKey } from "../model/ids.ts";
import { NO_VERSION } from "../model/version.ts";
import type { RegistrationKey } from "../registry/registry.ts";
import { answerDueMs, hasLeft } from "./answerDueMs.ts";
import { type Client, type ConfigUnderWay, type ConfigWatch, registrationKey } from "./client.ts";
import type { Costs } from "./costs.ts";
import type { PushHolds } from "./pushHolds.ts";

interface WatchedConfig {
  value: ConfigValue | undefined;
  readonly watches: Set<ConfigWatch>;
}

// After the n-th failure in a row a value waits 2^n times this, up to a minute.
const RETRY_DELAY_MS = 2_500;
const RETRY_DELAY_MS_MAX = 60_000;
const DOUBLINGS_MAX = 16;
// Another meta node leads within four seconds. If none has told the value by then, the store is away for an unknown
// time; a program that waits for its first push must be able to start.
const FIRST_ANSWER_MS = 5_000;

export class ConfigWatches {
  readonly #pushTimeoutMs: number;
  readonly #takePushId: () => number;
  readonly #costs: Costs;
  readonly #holds: PushHolds;
  readonly #configs = new Map<ServiceKey, WatchedConfig>();
  // Pushes sent and not answered, by push id: the last two of a watch.
  readonly #underWay = new Map<number, ConfigUnderWay>();
  // Watches of values that are not known here, with the time at which each client is told that there is no value.
  readonly #unanswered = new Deadlines<ConfigWatch>();

  constructor(
    { pushTimeoutMs }: { pushTimeoutMs: number },
    takePushId: () => number,
    { costs, holds }: { costs: Costs; holds: PushHolds },
  ) {
    this.#pushTimeoutMs = pushTimeoutMs;
    this.#takePushId = takePushId;
    this.#costs = costs;
    this.#holds = holds;
  }

  /** The sum of the charges for all watches. */
  get chargedBytes(): number {
    let sum = 0;
    for (const { watches } of this.#configs.values()) for (const { bytes } of watches) sum += bytes;
    return sum;
  }

  /** The number of values that are watched here. */
  get size(): number {
    return this.#configs.size;
  }

  /** The values that are watched here, and the watches of one of them. */
  services(): Iterable<ServiceKey> {
    return this.#configs.keys();
  }

  ofService(serviceKey: ServiceKey): Iterable<ConfigWatch> {
    return this.#configs.get(serviceKey)?.watches ?? [];
  }

  /** Everything that is watched here. */
  watched(): ServiceKey[] {
    return [...this.#configs.keys()];
  }

  /** Charges the client for a watch; returns the error if that would be too much. */
  charge(client: Client, key: RegistrationKey): RegistryError | undefined {
    if (client.configWatches.has(registrationKey(key))) return undefined;
    return client.account.charge(CHARGE.configWatches, this.#costs.configWatch(key));
  }

  /** Begins or renews a watch that was charged. True if the value is not known here and must be requested. */
  watch(client: Client, key: RegistrationKey, nowMs: number): boolean {
    const { serviceKey, registId, version } = key;
    const known = client.configWatches.get(registrationKey(key));
    const nothing = { seenVersion: NO_VERSION, sent: undefined, sentBefore: undefined, failures: 0, againMs: 0 };
    const watch = known ?? { client, serviceKey, registId, version, bytes: this.#costs.configWatch(key), ...nothing };
    if (known !== undefined && version > known.version) known.version = version;
    client.configWatches.set(registrationKey(key), watch);
    const config = this.#configs.get(serviceKey) ?? { value: undefined, watches: new Set() };
    this.#configs.set(serviceKey, config);
    config.watches.add(watch);
    if (config.value === undefined) this.#unanswered.set(watch, nowMs + FIRST_ANSWER_MS);
    else if (this.#isFree(watch, nowMs)) this.#push(watch, config.value, nowMs);
    return config.value === undefined;
  }

  /** Ends a watch. True if no watch of the value is left. */
  unwatch(client: Client, key: RegistrationKey): boolean {
    const watch = client.configWatches.get(registrationKey(key));
    if (watch === undefined || watch.version > key.version) return false;
    return this.#remove(watch);
  }

  /** Ends all watches of a client. Returns the values that are no longer watched. */
  dropClient(client: Client): ServiceKey[] {
    return [...client.configWatches.values()].filter((watch) => this.#remove(watch)).map((watch) => watch.serviceKey);
  }

  /** A value has come. */
  changed(value: ConfigValue, nowMs: number): void {
    const config = this.#configs.get(value.serviceKey);
    if (config === undefined || (config.value !== undefined && config.value.version >= value.version)) return;
    config.value = value;
    for (const watch of config.watches) {
      this.#unanswered.delete(watch);
      watch.againMs = nowMs;
      this.#pushNewest(watch, value, nowMs);
    }
  }

  /** A late answer counts for the version of its own push. */
  answered(client: Client, push: number, { isTaken, nowMs }: { isTaken: boolean; nowMs: number }): void {
    const sent = this.#underWay.get(push);
    if (sent === undefined || sent.watch.client !== client) return;
    const { watch } = sent;
    this.#forget(sent);
    client.confirm(sent.endByte);
    // Later than the shortest time it had: a slow client gets longer from now on.
    if (nowMs - sent.leftMs > this.#pushTimeoutMs) client.learn(nowMs - sent.leftMs);
    if (isTaken && sent.version > watch.seenVersion) watch.seenVersion = sent.version;
    watch.failures = isTaken ? 0 : watch.failures + 1;
    watch.againMs = isTaken ? nowMs : nowMs + delayMs(watch.failures);
    const value = this.#configs.get(watch.serviceKey)?.value;
    if (value !== undefined) this.#pushNewest(watch, value, nowMs);
  }

  /** The client reads again. */
  drained(client: Client, nowMs: number): void {
    for (const watch of client.configWatches.values()) {
      if (watch.sent !== undefined) watch.sent.leftMs = nowMs;
      const value = this.#configs.get(watch.serviceKey)?.value;
      if (value !== undefined) this.#pushNewest(watch, value, nowMs);
    }
  }

  /** The time at which a client is to be told that there is no value, as no meta node has told one. */
  nextMs(): number {
    return this.#unanswered.nextMs();
  }

  wake(nowMs: number): void {
    for (let watch = this.#unanswered.take(nowMs); watch !== undefined; watch = this.#unanswered.take(nowMs)) {
      this.#push(watch, { serviceKey: watch.serviceKey, version: UNSET_CONFIG_VERSION, data: null }, nowMs);
      // The client does not read, or its pushes are held.
      if (watch.sent === undefined) this.#unanswered.set(watch, nowMs + FIRST_ANSWER_MS);
    }
  }

  /** This process stood still: messages of the meta nodes from that time are read after this. */
  resumed(nowMs: number): void {
    this.#unanswered.postpone(nowMs + FIRST_ANSWER_MS);
  }

  /** Sends unconfirmed values again. A client that never confirms anything is not sent the same value twice. */
  repair(nowMs: number): void {
    for (const { value, watches } of this.#configs.values()) {
      if (value !== undefined) for (const watch of watches) this.#pushNewest(watch, value, nowMs);
    }
  }

  /** Pushes a value that the client has not confirmed, unless an answer may still come. */
  #pushNewest(watch: ConfigWatch, value: ConfigValue, nowMs: number): void {
    if (watch.seenVersion >= value.version || watch.againMs > nowMs || !this.#isFree(watch, nowMs)) return;
    const { sent, client } = watch;
    if (sent !== undefined && sent.version >= value.version && !client.answersPushes) return;
    if (sent !== undefined && client.answersPushes) watch.againMs = nowMs + delayMs(++watch.failures);
    this.#push(watch, value, nowMs);
  }

  /**
   * Whether the last push is over: answered, or its time has passed, or it has left for a client that never answers.
   */
  #isFree({ sent, client }: ConfigWatch, nowMs: number): boolean {
    if (sent === undefined) return true;
    const dueMs = answerDueMs(sent, client, { timeoutMs: this.#pushTimeoutMs, nowMs });
    return client.answersPushes ? dueMs <= nowMs : hasLeft(sent, client);
  }

  #push(watch: ConfigWatch, value: ConfigValue, nowMs: number): void {
    const { client, serviceKey, registId } = watch;
    if (client.departedMs !== undefined || this.#holds.holds(watch)) return;
    const id = this.#takePushId();
    const { version, data } = value;
    // Blocked means that the client does not read: the next repair tries again.
    if (client.channel.pushConfig({ id, serviceKey, version, data, registIds: [registId] }) === "blocked") return;
    const endByte = client.channel.writtenBytes;
    if (watch.sentBefore !== undefined) this.#underWay.delete(watch.sentBefore.id);
    watch.sentBefore = watch.sent;
    watch.sent = { id, watch, version, endByte, unreadBytes: endByte - client.confirmedBytes, leftMs: nowMs };
    this.#underWay.set(id, watch.sent);
  }

  /** It is answered. */
  #forget(sent: ConfigUnderWay): void {
    const { watch } = sent;
    this.#underWay.delete(sent.id);
    if (watch.sent === sent) watch.sent = undefined;
    if (watch.sentBefore === sent) watch.sentBefore = undefined;
  }

  #remove(watch: ConfigWatch): boolean {
    const { client, serviceKey } = watch;
    client.configWatches.delete(registrationKey(watch));
    client.account.release(CHARGE.configWatches, watch.bytes);
    for (const sent of [watch.sent, watch.sentBefore]) if (sent !== undefined) this.#underWay.delete(sent.id);
    this.#unanswered.delete(watch);
    const config = this.#configs.get(serviceKey);
    config?.watches.delete(watch);
    return config?.watches.size === 0 && this.#configs.delete(serviceKey);
  }
}

function delayMs(failures: number): number {
  return Math.min(RETRY_DELAY_MS * 2 ** Math.min(failures, DOUBLINGS_MAX), RETRY_DELAY_MS_MAX);
}
