// Applications that are deployed again and again: each deployment registers a revision at a session and publishes an
// instance that names it. Others subscribe to the applications, ask the session that shows them an instance what its
// revision says, and ask which applications offer a service. As real clients do, a client whose heartbeat is answered
// "unknown" registers its revision again.

import { textOf, utf8String } from "../../base/text.ts";
import { type AppRevision, REVISION_ATTRIBUTE } from "../../model/appRevision.ts";
import type { NodeId } from "../../model/ids.ts";
import type { RevisionsFound } from "../../registry/apps.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import type { Fact } from "../facts.ts";
import type { App } from "./app.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";
import type { Workload } from "./workload.ts";

const DEPLOY_MS = 900;
const SUBSCRIBE_MS = 600;
const HEARTBEAT_MS = 1_500;
const ASK_MS = 800;
const ANSWER_MS = 2_500;
// A client tries again after it was refused or not answered.
const RETRY_MS = 500;
const NEW_REVISION_CHANCE = 0.5;
const SERVICES = ["i1", "i2", "i3", "i4", "i5"];
const INSTANCES_MAX = 4;
// Of a client: while the meta nodes are away, maybe for an hour, each registration is repeated every three seconds.
const REGISTERING_MAX = 4;
// A registration that was not repeated for this long was lost with its session.
const LOST_MS = 2 * (ANSWER_MS + RETRY_MS);
const WATCHED_MAX = 6;

/** An instance is taken down with its client; the revision of a deployment stays known for the next one. */
interface Application {
  readonly name: string;
  revisions: number;
  newest: AppRevision | undefined;
}

/** A registration that is under way, and the last time at which it was sent. */
interface Registering {
  readonly app: App;
  readonly revision: AppRevision;
  readonly done: () => void;
  sentMs: number;
}

type NodeEvent = Parameters<NonNullable<SimNode["session"]>["step"]>[0];

