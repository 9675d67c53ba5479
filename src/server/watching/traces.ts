// Spans by OpenTelemetry's API, if the setting trace-one-in asks for them: of each publication until it is answered, of
// each version that is made, and of each push until it is confirmed. The operator brings the SDK that receives them,
// with `node --import`; without one the API does nothing. The API is loaded only if spans are wanted.

import type { Attributes, Context, Link, Span, SpanContext, Tracer } from "@opentelemetry/api";
import type { Clock, Log } from "../../base/ports.ts";
import type { MadeVersion } from "../../data/dataPorts.ts";
import type { ClientId } from "../../model/ids.ts";
import { timeOf } from "../../model/version.ts";
import { packageVersion } from "../packageVersion.ts";
import type { ClientObserver, ClientRequest } from "./clientObserver.ts";
import { isTraced, publicationTrace, type TraceIds, versionTrace } from "./traceIds.ts";

type Api = typeof import("@opentelemetry/api");

/** The spans of a node. */
export interface Traces {
  readonly clients: ClientObserver;
  versionMade(made: MadeVersion): void;
}

interface TracesEnvironment {
  readonly oneIn: number;
  readonly clock: Clock;
  readonly log: Log;
}

// A client has at most half of this many pushes under way, and some that are late.
const SPANS_PER_CLIENT_MAX = 256;
// The links of a version to the publications that it contains: a batch may have 500.
const LINKS_MAX = 32;

/** The spans of this node; undefined if none are wanted. */
export async function openTraces({ oneIn, clock, log }: TracesEnvironment): Promise<Traces | undefined> {
  if (oneIn === 0) return undefined;
  const api = await import("@opentelemetry/api");
  const tracer = api.trace.getTracer("roster", packageVersion());
  const probe = tracer.startSpan("roster start", {}, rootContext(api, PROBE));
  if (!probe.isRecording()) log.warn("traces go nowhere: load an OpenTelemetry SDK with node --import", { oneIn });
  probe.end();
  return new Spans(api, tracer, { oneIn, clock });
}

// The span that shows whether an SDK is there; each start of a node is in this trace.
const PROBE: TraceIds = { traceId: `${"0".repeat(31)}1`, spanId: `${"0".repeat(15)}1` };

/** A context whose span is not here: what begins in it belongs to its trace. */
function rootContext({ trace, ROOT_CONTEXT }: Api, ids: TraceIds): Context {
  return trace.setSpanContext(ROOT_CONTEXT, remote(ids));
}

function remote(ids: TraceIds): SpanContext {
  // Sampled, by our own choice: the SDK's sampler follows its parent unless the operator has set another one.
  return { ...ids, traceFlags: 1, isRemote: true };
}

class Spans implements Traces {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #oneIn: number;
  readonly #clock: Clock;
  /** The spans that wait for an answer, by client and by the number of request or push. */
  readonly #requests = new Map<ClientId, Map<number, Span>>();
  readonly #pushes = new Map<ClientId, Map<number, Span>>();

  constructor(api: Api, tracer: Tracer, { oneIn, clock }: Pick<TracesEnvironment, "oneIn" | "clock">) {
    this.#api = api;
    this.#tracer = tracer;
    this.#oneIn = oneIn;
    this.#clock = clock;
  }

  readonly clients: ClientObserver = {
    requested: (request) => this.#requested(request),
    answered: (client, request, outcome) => {
      const error = outcome.kind === "failed" ? outcome.error.code : undefined;
      this.#end(this.#requests, client, { number: request, error });
    },
    pushed: (client, { id, view, registIds }) => {
      if (!isTraced(view.serviceKey, timeOf(view.version), this.#oneIn)) return;
      const attributes = {
        "roster.service": view.serviceKey,
        "roster.version": String(view.version),
        "roster.publishers": view.publications.size,
        "roster.subscribers": registIds.length,
        "roster.client": client,
      };
      this.#keep(this.#pushes, client, {
        number: id,
        span: this.#start("roster push", versionTrace(view), attributes),
      });
    },
    pushAnswered: (client, push, isTaken) => {
      this.#end(this.#pushes, client, { number: push, error: isTaken ? undefined : "refused" });
    },
    disconnected: (client) => {
      for (const spans of [this.#requests, this.#pushes]) {
        for (const number of [...(spans.get(client)?.keys() ?? [])]) {
          this.#end(spans, client, { number, error: "the connection ended" });
        }
      }
    },
  };

  versionMade({ serviceKey, version, changes }: MadeVersion): void {
    if (!isTraced(serviceKey, timeOf(version), this.#oneIn)) return;
    const links: Link[] = [];
    for (const change of changes) {
      if (links.length === LINKS_MAX) break;
      if (change.kind !== "put") continue;
      const { registId, version: registered } = change.publication;
      links.push({ context: remote(publicationTrace({ serviceKey, registId, version: registered })) });
    }
    const attributes = {
      "roster.service": serviceKey,
      "roster.version": String(version),
      "roster.changes": changes.length,
    };
    this.#start("roster version", versionTrace({ serviceKey, version }), attributes, links).end();
  }

  #requested({ kind, client, request, serviceKey, registId, version }: ClientRequest): void {
    if (kind !== "published" && kind !== "unpublished") return;
    if (!isTraced(serviceKey, this.#clock.nowMs(), this.#oneIn)) return;
    const span = this.#start(
      kind === "published" ? "roster publish" : "roster unpublish",
      publicationTrace({ serviceKey, registId, version }),
      {
        "roster.service": serviceKey,
        "roster.regist_id": registId,
        "roster.registration_version": String(version),
        "roster.client": client,
      },
    );
    this.#keep(this.#requests, client, { number: request, span });
  }

  #start(name: string, ids: TraceIds, attributes: Attributes, links: Link[] = []): Span {
    return this.#tracer.startSpan(name, { attributes, links }, rootContext(this.#api, ids));
  }

  #keep(all: Map<ClientId, Map<number, Span>>, client: ClientId, { number, span }: { number: number; span: Span }) {
    const spans = all.get(client) ?? new Map<number, Span>();
    all.set(client, spans);
    const [oldest] = spans.keys();
    if (oldest !== undefined && spans.size >= SPANS_PER_CLIENT_MAX) {
      this.#end(all, client, { number: oldest, error: "no answer" });
    }
    spans.set(number, span);
    all.set(client, spans);
  }

  #end(
    all: Map<ClientId, Map<number, Span>>,
    client: ClientId,
    { number, error }: { number: number; error: string | undefined },
  ): void {
    const spans = all.get(client);
    const span = spans?.get(number);
    if (spans === undefined || span === undefined) return;
    spans.delete(number);
    if (spans.size === 0) all.delete(client);
    if (error !== undefined) span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: error });
    span.end();
  }
}
