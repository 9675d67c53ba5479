// From the bytes of a query to those of its answer, for both transports.

import { RegistryError } from "../../base/errors.ts";
import { decodeQuery, malformedId } from "../../encoding/dns/decodeQuery.ts";
import { encodeAnswer, encodeRefusal, TCP_BYTES_MAX, udpBytesMax } from "../../encoding/dns/encodeAnswer.ts";
import {
  DNS_CODE,
  DNS_CODE_BAD_VERSION,
  type DnsAnswer,
  type DnsCode,
  type DnsQuery,
} from "../../encoding/dns/message.ts";
import { answerTo, type Known, type Zone } from "./answer.ts";
import type { DnsMetrics } from "./metricTable.ts";
import type { DnsServices } from "./services.ts";

/** Lists that may not have come yet. */
export interface HeldServices {
  when(state: "shown", nowMs: number, then: (services: DnsServices, nowMs: number) => void, refuse: () => void): void;
}

export interface ResolverParts {
  readonly zone: Zone;
  readonly udpAnswersMax: number;
  readonly held: HeldServices;
  readonly servers: Known["servers"];
  /** Whether this node takes clients now. */
  readonly isServing: () => boolean;
  /** The services that an asker at this address may see. */
  readonly visible: (services: DnsServices, from: string) => Known["services"];
  readonly metrics: Pick<DnsMetrics, "add">;
}

export interface Message {
  readonly bytes: Uint8Array;
  readonly transport: "udp" | "tcp";
  /** The IP address of the sender. */
  readonly from: string;
}

type Outcome = "ok" | "empty" | "unknown" | "refused" | "malformed" | "unavailable" | "dropped";

export class Resolver {
  readonly #parts: ResolverParts;
  #turn = 0;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  /** Calls `respond` once with an answer. Returns false for bytes that get none. */
  resolve(message: Message, nowMs: number, respond: (bytes: Uint8Array) => void): boolean {
    const query = this.#read(message);
    if (query !== undefined) this.#resolve(query, message, nowMs, respond);
    const id = query === undefined ? malformedId(message.bytes) : undefined;
    // The answer is shorter than the message, so it amplifies nothing.
    if (id !== undefined) respond(encodeRefusal(id, DNS_CODE.formatError));
    return query !== undefined || id !== undefined;
  }

  #resolve(query: DnsQuery, message: Message, nowMs: number, respond: (bytes: Uint8Array) => void): void {
    const { transport } = message;
    const bytesMax = transport === "udp" ? udpBytesMax(query) : TCP_BYTES_MAX;
    const send = (answer: DnsAnswer, outcome: Outcome) => {
      this.count(transport, outcome);
      respond(encodeAnswer(query, answer, bytesMax));
    };
    if (query.opcode !== 0) return send(codeOnly(DNS_CODE.notImplemented), "refused");
    if ((query.edns?.version ?? 0) !== 0) return send(codeOnly(DNS_CODE_BAD_VERSION), "refused");
    const fail = () => send(codeOnly(DNS_CODE.serverFailure), "unavailable");
    if (!this.#parts.isServing()) return fail();
    const then = (services: DnsServices, atMs: number) => {
      const answer = this.#answer(query, message, services, atMs);
      send(answer, outcomeOf(answer));
    };
    this.#parts.held.when("shown", nowMs, then, fail);
  }

  /** Counts a message that was not resolved. */
  count(transport: Message["transport"], outcome: Outcome): void {
    this.#parts.metrics.add("roster_dns_queries_total", 1, { transport, outcome });
  }

  #read({ bytes, transport }: Message): DnsQuery | undefined {
    try {
      return decodeQuery(bytes);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.count(transport, "malformed");
      return undefined;
    }
  }

  #answer({ question }: DnsQuery, { transport, from }: Message, services: DnsServices, nowMs: number): DnsAnswer {
    const { zone, udpAnswersMax, servers, visible } = this.#parts;
    const answersMax = transport === "udp" ? udpAnswersMax : Number.POSITIVE_INFINITY;
    const turn = this.#turn++;
    return answerTo({ question, answersMax, turn, nowMs }, zone, { services: visible(services, from), servers });
  }
}

function codeOnly(code: DnsCode): DnsAnswer {
  return { code, isAuthoritative: false, answers: [], authorities: [], additionals: [] };
}

function outcomeOf({ code, answers }: DnsAnswer): Outcome {
  switch (code) {
    case DNS_CODE.ok:
      return answers.length > 0 ? "ok" : "empty";
    case DNS_CODE.nameError:
      return "unknown";
    default:
      return "refused";
  }
}
