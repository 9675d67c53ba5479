// Questions about an address: each is answered in its time, with registrations that the client at that address has
// made, each once. No kind has more entries than were asked for, and an answer is cut only if some kind has as many. At
// the end, every session answers with exactly the registrations that the living client has, and with the subscriptions
// of those that are connected to it, or says that the answer is cut.

import { hostOf } from "../../model/ids.ts";
import type { Registration } from "../../model/publication.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding, Rule } from "./checker.ts";
import { OpenQuestions } from "./openQuestions.ts";
import type { KnownClient, KnownRegistration } from "./registrations.ts";

type Asked = Fact & { readonly kind: "addressAsked" };
type Answered = Fact & { readonly kind: "addressAnswered" };

export class AddressChecker implements Checker {
  readonly #evidence: Pick<Evidence, "registrations">;
  readonly #open = new OpenQuestions<Asked>();
  /** The answers to the last questions. */
  readonly #last: { readonly asked: Asked; readonly answered: Answered }[] = [];

  constructor(evidence: Pick<Evidence, "registrations">) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "addressAsked":
        this.#open.ask(fact, nowMs);
        return undefined;
      case "addressGivenUp":
        this.#open.take(fact.question);
        return undefined;
      case "addressAnswered":
        return this.#answered(fact);
      case "paused":
        this.#open.paused(fact);
        return undefined;
      case "stopped":
        this.#open.stopped(fact.node);
        return undefined;
      case "over":
        return this.#over();
      default:
        return this.#overdue(nowMs);
    }
  }

  #overdue(nowMs: number): Finding | undefined {
    const overdue = this.#open.overdue(nowMs);
    if (overdue === undefined) return undefined;
    const text = `${overdue.node} has not told within ${overdue.waitMs} ms what is at ${overdue.host}`;
    return finding("quiet: nothing waits for ever", text);
  }

  #answered(answered: Answered): Finding | undefined {
    const { question, node, error } = answered;
    const asked = this.#open.take(question);
    if (asked === undefined) return finding("bug", `${node} answers what nobody asks any more`);
    const code = asked.isAddress ? undefined : "FIELD_INVALID";
    if (error?.code !== code) return finding("bug", `${node} answers ${error?.code}, not ${code}`);
    if (asked.isLast) this.#last.push({ asked, answered });
    return this.#wrongCount(asked, answered) ?? this.#wrongEntries(asked, answered);
  }

  /** The answer has more than was asked for, or is cut although each kind has less. */
  #wrongCount({ entriesMax }: Asked, answered: Answered): Finding | undefined {
    const { node, registrations, subscriptions, clients, configWatches, isCut } = answered;
    const most = Math.max(registrations.length, subscriptions.length, clients, configWatches);
    if (most > entriesMax) return finding("bug", `${node} tells ${most} entries, not ${entriesMax}`);
    if (isCut && most < entriesMax) return finding("bug", `${node} cuts an answer of ${most} entries to ${entriesMax}`);
    return undefined;
  }

  #wrongEntries(asked: Asked, { node, registrations }: Answered): Finding | undefined {
    const seen = new Set<string>();
    for (const registration of registrations) {
      const { serviceKey, registId, version } = registration;
      const key = `${registId} ${serviceKey}`;
      const what = `${node} tells ${registId} v${version} at ${asked.host}`;
      if (seen.has(key)) return finding("bug", `${what} twice`, registration);
      seen.add(key);
      if (!this.#wasMade(asked, registration)) {
        return finding(
          "owner: a registration is its client's",
          `${what}, which ${asked.client} did not make`,
          registration,
        );
      }
    }
    return undefined;
  }

  /** The client at the asked address has made the registration, under this version or a later one by now. */
  #wasMade({ client, host }: Asked, { serviceKey, registId, version, owner }: Registration): boolean {
    const twins = this.#evidence.registrations.twins(serviceKey, registId);
    return hostOf(owner.client) === host && twins.some((twin) => twin.client === client && version <= twin.version);
  }

  #over(): Finding | undefined {
    for (const { node, host } of this.#open.values()) {
      return finding("7 convergence", `${node} has not told what is at ${host}`);
    }
    for (const { asked, answered } of this.#last) {
      const notCut = this.#notCut(asked, answered);
      if (notCut !== undefined) return notCut;
      if (answered.isCut) continue;
      if (!answered.isWhole) return finding("7 convergence", `${asked.node} was not told all that is at ${asked.host}`);
      const found = this.#wrongRegistrations(asked, answered) ?? this.#wrongSubscriptions(asked, answered);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The client has more than was asked for, and the answer is not cut. */
  #notCut({ client, node, host, entriesMax }: Asked, { isCut }: Answered): Finding | undefined {
    if (isCut) return undefined;
    const mine = [...this.#ofClient(client)].filter(([twins, one]) => twins.length === 1 && this.#isLive(one)).length;
    if (mine <= entriesMax) return undefined;
    return finding("7 convergence", `${node} does not say that ${host} has ${mine}, more than ${entriesMax}`);
  }

  #wrongRegistrations({ client, node, host }: Asked, { registrations }: Answered): Finding | undefined {
    const told = new Map(registrations.map((one) => [`${one.registId} ${one.serviceKey}`, one]));
    for (const [twins, mine] of this.#ofClient(client)) {
      const key = `${mine.registId} ${mine.service}`;
      const isTold = told.delete(key);
      // Which of several living clients has a registId that they share is for other checkers.
      if (isTold ? this.#isLive(mine) : !this.#isLive(mine) || twins.length > 1) continue;
      const text = `${node} tells that ${mine.registId} is ${isTold ? "" : "not "}at ${host}`;
      return finding("7 convergence", text, { serviceKey: mine.service });
    }
    return undefined;
  }

  *#ofClient(client: string): Generator<readonly [readonly KnownRegistration[], KnownRegistration]> {
    for (const one of this.#evidence.registrations.all()) {
      if (one.client === client) yield [this.#evidence.registrations.twins(one.service, one.registId), one];
    }
  }

  #wrongSubscriptions({ client, node, host }: Asked, { subscriptions }: Answered): Finding | undefined {
    const known = this.#evidence.registrations.client(client);
    const told = subscriptions.map(({ registId }) => registId).sort();
    const expected = isAt(known, node) ? [...known.subscriptions.keys()].sort() : [];
    if (told.join(" ") === expected.join(" ")) return undefined;
    return finding(
      "7 convergence",
      `${node} tells of ${host} the subscribers ${told.join(" ")}, not ${expected.join(" ")}`,
    );
  }

  #isLive({ client, isRegistered }: KnownRegistration): boolean {
    return isRegistered && this.#evidence.registrations.client(client).diedMs === undefined;
  }
}

/** The client lives and is connected to this session. */
function isAt({ diedMs, open }: KnownClient, node: string): boolean {
  return diedMs === undefined && [...open.values()].some(({ session }) => session === node);
}

function finding(rule: Rule, text: string, of?: Pick<Registration, "serviceKey">): Finding {
  return { rule, service: of?.serviceKey, text };
}
