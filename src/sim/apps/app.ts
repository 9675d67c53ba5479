// One application with its registry client: publishes and subscribes as the workload tells it, loses its connection as
// the faults tell it, and reports its actions and the lists that it was shown.

import type { Cancel } from "../../base/ports.ts";
import { stringOf, textOf, type WireText } from "../../base/text.ts";
import { REVISION_ATTRIBUTE } from "../../model/appRevision.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Scope } from "../../model/scope.ts";
import type { SofaClientHost, SofaClientOptions } from "../../protocols/sofa/client/host.ts";
import type { SegmentPush } from "../../protocols/sofa/client/messages.ts";
import type { Configurator, Publisher, Registration, Subscriber } from "../../protocols/sofa/client/registration.ts";
import { SofaClient } from "../../protocols/sofa/client/sofaClient.ts";
import { type ServiceName, serviceKeyOf } from "../../protocols/sofa/serviceName.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import { unmark } from "../marking.ts";
import { Gate } from "../network/gate.ts";
import { Wire } from "../network/wire.ts";

export interface AppOptions {
  readonly name: string;
  readonly address: string;
  readonly client: SofaClientOptions;
  /** The sessions to which the client tries to connect next, first to last. */
  readonly sessions: () => readonly SimNode[];
}

const PORT_FIRST = 20_000;

export class App implements SofaClientHost {
  readonly name: string;
  readonly address: string;
  readonly decompress = unmark;
  readonly publishers: Publisher[] = [];
  readonly subscribers: Subscriber[] = [];
  readonly #configurators: Configurator[] = [];
  readonly #environment: SimEnvironment;
  readonly #options: AppOptions;
  readonly #client: SofaClient;
  readonly #gate = new Gate();
  #isHushed = false;
  #wire: Wire | undefined;
  #acceptedMs = 0;
  #session = "";
  #nextRequest = 1;
  #nextRegist = 1;
  #connection = 0;
  #awayUntilMs = 0;
  #isDead = false;
  #cancelTick: Cancel = () => undefined;

  constructor(environment: SimEnvironment, options: AppOptions) {
    this.#environment = environment;
    this.#options = options;
    this.name = options.name;
    this.address = options.address;
    this.#client = new SofaClient(options.client, this, environment.scheduler.nowMs);
    this.#arm();
  }

  get appName(): string {
    return this.#options.client.appName;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** It lives and does not stand still. */
  get isRunning(): boolean {
    return !this.#isDead && !this.#gate.isPaused;
  }

  /** It runs, and its connection stands on both sides and carries its messages. */
  get isWell(): boolean {
    return this.isRunning && this.isConnected && this.#wire?.isOpen === true && !this.#isHushed;
  }

  /** A stranger is after one of its registrations, and might get one that it takes back now. */
  isBeset = false;

  /** The session that it went to last. */
  get session(): string {
    return this.#session;
  }

  get isConnected(): boolean {
    return this.#client.isConnected;
  }

  get undone(): number {
    return this.#client.undone;
  }

  /** Registrations refused to it because another client holds them. */
  get heldByOthers(): readonly { service: ServiceKey; registId: string }[] {
    return this.#client.heldByOthers.map(({ service, registId }) => ({ service: serviceKeyOf(service), registId }));
  }

  nextRequestId(): number {
    return this.#nextRequest++;
  }

  nextRegistId(): string {
    return `${this.name}.${this.#nextRegist++}`;
  }

  connect(): void {
    const { scheduler, dice } = this.#environment;
    scheduler.after(this.#delayMs(), () => {
      if (this.#isDead) return;
      const isAway = scheduler.nowMs < this.#awayUntilMs;
      // A session that does not listen refuses at once, and the next one is tried.
      const session = this.#options.sessions().find((node) => node.isListening);
      const wire = isAway || session === undefined ? undefined : this.#open(session);
      scheduler.after(this.#delayMs(), () =>
        this.#gate.message(() => {
          if (this.#isDead) return;
          if (wire === undefined || !wire.isOpen) this.#client.refused(scheduler.nowMs + dice.below(20));
          else this.#connected(wire);
          this.#arm();
        }),
      );
    });
  }

  onPush(subscriber: Subscriber, push: SegmentPush): void {
    this.#pushed(subscriber, push, true);
  }

