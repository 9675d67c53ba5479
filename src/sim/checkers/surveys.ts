// Surveys: each is answered in its time, names no session twice, and says of every member that the asked session knows
// whether it has answered. Each row is true: of a client that has made this registration, at this host, and has been at
// this session. At the end, every session answers for all, with exactly what the living clients have.

import { hostOf, type NodeId, type ServiceKey } from "../../model/ids.ts";
import type { SubscriberRow, SurveyKind, SurveyRows } from "../../model/survey.ts";
import { NO_VERSION } from "../../model/version.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding, Rule } from "./checker.ts";
import { OpenQuestions } from "./openQuestions.ts";

type Asked = Fact & { readonly kind: "surveyAsked" };
type Answered = Fact & { readonly kind: "surveyAnswered" };

/** A registration as a row tells it. */
interface Told {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
}

/** A subscriber object of a client. */
interface KnownSubscriber {
  readonly client: string;
  readonly service: ServiceKey;
  readonly registId: string;
  isSubscribed: boolean;
  /** The versions of the lists that came to it. */
  readonly shown: Set<bigint>;
}

export class SurveyChecker implements Checker {
  readonly #evidence: Pick<Evidence, "registrations">;
  readonly #open = new OpenQuestions<Asked>();
  readonly #last: { readonly asked: Asked; readonly answered: Answered }[] = [];
  /** The sessions among the members that each session has heard last. */
  readonly #members = new Map<NodeId, ReadonlySet<NodeId>>();
  readonly #subscribers = new Map<string, KnownSubscriber>();
  /** The sessions that each client has ever been connected to. */
  readonly #sessions = new Map<string, Set<string>>();