export class Deployments {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #applications: readonly Application[];
  readonly #byId = new Map<string, AppRevision>();
  /** The revision of each token. */
  readonly #revisionOf = new Map<string, string>();
  readonly #registering = new Set<Registering>();
  #questions = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster, workload: Workload) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#workload = workload;
    this.#applications = Array.from({ length: environment.plan.applications ?? 0 }, (_, at) => ({
      name: `app${at + 1}`,
      revisions: 0,
      newest: undefined,
    }));
  }

  start(): void {
    if (this.#applications.length === 0) return;
    const isOver = () => this.#isOver;
    repeatAtRandom(this.#environment, DEPLOY_MS, () => this.#deploy(), isOver);
    repeatAtRandom(this.#environment, SUBSCRIBE_MS, () => this.#subscribe(), isOver);
    repeatAtRandom(this.#environment, ASK_MS, () => this.#askApps(this.#anySession(), { isLast: false }), isOver);
    repeatAtRandom(
      this.#environment,
      HEARTBEAT_MS,
      () => this.#heartbeat(),
      () => false,
    );
  }

  /** No more deployments. Heartbeats go on. */
  stop(): void {
    this.#isOver = true;
  }

  /** Every session is asked for everything that was ever registered. */
  last(): void {
    if (this.#applications.length === 0) return;
    for (const node of this.#cluster.nodesOf("session")) {
      for (const id of this.#byId.keys()) this.#askRevision(node, id, false);
      this.#askApps(node, { isLast: true });
    }
  }

  /** A client that is shown an instance asks for its revision. */
  see(fact: Fact): void {
    if (fact.kind === "published" && fact.revision !== undefined) this.#revisionOf.set(fact.token, fact.revision);
    if (fact.kind !== "pushed") return;
    const node = this.#cluster.nodesOf("session").find(({ process }) => process?.id === fact.session);
    const revisions = new Set<string>();
    for (const entry of fact.entries) {
      const revision = this.#revisionOf.get(entry.slice(entry.indexOf("/") + 1));
      if (revision !== undefined) revisions.add(revision);
    }
    for (const revision of revisions) if (node !== undefined) this.#askRevision(node, revision, true);
  }

  #deploy(): void {
    const { dice } = this.#environment;
    const app = this.#anyApp();
    if (app === undefined || instancesOf(app).length >= INSTANCES_MAX) return;
    if (this.#registeringOf(app) >= REGISTERING_MAX) return;
    const application = dice.pick(this.#applications);
    if (application.newest === undefined || dice.chance(NEW_REVISION_CHANCE)) {
      application.newest = this.#newRevision(application);
    }
    const revision = application.newest;
    const done = () => {
      if (this.#isOver || !app.isRunning) return;
      app.publish({ dataId: application.name, instanceId: "", group: "" }, undefined, revision.id);
    };
    this.#register({ app, revision, done, sentMs: 0 });
  }

  #registeringOf(app: App): number {
    const { nowMs } = this.#environment.scheduler;
    for (const one of this.#registering) if (one.sentMs + LOST_MS < nowMs) this.#registering.delete(one);
    return [...this.#registering].filter((one) => one.app === app).length;
  }

  #newRevision(application: Application): AppRevision {
    const { dice } = this.#environment;
    const id = `${application.name}.r${++application.revisions}`;
    const services = SERVICES.filter(() => dice.chance(0.4));
    const content = textOf(`${id} offers ${services.join(" ")}`).utf8;
    return { id, application: application.name, services, content };
  }

  /** Registers at the client's session until that says that it is done, as long as the client runs. */
  #register(registering: Registering): void {
    const { app, revision, done } = registering;
    if (!app.isRunning) return;
    const { scheduler, record } = this.#environment;
    registering.sentMs = scheduler.nowMs;
    this.#registering.add(registering);
    const again = () => void scheduler.after(RETRY_MS, () => this.#register(registering));
    const node = this.#sessionOf(app);
    const { id, application, services } = revision;
    const isAsked = this.#step(node, (untilMs, nodeId) => {
      record({ kind: "revisionSent", node: nodeId, revision: id });
      const asker = {
        answer: ({ error }: { readonly error: Error | undefined }) => {
          if (error !== undefined) return again();
          this.#registering.delete(registering);
          this.#byId.set(id, revision);
          record({ kind: "revisionRegistered", node: nodeId, revision: id, application, services });
          done();
        },
      };
      return { kind: "registeredRevision", asker, revision, untilMs };
    });
    if (!isAsked) again();
  }

  #heartbeat(): void {
    for (const app of this.#workload.apps) {
      const ids = [...new Set(instancesOf(app))];
      if (!app.isRunning || ids.length === 0) continue;
      this.#step(this.#sessionOf(app), (untilMs) => {
        const asker = {
          answer: ({ unknown }: { readonly unknown: readonly string[] }) => {
            for (const id of unknown) {
              const revision = this.#byId.get(id);
              if (revision !== undefined) this.#register({ app, revision, done: () => undefined, sentMs: 0 });
            }
          },
        };
        return { kind: "renewedRevisions", asker, ids, untilMs };
      });
    }
  }

  #subscribe(): void {
    const { dice } = this.#environment;
    const app = this.#anyApp();
    if (app === undefined || app.subscribers.length >= WATCHED_MAX) return;
    app.subscribe({ dataId: dice.pick(this.#applications).name, instanceId: "", group: "" }, "global", false);
  }

  #askRevision(node: SimNode, revision: string, isShown: boolean): void {
    const { record } = this.#environment;
    const question = ++this.#questions;
    this.#step(node, (untilMs, id) => {
      record({ kind: "revisionAsked", question, node: id, revision, isShown });
      const asker = {
        answer: ({ found, error }: RevisionsFound) => {
          const bytes = found.get(revision)?.content;
          const content = bytes && utf8String(bytes, 0, bytes.length);
          record({ kind: "revisionTold", question, node: id, revision, content, isShown, ...(error && { error }) });
        },
      };
      return { kind: "askedRevisions", asker, ids: [revision], untilMs };
    });
  }

  #askApps(node: SimNode | undefined, { isLast }: { isLast: boolean }): void {
    const { record } = this.#environment;
    this.#step(node, (untilMs, id) => ({
      kind: "askedServiceApps",
      asker: {
        answer: ({ services, error }) => {
          for (const { service: name, applications } of services) {
            record({ kind: "serviceAppsTold", node: id, name, applications, isLast, ...(error && { error }) });
          }
        },
      },
      services: SERVICES,
      untilMs,
    }));
  }

  /** Steps a session, if it is there. */
  #step(node: SimNode | undefined, toEvent: (untilMs: number, node: NodeId) => NodeEvent): boolean {
    const { session, process } = node ?? {};
    if (session === undefined || process === undefined) return false;
    process.gate.message(() => session.step(toEvent(process.time.clock.nowMs() + ANSWER_MS, process.id)));
    return true;
  }

  #sessionOf(app: App): SimNode | undefined {
    return this.#cluster.nodesOf("session").find(({ process }) => process?.id === app.session);
  }

  #anySession(): SimNode {
    return this.#environment.dice.pick(this.#cluster.nodesOf("session"));
  }

  #anyApp(): App | undefined {
    const running = this.#workload.apps.filter(({ isRunning }) => isRunning);
    return running.length === 0 ? undefined : this.#environment.dice.pick(running);
  }
}

/** The revisions of the client's instances. */
function instancesOf({ publishers }: App): string[] {
  return publishers.flatMap(({ attributes, isRegistered }) => {
    const revision = attributes.get(REVISION_ATTRIBUTE);
    return revision === undefined || !isRegistered ? [] : [revision];
  });
}
