// All roles in one process, joined by the in-process network. Each role sees what it would see across machines:
// messages in order, each delivered in a step of its own.

import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import { Stepper, type StepperEnvironment } from "../base/stepper.ts";
import { Data, type DataEvent } from "../data/data.ts";
import type { NodeStore } from "../data/nodeStore.ts";
import type { ConfigValue, MetaToMember } from "../messages/membership.ts";
import { Meta, type MetaEvent, type MetaOutput } from "../meta/meta.ts";
import type { MetaState, MetaStore } from "../meta/metaStore.ts";
import type { DataInfoId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { Session, type SessionEvent } from "../session/session.ts";
import { hostClock } from "../transport/clock.ts";
import { LocalNetwork } from "../transport/localNetwork.ts";
import type { Config } from "./config/table.ts";
import { PendingAnswers } from "./pendingAnswers.ts";

export interface RolesEnvironment extends StepperEnvironment {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: MetaStore & NodeStore;
}

/** What the rest of the server asks of the roles. */
export interface Roles {
  readonly session: Stepper<SessionEvent>;
  connections(): number;
  slotTable(): SlotTable | undefined;
  config(dataInfoId: DataInfoId): ConfigValue | undefined;
  putConfig(dataInfoId: DataInfoId, data: string | null): Promise<void>;
  /** Stops all roles where they are; nothing is taken for the death of a client afterwards. May be called twice. */
  close(): void;
}

// Members of one process are there as long as it is; the lease only bounds a heartbeat that is late.
const MEMBER_LEASE_MS = 20_000;

/** Starts meta, data and session on what the store remembers. */
export function startRoles(config: Config, state: MetaState, environment: RolesEnvironment): Roles {
  const { store, metrics } = environment;
  const id = store.nodeId();
  const network = new LocalNetwork();
  const nowMs = hostClock.nowMs();
  const puts = new PendingAnswers();
  let isClosed = false;

  const data = new Data(
    { ...config, id },
    { versionFloor: store.loadVersionFloor(), serviceSizes: store.loadServiceSizes() },
    {
      metrics,
      nowMs,
      output: {
        toMeta: (message) =>
          network.send(() => metaHost.step({ kind: "received", from: { id, role: "data" }, message })),
        send: (_to, message) => network.send(() => sessionHost.step({ kind: "fromData", from: id, message })),
        saveVersionFloor: (floor) => saved(environment, "version floor", () => store.saveVersionFloor(floor)),
        saveServiceSizes: (sizes) => saved(environment, "service sizes", () => store.saveServiceSizes(sizes)),
      },
    },
  );
  const session = new Session(
    { ...config, id },
    {
      metrics,
      nowMs,
      output: {
        toData: (_node, message) => network.send(() => dataHost.step({ kind: "received", from: id, message })),
        toMeta: (message) =>
          network.send(() => metaHost.step({ kind: "received", from: { id, role: "session" }, message })),
      },
    },
  );
  const meta = new Meta(
    { slotCount: state.cluster?.slotCount ?? 0, memberLeaseMs: MEMBER_LEASE_MS },
    { table: state.slotTable, configs: state.configs },
    {
      send: (to, message) =>
        network.send(() => (to.role === "data" ? toData(message) : sessionHost.step({ kind: "fromMeta", message }))),
      ...metaStoreOutput(environment, (event) => metaHost.step(event)),
      answer: (request, error) => puts.answer(request, error),
    },
  );
  const toData = (message: MetaToMember) => {
    if (message.kind === "slotTable") dataHost.step({ kind: "slotTable", table: message.table });
  };

  const dataHost = new Stepper<DataEvent>(data, environment);
  const sessionHost = new Stepper<SessionEvent>(session, environment);
  const metaHost = new Stepper<MetaEvent>(meta, environment);
  dataHost.step({ kind: "sessionUp", session: id, isFresh: true });
  sessionHost.step({ kind: "dataUp", node: id, isFresh: true });

  return {
    session: sessionHost,
    connections: () => session.connections,
    slotTable: () => session.slotTable,
    config: (dataInfoId) => meta.config(dataInfoId),
    putConfig: (dataInfoId, value) =>
      puts.ask((request) => metaHost.step({ kind: "putConfig", request, dataInfoId, data: value })),
    close() {
      if (isClosed) return;
      isClosed = true;
      for (const host of [sessionHost, dataHost, metaHost]) host.close();
      network.close();
      data.flush();
    },
  };
}

/** What the meta role has written: each save comes back to it as an event, done or not. */
function metaStoreOutput(
  environment: RolesEnvironment,
  step: (event: MetaEvent) => void,
): Pick<MetaOutput, "saveSlotTable" | "saveConfig"> {
  const { store } = environment;
  return {
    saveSlotTable: (table, expectedEpoch) =>
      void isSaved(environment, "slot table", () => store.saveSlotTable(table, expectedEpoch)).then((ok) =>
        step({ kind: "slotTableSaved", table, isSaved: ok }),
      ),
    saveConfig: (value) =>
      void isSaved(environment, "configuration", () => store.putConfig(value)).then((ok) =>
        step({ kind: "configSaved", value, isSaved: ok }),
      ),
  };
}

/** Writes a hint for the next start. The node goes on without it: it only makes that start less smooth. */
function saved({ log }: RolesEnvironment, what: string, save: () => void): void {
  try {
    save();
  } catch (error) {
    log.error("the node's disk did not take a write", { what, reason: String(error) });
  }
}

async function isSaved({ log }: RolesEnvironment, what: string, save: () => Promise<boolean>): Promise<boolean> {
  try {
    return await save();
  } catch (error) {
    log.error("the store did not take a write", { what, reason: String(error) });
    return false;
  }
}