  constructor(evidence: Pick<Evidence, "registrations">) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "surveyAsked":
        this.#open.ask(fact, nowMs);
        return undefined;
      case "surveyGivenUp":
        this.#open.take(fact.question);
        return undefined;
      case "surveyAnswered":
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
        this.#learn(fact);
        return this.#overdue(nowMs);
    }
  }

  #learn(fact: Fact): void {
    switch (fact.kind) {
      case "connected": {
        const sessions = this.#sessions.get(fact.client) ?? new Set();
        this.#sessions.set(fact.client, sessions.add(fact.session));
        return;
      }
      case "subscribed": {
        const { client, service, registId } = fact;
        const shown = this.#subscribers.get(keyOf(fact))?.shown ?? new Set();
        this.#subscribers.set(keyOf(fact), { client, service, registId, isSubscribed: true, shown });
        return;
      }
      case "unsubscribed": {
        const known = this.#subscribers.get(keyOf(fact));
        if (known !== undefined) known.isSubscribed = false;
        return;
      }
      case "pushed":
        this.#subscribers.get(keyOf(fact))?.shown.add(fact.version);
        return;
      case "learned":
        if (fact.role !== "session" || fact.message.kind !== "members") return;
        this.#members.set(
          fact.node,
          new Set(fact.message.members.list.flatMap(({ role, id }) => (role === "session" ? [id] : []))),
        );
        return;
      default:
    }
  }

  #overdue(nowMs: number): Finding | undefined {
    const overdue = this.#open.overdue(nowMs);
    if (overdue === undefined) return undefined;
    const text = `${overdue.node} has not answered a survey of ${overdue.survey.of} within ${overdue.waitMs} ms`;
    return finding("quiet: nothing waits for ever", text);
  }

  #answered(answered: Answered): Finding | undefined {
    const { question, node, error } = answered;
    const asked = this.#open.take(question);
    if (asked === undefined) return finding("bug", `${node} answers a survey that nobody asks for any more`);
    if (error !== undefined) return finding("bug", `${node} answers a survey with ${error.code}`);
    if (asked.isLast) this.#last.push({ asked, answered });
    return this.#wrongSessions(asked, answered) ?? this.#wrongRows(asked, answered);
  }

  /** A session answers twice, or is neither among those that answered nor among those that did not. */
  #wrongSessions({ reach }: Asked, { node, sessions, unanswered, isWhole }: Answered): Finding | undefined {
    const named = [...sessions.map(({ session }) => session), ...unanswered];
    if (new Set(named).size !== named.length) return finding("bug", `${node} names a session twice`);
    const isKnown = reach === "session" || this.#members.has(node);
    if (isWhole !== (isKnown && unanswered.length === 0))
      return finding("bug", `${node} is wrong about its own answer`);
    const expected = reach === "session" ? [node] : [...(this.#members.get(node) ?? []), node];
    const left = expected.find((session) => !named.includes(session));
    return left && finding("settled: a healed cluster is whole", `${node} leaves out that ${left} has not answered`);
  }

  #wrongRows(asked: Asked, { node, sessions }: Answered): Finding | undefined {
    for (const { session, rows } of sessions) {
      if (rows.of !== asked.survey.of) return finding("bug", `${node} tells ${rows.of}, not ${asked.survey.of}`);
      if (rows.rows.length > asked.survey.rowsMax) return finding("bug", `${node} tells too many rows of ${session}`);
      const wrong = this.#wrongRowsOf(asked, session, rows);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  #wrongRowsOf({ survey, hosts }: Asked, session: NodeId, rows: SurveyRows): Finding | undefined {
    if (rows.of !== "publishers" && rows.of !== "subscribers") return undefined;
    const known = new Set(hosts.values());
    for (const row of rows.rows) {
      const text = `${session} tells ${rows.of} ${row.registId} of ${row.client}`;
      if (survey.serviceKey !== undefined && row.serviceKey !== survey.serviceKey) return finding("bug", text, row);
      if (survey.host !== "" && hostOf(row.client) !== survey.host) return finding("bug", text, row);
      if (survey.appName !== "" && row.appName !== survey.appName) return finding("bug", text, row);
      // A stranger is after registrations of others, and not watched.
      if (!known.has(hostOf(row.client))) continue;
      const client = this.#makers(rows.of, row).find((name) => hosts.get(name) === hostOf(row.client));
      if (client === undefined || this.#sessions.get(client)?.has(session) !== true) {
        return finding("owner: a registration is its client's", text, row);
      }
      if ("pushedVersion" in row && row.pushedVersion === NO_VERSION && row.pushedMs !== 0) {
        return finding("bug", `${text}, which was sent nothing, at a time`, row);
      }
    }
    return undefined;
  }

  /** The clients that have made this registration at some time. */
  #makers(of: SurveyKind, row: Told): string[] {
    if (of === "publishers") {
      return this.#evidence.registrations.twins(row.serviceKey, row.registId).map(({ client }) => client);
    }
    const known = this.#subscribers.get(keyOf({ service: row.serviceKey, registId: row.registId }));
    return known === undefined ? [] : [known.client];
  }

  #over(): Finding | undefined {
    for (const { node, survey } of this.#open.values()) {
      return finding("7 convergence", `${node} has not answered a survey of ${survey.of}`);
    }
    for (const { asked, answered } of this.#last) {
      const found = this.#notWhole(asked, answered) ?? this.#wrongAtLast(asked, answered);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #notWhole({ node, survey }: Asked, { isWhole, isCut, unanswered }: Answered): Finding | undefined {
    if (isWhole && !isCut) return undefined;
    return finding("7 convergence", `${node} has a survey of ${survey.of} without ${unanswered.join(" ")}`);
  }

  #wrongAtLast(asked: Asked, { sessions }: Answered): Finding | undefined {
    const told = new Map<string, string[]>();
    for (const { session, rows } of sessions) {
      for (const text of textsOf(rows, session)) told.set(text, [...(told.get(text) ?? []), session]);
    }
    const expected = new Set(this.#expected(asked));
    for (const text of expected) {
      if (told.get(text)?.length === 1) continue;
      return finding("7 convergence", `${asked.node} tells ${told.get(text)?.length ?? 0} times: ${text}`);
    }
    // Which of several clients has a registId that they share is for other checkers.
    const known = new Set(asked.hosts.values());
    const isOther = (text: string) =>
      !expected.has(text) && !this.#isShared(text) && known.has(text.split(" ").at(-2) ?? "");
    const more = [...told.keys()].find(isOther);
    if (more !== undefined) return finding("7 convergence", `${asked.node} tells what is not there: ${more}`);
    const total = this.#wrongTotal(asked, sessions);
    if (total !== undefined) return total;
    for (const { rows } of sessions) {
      const stale = rows.of === "subscribers" ? rows.rows.find((row) => this.#isStale(row)) : undefined;
      if (stale === undefined) continue;
      const text = `${asked.node} tells that ${stale.registId} was sent ${stale.pushedVersion}`;
      return finding("7 convergence", text, stale);
    }
    return undefined;
  }

  /** Counts of any kind have all subscribers of the living clients, each once. */
  #wrongTotal(asked: Asked, sessions: Answered["sessions"]): Finding | undefined {
    const { survey, node } = asked;
    let total = 0;
    for (const { rows } of sessions) {
      if (rows.of !== "services" && rows.of !== "applications" && rows.of !== "sessions") return undefined;
      for (const { subscribers } of rows.rows) total += subscribers;
    }
    const expected = this.#expected({ ...asked, survey: { ...survey, of: "subscribers" } }).length;
    if (total === expected) return undefined;
    return finding("7 convergence", `${node} counts ${total} subscribers by ${survey.of}, not ${expected}`);
  }

  /** The rows of the living clients, in the same words. */
  #expected({ survey, client: asked, hosts }: Asked): string[] {
    const isMeant = (client: string) => asked === "" || hosts.get(client) === hosts.get(asked);
    const clients = [...hosts.keys()].filter((client) => isMeant(client) && this.#sessionOf(client) !== undefined);
    const at = (client: string) => `${hosts.get(client)} ${this.#sessionOf(client)}`;
    const isHere = (client: string) => clients.includes(client);
    switch (survey.of) {
      case "clients":
        return clients.map((client) => `client ${at(client)}`);
      case "subscribers":
        return [...this.#subscribers.values()].flatMap(({ client, service, registId, isSubscribed }) =>
          isSubscribed && isHere(client) ? [`subscribers ${registId} ${service} at ${at(client)}`] : [],
        );
      case "publishers":
        return [...this.#evidence.registrations.all()].flatMap(({ client, service, registId, isRegistered }) => {
          const isAlone = this.#evidence.registrations.twins(service, registId).length === 1;
          return isRegistered && isAlone && isHere(client)
            ? [`publishers ${registId} ${service} at ${at(client)}`]
            : [];
        });
      default:
        return [];
    }
  }

  #isShared(text: string): boolean {
    const [kind, registId = "", service = ""] = text.split(" ");
    return kind === "publishers" && this.#evidence.registrations.twins(service as ServiceKey, registId).length > 1;
  }

  /** The session of a living client; undefined if the client is dead or not connected. */
  #sessionOf(name: string): string | undefined {
    const { diedMs, open } = this.#evidence.registrations.client(name);
    return diedMs === undefined ? [...open.values()].at(-1)?.session : undefined;
  }

  /** The row tells a list that never came to the subscriber. */
  #isStale({ serviceKey, registId, pushedVersion }: SubscriberRow): boolean {
    const known = this.#subscribers.get(keyOf({ service: serviceKey, registId }));
    return pushedVersion !== NO_VERSION && known?.shown.has(pushedVersion) !== true;
  }
}

function keyOf({ service, registId }: { readonly service: ServiceKey; readonly registId: string }): string {
  return `${registId} ${service}`;
}

function finding(rule: Rule, text: string, of?: Pick<Told, "serviceKey">): Finding {
  return { rule, service: of?.serviceKey, text };
}

/** Rows of registrations and clients in words, with their hosts and sessions at the end. */
function textsOf(rows: SurveyRows, session: NodeId): string[] {
  switch (rows.of) {
    case "publishers":
    case "subscribers":
      return rows.rows.map((row) => `${rows.of} ${row.registId} ${row.serviceKey} at ${hostOf(row.client)} ${session}`);
    case "clients":
      return rows.rows.map(({ client }) => `client ${hostOf(client)} ${session}`);
    default:
      return [];
  }
}
