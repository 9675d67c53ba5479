// Application-level discovery in a session: the revisions that it knows, the lists and publications that wait for some,
// and the applications that offer services.

import type { Metrics } from "../base/metrics.ts";
import type { AppAnswer } from "../cluster/messages/apps.ts";
import type { MemberToMeta } from "../cluster/messages/membership.ts";
import { revisionsNamedBy } from "../model/appRevision.ts";
import type { ClientId } from "../model/ids.ts";
import type { AppEvent } from "../registry/apps.ts";
import { AppLists } from "./appLists.ts";
import type { Client } from "./client.ts";
import type { DataLinks } from "./dataLinks.ts";
import { type PublishEvent, PublishGate } from "./publishGate.ts";
import { Revisions } from "./revisions.ts";
import { ServiceAppsWatches } from "./serviceAppsWatches.ts";
import { ShownLists } from "./shownLists.ts";
import type { SubscribedService, Subscriptions } from "./subscriptions.ts";

interface Parts {
  readonly clients: ReadonlyMap<ClientId, Client>;
  readonly subscriptions: Subscriptions;
  readonly links: DataLinks;
}

interface Effects {
  toMeta(message: MemberToMeta): void;
  /** The list of a service has a newer view. */
  show(service: SubscribedService, nowMs: number): void;
  publish(client: Client, event: PublishEvent, nowMs: number): void;
}

// A publication without a revision, in the count of those that were gone through.
const NOTHING = [""];

export class Applications {
  readonly lists: ShownLists;
  readonly gate: PublishGate;
  readonly #clients: Parts["clients"];
  readonly #metrics: Metrics;
  readonly #revisions: Revisions;
  readonly #services: ServiceAppsWatches;
  readonly #all: AppLists;
  #shownBytes: number | undefined;
  #shownLists: number | undefined;

  constructor(
    { clients, subscriptions, links }: Parts,
    { toMeta, show, publish }: Effects,
    { metrics, nowMs }: { metrics: Metrics; nowMs: number },
  ) {
    this.#clients = clients;
    this.#metrics = metrics;
    this.#revisions = new Revisions(
      { toMeta, namedHere: () => this.#namedHere(), namedInLists: () => this.lists.named() },
      nowMs,
    );
    const reissue = ({ serviceKey, list }: SubscribedService) =>
      void links.ask(serviceKey, { kind: "reissue", serviceKey, have: list.state });
    this.lists = new ShownLists({ revisions: this.#revisions, subscriptions }, { show, reissue });
    this.gate = new PublishGate(this.#revisions, publish);
    this.#services = new ServiceAppsWatches(toMeta, nowMs);
    this.#all = new AppLists(toMeta);
  }

  step(event: AppEvent, nowMs: number): void {
    if (event.kind === "askedServiceApps") this.#services.asked(event, nowMs);
    else if (event.kind === "listedApps") this.#all.asked(event);
    else this.#revisions.step(event, nowMs);
  }

  received(message: AppAnswer, nowMs: number): void {
    if (message.kind === "serviceApps") this.#services.received(message.entries);
    else if (message.kind === "appsListed") this.#all.received(message);
    else this.#revisions.received(message, nowMs);
  }

  /** A meta node can be reached, or another one leads. */
  metaUp(nowMs: number): void {
    this.#revisions.renewAll(nowMs);
    this.#services.askAll();
  }

  resumed(nowMs: number): void {
    this.#revisions.resumed(nowMs);
    this.#services.resumed(nowMs);
  }

  nextMs(): number {
    const askedMs = Math.min(this.#revisions.nextMs(), this.#services.nextMs(), this.#all.nextMs());
    return Math.min(askedMs, this.lists.nextMs(), this.gate.nextMs());
  }

  wake(nowMs: number): void {
    if (this.#revisions.takeArrived()) {
      this.gate.arrived(nowMs);
      this.lists.arrived(nowMs);
    }
    this.lists.wake(nowMs);
    this.gate.wake(nowMs);
    this.#revisions.wake(nowMs);
    this.#services.wake(nowMs);
    this.#all.wake(nowMs);
    this.#measure();
  }

  // Each step ends here, and the gauges seldom change.
  #measure(): void {
    const { bytes } = this.#revisions;
    const { size } = this.lists;
    if (bytes !== this.#shownBytes) this.#metrics.set("roster_revisions_kept_bytes", bytes);
    if (size !== this.#shownLists) this.#metrics.set("roster_lists_without_revision", size);
    this.#shownBytes = bytes;
    this.#shownLists = size;
  }

  /** In words, everything that waits. */
  *unfinished(): Generator<string> {
    if (this.#revisions.waiting > 0) yield "a question about revisions waits for its answer";
    if (this.#services.waiting > 0) yield "a question about the applications of a service waits for its answer";
    if (this.#all.waiting > 0) yield "a question about all applications waits for its answer";
    if (this.gate.size > 0) yield "a publication waits for its revision";
    if (this.lists.size > 0) yield "a list waits for revisions";
  }

  *#namedHere(): Generator<string> {
    for (const { publications } of this.#clients.values()) {
      for (const { publication } of publications) {
        const ids = revisionsNamedBy(publication);
        yield* ids.length === 0 ? NOTHING : ids;
      }
    }
  }
}
