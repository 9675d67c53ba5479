// The roles of this process, joined with each other and with those of the whole cluster.

import { fail } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import type { StepperEnvironment } from "../base/stepper.ts";
import { LINK_TIMES } from "../cluster/links/link.ts";
import { NodeNetwork } from "../cluster/links/nodeNetwork.ts";
import type { MadeVersion } from "../data/dataPorts.ts";
import type { NodeStore } from "../data/nodeStore.ts";
import type { DynamicValues } from "../model/dynamicKeys.ts";
import { type NodeId, nodeId } from "../model/ids.ts";
import { SLOT_COUNT } from "../model/slot.ts";
import { LocalNetwork } from "../transport/localNetwork.ts";
import { hostRandom } from "../transport/random.ts";
import { BlockedNotice } from "./blockedNotice.ts";
import { isStandalone } from "./config/nodeRoles.ts";
import type { Config } from "./config/table.ts";
import { DataHost } from "./dataHost.ts";
import { MetaHost } from "./metaHost.ts";
import type { OpenedStore } from "./openMetaStore.ts";
import { readClusterSecret } from "./readClusterSecret.ts";
import { SessionHost } from "./sessionHost.ts";
import type { ServerTls } from "./tls/serverTls.ts";

export interface RolesEnvironment extends StepperEnvironment {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly nodeStore: NodeStore;
  /** Hear of each version that the role data makes. */
  readonly versionObservers?: readonly ((made: MadeVersion) => void)[];
  /** Hears of the settings that operators have changed for this node. */
  readonly settingsChanged: (settings: Partial<DynamicValues>) => void;
  /** Only for a node with the role meta. */
  readonly metaStore: Omit<OpenedStore, "isOpen" | "opened"> | undefined;
  /** The address for other nodes: `host:port`. */
  readonly address: string;
  /** The way to other nodes, and the proof that this one belongs to them. */
  readonly tls: Pick<ServerTls, "dial" | "checkNode">;
  /** The HTTP address of the role meta for operators: `host:port`. Called after `begin`. */
  readonly metaHttpAddress: () => string;
}

/** The roles that this process has. */
export interface Roles {
  readonly id: NodeId;
  readonly network: NodeNetwork;
  readonly meta: MetaHost | undefined;
  readonly data: DataHost | undefined;
  readonly session: SessionHost | undefined;
  /** Whether an operator has blocked this node. */
  readonly blocked: BlockedNotice;
  /** Sets everything going. */
  begin(): void;
  /** Stops all roles where they are; later events do not count as the death of a client. May be called twice. */
  close(): void;
}

// Three data nodes that start together are all there after this time, and slots are spread over them at once.
const FIRST_TABLE_DELAY_MS = 500;

export function createRoles(config: Config, environment: RolesEnvironment): Roles {
  const { clock, nodeStore, failed, address, tls } = environment;
  const id = newRun(config.nodeName || nodeStore.nodeId());
  tls.checkNode(id);
  const network = new NodeNetwork(
    { ...config, id, slotCount: SLOT_COUNT, address },
    {
      ...environment,
      random: hostRandom,
      times: LINK_TIMES,
      local: new LocalNetwork(clock),
      dial: tls.dial,
      secret: readClusterSecret(config),
    },
  );
  const refused = (reason: string) => failed(fail("NODE_REFUSED", { reason }));
  const meta = config.roles.includes("meta") ? createMeta(config, { ...environment, id, network }) : undefined;
  const data = config.roles.includes("data")
    ? new DataHost(
        { ...config, id, address },
        { ...environment, random: hostRandom, store: nodeStore, output: { ...network.dataOutput, refused } },
      )
    : undefined;
  const session = config.roles.includes("session")
    ? new SessionHost(
        { ...config, id, address, isDataHere: data !== undefined },
        { ...environment, output: { ...network.sessionOutput, refused } },
      )
    : undefined;
  const blocked = new BlockedNotice(id, environment);
  network.attach({
    ...(meta && { meta: (event) => meta.step(event) }),
    ...(data && { data: (event) => heardBy(data.stepper, event) }),
    ...(session && { session: (event) => heardBy(session, event) }),
  });
  function heardBy<Event extends { kind: string }>(role: { step(event: Event): void }, event: Event): void {
    blocked.heard(event);
    role.step(event);
    if (event.kind === "fromMeta") environment.settingsChanged((session?.session.rules ?? data?.data)?.settings ?? {});
  }
  let isClosed = false;
  return {
    id,
    network,
    blocked,
    meta,
    data,
    session,
    begin() {
      for (const host of [meta, data?.stepper, session?.stepper]) host?.step({ kind: "woken" });
      network.begin();
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      session?.stepper.close();
      data?.close();
      meta?.close();
      network.close();
    },
  };
}

function createMeta(
  config: Config,
  { id, network, metaStore, metaHttpAddress, ...rest }: RolesEnvironment & { id: NodeId; network: NodeNetwork },
): MetaHost | undefined {
  if (metaStore === undefined) return undefined;
  // A database, unlike a file of this process, may have other nodes behind it.
  const isAlone = isStandalone(config) && config.storeUrl === "";
  const options = { ...config, id, slotCount: SLOT_COUNT, firstTableDelayMs: isAlone ? 0 : FIRST_TABLE_DELAY_MS };
  const send: NodeNetwork["toMember"] = (to, message) => network.toMember(to, message);
  const hasOtherMeta = () => network.metaPeers?.list().some(({ id: peer }) => peer !== undefined) === true;
  return new MetaHost(options, { ...rest, store: metaStore, send, httpAddress: metaHttpAddress, hasOtherMeta });
}

const RUN_CHARS = 8;

/** One run of the node: its name, and eight characters that no other run of it has. */
function newRun(name: string): NodeId {
  let run = "";
  while (run.length < RUN_CHARS) run += Math.floor(hostRandom.next() * 36).toString(36);
  return nodeId(`${name}.${run}`);
}
