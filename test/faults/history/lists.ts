// The rules about single lists and the step from one list to the next.

import { type HistoryEvent, readToken } from "./event.ts";
import type { AllowedAbsence, Finding, Rule } from "./judge.ts";
import { type KnownRegistration, type KnownSubscription, listText, type Records, type ShownList } from "./records.ts";

type Push = HistoryEvent & { kind: "push" };

export class Lists {
  readonly #records: Records;
  readonly #absences: readonly AllowedAbsence[];
  /** The last version on each connection, by subscription and connection. */
  readonly #onConnection = new Map<string, bigint>();
  /** The content of each shown version of a service. */
  readonly #contents = new Map<string, string>();
  /** By subscription and registration: from which version of the registration on it may be shown again. */
  readonly #gone = new Map<string, number>();
  /** By service: registrations that everybody showed when the cluster was last at rest. */
  #settled = new Map<string, KnownRegistration[]>();

  constructor(records: Records, absences: readonly AllowedAbsence[]) {
    this.#records = records;
    this.#absences = absences;
  }

  /** The cluster is at rest: from now on every living registration must be in every list until there is a reason. */
  converged(t: number): void {
    this.#settled = new Map();
    for (const registration of this.#records.living()) {
      if (this.#mayBeAbsent(registration, t)) continue;
      const known = this.#settled.get(registration.service) ?? [];
      this.#settled.set(registration.service, [...known, registration]);
    }
  }

  /** Judges a push; the records are still those of before it. */
  pushed(push: Push): Finding[] {
    const subscription = this.#records.subscriptions.get(push.subscription);
    if (subscription === undefined) return [];
    const version = BigInt(push.version);
    const text = listText(push.tokens);
    const findings = [
      ...this.#order(push, version),
      ...this.#content(push, subscription, text),
      ...this.#authors(push, subscription),
    ];
    // The client drops a list that is not newer: it is not shown.
    if (subscription.shown !== undefined && version <= subscription.shown.version) return findings;
    const list: ShownList = { t: push.t, version, tokens: push.tokens, text };
    return [...findings, ...this.#missing(subscription, list), ...this.#revived(subscription, list)];
  }

  #order({ subscription, connection, version: text, t, client }: Push, version: bigint): Finding[] {
    const key = `${subscription} ${connection}`;
    const last = this.#onConnection.get(key) ?? 0n;
    this.#onConnection.set(key, version);
    if (version >= last) return [];
    return [finding("version went back", t, `${subscription} of ${client} got v${text} after v${last}`)];
  }

  /** One version of a service is one list, for every subscriber. */
  #content({ version, t, client }: Push, { name, service }: KnownSubscription, text: string): Finding[] {
    const key = `${service} ${version}`;
    const known = this.#contents.get(key);
    this.#contents.set(key, known ?? text);
    if (known === undefined || known === text) return [];
    return [finding("list not whole", t, `${name} of ${client}: v${version} is [${text}], and elsewhere [${known}]`)];
  }

  /** Every entry was published before, and none occurs twice. */
  #authors({ tokens, t, client, version }: Push, { name, service }: KnownSubscription): Finding[] {
    const seen = new Set<string>();
    for (const token of tokens) {
      const read = readToken(token);
      const author = read === undefined ? undefined : this.#records.registrations.get(read.registration);
      const isCalled = author?.service === service && author.calls.some((call) => call.token === token);
      const where = `${name} of ${client}, v${version}`;
      if (read === undefined || !isCalled) {
        return [finding("list not whole", t, `${where} shows ${token}, which nobody has published`)];
      }
      if (seen.has(read.registration)) {
        return [finding("list not whole", t, `${where} shows ${read.registration} twice: [${listText(tokens)}]`)];
      }
      seen.add(read.registration);
    }
    return [];
  }

  /** Entries that were in the last list, or everywhere when the cluster was at rest, and are missing from this one. */
  #missing(subscription: KnownSubscription, list: ShownList): Finding[] {
    const { shown, service } = subscription;
    const now = versionsIn(list.tokens);
    const before = versionsIn(shown?.tokens ?? []);
    for (const { name, acks } of this.#settled.get(service) ?? []) {
      if (!before.has(name)) before.set(name, acks[0]?.version ?? 1);
    }
    return [...before].flatMap(([name, version]) => {
      const shownNow = now.get(name);
      const versions = `v${list.version} (before: v${shown?.version ?? 0n})`;
      const where = `${subscription.name} of ${subscription.client}: ${versions}`;
      const lists = `[${shown?.text ?? ""}] -> [${list.text}]`;
      if (shownNow !== undefined && shownNow >= version) return [];
      if (shownNow !== undefined) {
        return [finding("old content again", list.t, `${where} shows ${name}~${shownNow} after ~${version}: ${lists}`)];
      }
      return this.#unexplained(subscription, name, { version, t: list.t })
        ? [finding("removal seen", list.t, `${where} is without ${name}: ${lists}`)]
        : [];
    });
  }

  /** False, and remembered, if there is a reason why the registration is gone. */
  #unexplained(subscription: KnownSubscription, name: string, last: { version: number; t: number }): boolean {
    const registration = this.#records.registrations.get(name);
    if (registration === undefined) return false;
    const takenBack = registration.calls.find(({ token, version }) => token === null && version > last.version);
    const key = `${subscription.name} ${name}`;
    if (takenBack !== undefined) this.#gone.set(key, takenBack.version);
    else if (this.#records.deaths.has(registration.client)) this.#gone.set(key, Number.POSITIVE_INFINITY);
    else return !this.#mayBeAbsent(registration, last.t);
    return false;
  }

  /** A registration that was seen to go for good comes back only if it was registered anew. */
  #revived(subscription: KnownSubscription, list: ShownList): Finding[] {
    const findings: Finding[] = [];
    for (const [name, version] of versionsIn(list.tokens)) {
      const fromVersion = this.#gone.get(`${subscription.name} ${name}`);
      if (fromVersion === undefined || version > fromVersion) continue;
      const what = `${subscription.name} of ${subscription.client}: v${list.version} shows ${name}~${version} again`;
      findings.push(finding("ghost", list.t, `${what}, which was seen to go: [${list.text}]`));
    }
    return findings;
  }

  #mayBeAbsent({ client }: KnownRegistration, t: number): boolean {
    return this.#absences.some(({ clients, fromMs, untilMs }) => clients.has(client) && fromMs <= t && t <= untilMs);
  }
}

function versionsIn(tokens: readonly string[]): Map<string, number> {
  const versions = new Map<string, number>();
  for (const token of tokens) {
    const read = readToken(token);
    if (read !== undefined) versions.set(read.registration, read.version);
  }
  return versions;
}

function finding(rule: Rule, t: number, text: string): Finding {
  return { rule, t, text };
}