  onStalePush(subscriber: Subscriber, push: SegmentPush): void {
    this.#pushed(subscriber, push, false);
  }

  onAcknowledged(registration: Registration): void {
    const { kind, registId, version } = registration;
    if (kind === "configurator") return;
    const service = serviceKeyOf(registration.service);
    const of = { client: this.name, service, registId, session: this.#session, connection: this.#connection };
    if (kind === "publisher") this.#environment.record({ kind: "acknowledged", version, ...of });
    else if (registration.isRegistered) this.#environment.record({ kind: "accepted", ...of });
  }

  /** Returns the token that subscribers will see. An instance of an application names its revision. */
  publish(service: ServiceName, registId?: string, revision?: string): string {
    const id = registId ?? this.nextRegistId();
    const token = this.#token(id, 1n);
    const attributes = revision === undefined ? undefined : new Map([[REVISION_ATTRIBUTE, revision]]);
    this.publishers.push(
      this.#client.publish(service, [textOf(this.#padded(token))], this.#nowMs, { registId: id, attributes }),
    );
    this.#published(service, { registId: id, version: 1n, token, ...(revision !== undefined && { revision }) });
    return token;
  }

  /**
   * Publishes anew; without `isNews` the same content under a higher version. Returns the token that subscribers will
   * see.
   */
  republish(publisher: Publisher, isNews: boolean): string {
    const version = publisher.version + 1n;
    const { registId, service } = publisher;
    const token = isNews ? this.#token(registId, version) : wordOf(publisher.boxes[0]);
    const revision = publisher.attributes.get(REVISION_ATTRIBUTE);
    this.#published(service, { registId, version, token, ...(revision !== undefined && { revision }) });
    this.#client.republish(publisher, [textOf(this.#padded(token))], this.#nowMs);
    this.#arm();
    return token;
  }

  unpublish(publisher: Publisher): void {
    const { registId, version } = publisher;
    const service = serviceKeyOf(publisher.service);
    this.#environment.record({ kind: "unpublished", client: this.name, service, registId, version: version + 1n });
    this.#client.unregister(publisher, this.#nowMs);
    this.#arm();
  }

  /** Sends a claim about another client's registration. No subscriber should ever see it, so it is not a fact. */
  usurp({ registId, service }: Publisher, claim: { version: bigint; isRegistered: boolean }): void {
    const { version, isRegistered } = claim;
    this.#fault(`${isRegistered ? "registers" : "unregisters"} ${registId} as version ${version}`);
    const claimed = this.#client.publish(service, [textOf(this.#padded(this.#token(registId, version)))], this.#nowMs, {
      registId,
    });
    Object.assign(claimed, claim);
  }

  subscribe(service: ServiceName, scope: Scope, acceptMulti: boolean): void {
    const subscriber = this.#client.subscribe(service, { scope, acceptMulti }, this.#nowMs);
    this.subscribers.push(subscriber);
    const { registId } = subscriber;
    const { zone } = this.#options.client;
    const serviceKey = serviceKeyOf(service);
    this.#environment.record({ kind: "subscribed", client: this.name, service: serviceKey, registId, scope, zone });
    this.#arm();
  }

  unsubscribe(subscriber: Subscriber): void {
    this.subscribers.splice(this.subscribers.indexOf(subscriber), 1);
    const service = serviceKeyOf(subscriber.service);
    this.#environment.record({ kind: "unsubscribed", client: this.name, service, registId: subscriber.registId });
    this.#client.unregister(subscriber, this.#nowMs);
    this.#arm();
  }

  /** Watches a configuration value, unless the client's form has no message for that. */
  watchConfig(service: ServiceName): void {
    if (this.#options.client.form === "protobuf") return;
    const configurator = this.#client.watchConfig(service, this.#nowMs);
    this.#configurators.push(configurator);
    this.#recordWatch("watched", configurator);
    this.#arm();
  }

  onConfig({ registId, service }: Configurator, { version, data }: { version: bigint; data: WireText | null }): void {
    this.#configured({ registId, service }, { version, data, isTaken: true });
  }

  onStaleConfig({ registId, service }: Configurator, value: { version: bigint; data: WireText | null }): void {
    this.#configured({ registId, service }, { ...value, isTaken: false });
  }

  /** Takes back everything that it has. */
  takeAllBack(): void {
    for (const publisher of this.publishers) if (publisher.isRegistered) this.unpublish(publisher);
    for (const subscriber of [...this.subscribers]) this.unsubscribe(subscriber);
    for (const configurator of this.#configurators) this.#unwatch(configurator);
  }

  /** Gives up everything that was refused. */
  giveUpUnacknowledged(): void {
    for (const publisher of this.publishers) if (!publisher.isDone && publisher.isRegistered) this.unpublish(publisher);
    for (const subscriber of [...this.subscribers]) if (!subscriber.isDone) this.unsubscribe(subscriber);
    for (const configurator of this.#configurators) if (!configurator.isDone) this.#unwatch(configurator);
  }

  /** The connection breaks; the client stays away for `awayMs`, and then comes back at its own retry times. */
  cut(delays: { clientMs: number; serverMs: number }, awayMs: number): void {
    this.#awayUntilMs = this.#environment.scheduler.nowMs + awayMs;
    this.#fault(`cut, away ${awayMs} ms, client told in ${delays.clientMs} ms, server in ${delays.serverMs} ms`);
    this.#wire?.cut(delays);
  }

  /**
   * The process ends: its kernel closes the connection, unless its machine ends too. A frozen process keeps its
   * connection.
   */
  die(how: "killed" | "vanished" | "frozen"): void {
    this.#isDead = true;
    this.#cancelTick();
    this.#gate.close();
    this.#environment.record({ kind: "died", client: this.name, how });
    if (how === "frozen") return this.#wire?.readSlowly(true);
    this.#wire?.die("client");
    if (how === "vanished") this.#wire?.fallSilent();
    else this.#wire?.cut({ clientMs: 0, serverMs: this.#environment.dice.below(50) });
  }

  fallSilent(): void {
    this.#fault("silence");
    this.#hush(true);
    this.#wire?.fallSilent();
  }

  answerLate(lateMs: number): void {
    this.#fault(`answers ${lateMs} ms late`);
    this.#hearLate(lateMs);
  }

  readThroughNarrowLine(bytesPerSecond: number): void {
    this.#fault(`reads ${bytesPerSecond} bytes a second`);
    this.#wire?.narrow(bytesPerSecond);
  }

  readSlowly(): void {
    this.#fault("reads nothing");
    this.#hush(true);
    this.#wire?.readSlowly(true);
  }

  /** The process is stopped; its kernel keeps the connection. */
  standStill(): void {
    this.#fault("stands still");
    this.#hush(true);
    this.#gate.pause();
    this.#wire?.readSlowly(true);
  }

  /** Ends everything that is wrong with the client and its connection. */
  heal(): void {
    this.#awayUntilMs = 0;
    if (this.#isDead) return;
    this.#hush(false);
    this.#hearLate(0);
    this.#wire?.narrow(Number.POSITIVE_INFINITY);
    this.#wire?.speakAgain();
    this.#gate.resume(true);
  }

  get #nowMs(): number {
    return this.#environment.scheduler.nowMs;
  }

  #open({ session, process }: SimNode): Wire | undefined {
    if (session === undefined || process === undefined) return undefined;
    const { scheduler, dice, plan, record } = this.#environment;
    const connection = ++this.#connection;
    // A process that stands still learns of it when it goes on.
    const lost = (isOwnWill: boolean) =>
      process.gate.message(() => {
        session.forget(wire);
        const where = { client: this.name, session: process.id, connection };
        if (isOwnWill && !session.isDraining) record({ kind: "ended", ...where });
        record({ kind: "lost", client: this.name, session: process.id, side: "server", connection });
      });
    const wire = new Wire(
      {
        scheduler,
        dice: dice.fork(),
        weather: plan.weather,
        serverLost: lost,
        buffered: (bytes, written) => record({ kind: "buffered", client: this.name, bytes, written }),
        slowed: (isSlow) => record({ kind: "line", client: this.name, connection, isSlow }),
      },
      { client: `${this.address}:${PORT_FIRST + connection}`, server: "10.255.0.1:9600" },
    );
    session.accept(wire);
    this.#acceptedMs = scheduler.nowMs;
    this.#session = process.id;
    return wire;
  }

  #connected(wire: Wire): void {
    this.#wire = wire;
    const where = { session: this.#session, connection: this.#connection };
    const isMute = !this.#options.client.answersPushes;
    const from = { address: this.address, acceptedMs: this.#acceptedMs };
    this.#environment.record({ kind: "connected", client: this.name, isMute, ...from, ...where });
    // The host of a process sees each event before its client's next timer.
    const client = this.#client;
    const gate = this.#gate;
    wire.use({
      received: (chunk) =>
        gate.message(() => {
          client.received(chunk, this.#nowMs);
          this.#arm();
        }),
      drained: () => undefined,
      closed: () => gate.message(() => this.#lost(wire, this.#nowMs)),
    });
    client.connected(wire.clientEnd, this.#nowMs);
  }

  #lost(wire: Wire, nowMs: number): void {
    // The client may have given up this connection and have another by now.
    if (this.#wire !== wire) return;
    const where = { session: this.#session, connection: this.#connection };
    this.#environment.record({ kind: "lost", client: this.name, side: "client", ...where });
    this.#client.closed(nowMs);
    this.#arm();
  }

  #arm(): void {
    this.#cancelTick();
    if (this.#isDead) return;
    const wakeMs = this.#client.nextWakeMs();
    if (wakeMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTick = this.#environment.scheduler.at(wakeMs, () =>
      this.#gate.timer(() => {
        this.#client.tick(this.#nowMs);
        this.#arm();
      }),
    );
  }

  #published(
    service: ServiceName,
    publication: { registId: string; version: bigint; token: string; revision?: string },
  ): void {
    const { zone } = this.#options.client;
    const serviceKey = serviceKeyOf(service);
    this.#environment.record({ kind: "published", client: this.name, service: serviceKey, ...publication, zone });
    this.#arm();
  }

  #pushed(subscriber: Subscriber, { version, zones, localZone }: SegmentPush, isTaken: boolean): void {
    const { registId, scope } = subscriber;
    const entries = [...zones].flatMap(([zone, boxes]) => boxes.map((box) => `${zone}/${wordOf(box)}`));
    const service = serviceKeyOf(subscriber.service);
    const whose = { client: this.name, service, registId, session: this.#session };
    this.#environment.record({
      kind: "pushed",
      ...whose,
      version,
      scope,
      zone: localZone,
      isTaken,
      entries: entries.sort(),
    });
  }

  #unwatch(configurator: Configurator): void {
    this.#recordWatch("unwatched", configurator);
    this.#client.unregister(configurator, this.#nowMs);
    this.#arm();
  }

  #recordWatch(kind: "watched" | "unwatched", { registId, service }: Configurator): void {
    this.#environment.record({ kind, client: this.name, service: serviceKeyOf(service), registId });
  }

  #configured(
    { registId, service }: { registId: string; service: ServiceName },
    { version, data, isTaken }: { version: bigint; data: WireText | null; isTaken: boolean },
  ): void {
    this.#environment.record({
      kind: "configured",
      client: this.name,
      service: serviceKeyOf(service),
      registId,
      connection: this.#connection,
      session: this.#session,
      version,
      data: data === null ? null : stringOf(data),
      isTaken,
    });
  }

  #token(registId: string, version: bigint): string {
    return `${registId}~${version}~${this.name}`;
  }

  // Subscribers look only at the first word.
  #padded(token: string): string {
    return `${token} ${"x".repeat(this.#environment.plan.payloadChars)}`;
  }

  #hearLate(lateMs: number): void {
    this.#wire?.hearLate(lateMs);
    this.#environment.record({ kind: "late", client: this.name, lateMs });
  }

  #hush(isHushed: boolean): void {
    if (isHushed === this.#isHushed) return;
    this.#isHushed = isHushed;
    this.#environment.record({ kind: "hushed", client: this.name, isHushed });
  }

  #fault(what: string): void {
    this.#environment.record({ kind: "fault", what: `${this.name}: ${what}` });
  }

  #delayMs(): number {
    return this.#environment.dice.below(1 + this.#environment.plan.weather.delayMs);
  }
}

function wordOf(box: WireText | null | undefined): string {
  return box === null || box === undefined ? "" : (stringOf(box).split(" ")[0] ?? "");
}
