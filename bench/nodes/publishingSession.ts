// A session node without clients: a member of the cluster like any other, which publishes what a driver gives it. So
// one process can be loaded with what forty sessions would send it, and a data node is measured alone.
import { noMetrics } from "../../src/base/metrics.ts";
import type { Log } from "../../src/base/ports.ts";
import { LINK_TIMES } from "../../src/cluster/links/link.ts";
import { NodeNetwork } from "../../src/cluster/links/nodeNetwork.ts";
import { MembershipView } from "../../src/cluster/membershipView.ts";
import { HEARTBEAT_INTERVAL_MS, type MetaToMember } from "../../src/cluster/messages/membership.ts";
import type { DataToSession, PublishItem } from "../../src/cluster/messages/sessionData.ts";
import { type NodeId, nodeId } from "../../src/model/ids.ts";
import { SLOT_COUNT } from "../../src/model/slot.ts";
import { configWith } from "../../src/server/config/load.ts";
import { Costs } from "../../src/session/costs.ts";
import { DataLinks } from "../../src/session/dataLinks.ts";
import { DataRepair } from "../../src/session/dataRepair.ts";
import { Publications } from "../../src/session/publications.ts";
import type { SessionEvent } from "../../src/session/sessionPorts.ts";
import { hostClock, hostTimers } from "../../src/transport/clock.ts";
import { LocalNetwork } from "../../src/transport/localNetwork.ts";
import { hostRandom } from "../../src/transport/random.ts";
import { dialTcp } from "../../src/transport/tcp.ts";
import type { Address } from "../protocols/sockets.ts";

const ID = nodeId("bench.publishes");
// A session is never dialled.
const OWN_ADDRESS = "127.0.0.1:1";
const DIAL_MS_MAX = 1_000;
const COMPARE_MS = 6_000;
// Enough for batches of a thousand, each sent as soon as the one before was taken.
const WAITING_MAX = 5_000;

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class PublishingSession {
  readonly id: NodeId = ID;
  readonly #network: NodeNetwork;
  readonly #membership: MembershipView;
  readonly #links: DataLinks;
  readonly #publications = new Publications(ID, new Costs(false));
  readonly #repair: DataRepair;
  readonly #heartbeats: NodeJS.Timeout;
  readonly #joined = Promise.withResolvers<void>();
  #waiting = 0;
  #hasRoom: PromiseWithResolvers<void> | undefined;
  #failure: unknown;

  private constructor(meta: Address) {
    const { clusterName } = configWith({});
    const metaAddresses = [`${meta.host}:${meta.port}`];
    this.#network = new NodeNetwork(
      { id: ID, roles: ["session"], clusterName, slotCount: SLOT_COUNT, address: OWN_ADDRESS, metaAddresses },
      {
        clock: hostClock,
        timers: hostTimers,
        random: hostRandom,
        log: silent,
        metrics: noMetrics,
        times: LINK_TIMES,
        local: new LocalNetwork(hostClock),
        failed: (error) => this.#fail(error),
        dial: (to, outcome) => dialTcp(to, outcome, { clock: hostClock, timeoutMs: DIAL_MS_MAX }),
      },
    );
    const { toData, toMeta, linkData } = this.#network.sessionOutput;
    this.#links = new DataLinks(toData);
    this.#repair = new DataRepair(this.#publications, this.#links, { digestIntervalMs: COMPARE_MS });
    this.#membership = new MembershipView({ role: "session", address: OWN_ADDRESS }, { toMeta, link: linkData });
    this.#network.attach({ session: (event) => this.#step(event) });
    this.#heartbeats = setInterval(() => this.#beat(), HEARTBEAT_INTERVAL_MS);
  }

  /** Joins the cluster of this meta node. Resolves when every slot has a leader that can be reached. */
  static async join(meta: Address): Promise<PublishingSession> {
    const session = new PublishingSession(meta);
    session.#network.begin();
    await session.#joined.promise;
    return session;
  }

  /** Sends the item, or puts it behind those that wait. Resolves at once, or when there is room for more. */
  async publish(item: PublishItem): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting++;
    this.#links.publish(item);
    if (this.#waiting < WAITING_MAX) return;
    this.#hasRoom ??= Promise.withResolvers<void>();
    await this.#hasRoom.promise;
  }

  /** Resolves when the data nodes have taken everything. */
  async settled(): Promise<void> {
    while (this.#waiting > 0) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#hasRoom ??= Promise.withResolvers<void>();
      await this.#hasRoom.promise;
    }
  }

  close(): void {
    clearInterval(this.#heartbeats);
    this.#network.close();
  }

  #step(event: SessionEvent): void {
    switch (event.kind) {
      case "metaUp":
        return this.#beat();
      case "fromMeta":
        return this.#fromMeta(event.message);
      case "dataUp":
        this.#links.nodeUp(event.node);
        this.#repair.compare(event.node);
        if (this.#isJoined()) this.#joined.resolve();
        return;
      case "dataDown":
        return this.#fail(new Error(`the link to ${event.node} ended`));
      case "fromData":
        return this.#fromData(event.from, event.message);
      default:
    }
  }

  #beat(): void {
    this.#membership.heartbeat({ tableEpoch: this.#links.tableEpoch, rulesEpoch: 0n, nowMs: hostClock.nowMs() });
    this.#links.wake(hostClock.nowMs());
  }

  #fromMeta(message: MetaToMember): void {
    if (message.kind === "refused") this.#fail(new Error(message.reason));
    if (message.kind === "members") this.#membership.joined(message.members);
    if (message.kind === "slotTable" && message.table.epoch > this.#links.tableEpoch) {
      this.#publications.divide(message.table.slots.length);
      this.#repair.moved(this.#links.adopt(message.table));
    }
    this.#membership.link(({ role }) => role === "data");
  }

  #fromData(from: NodeId, message: DataToSession): void {
    if (message.kind === "moved") return this.#links.moved(from, message.batch, hostClock.nowMs());
    if (message.kind !== "taken") return;
    this.#waiting -= this.#links.taken(from, message.batch).length;
    if (this.#waiting >= WAITING_MAX / 2 && this.#waiting > 0) return;
    this.#hasRoom?.resolve();
    this.#hasRoom = undefined;
  }

  #isJoined(): boolean {
    const slots = this.#links.table?.slots ?? [];
    return slots.length > 0 && slots.every(({ leader }) => this.#links.isReachable(leader));
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#joined.reject(error);
    this.#hasRoom?.reject(error);
  }
}
