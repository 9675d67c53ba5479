// The role data in its process, with its memory on the node's own disk.

import type { Metrics } from "../base/metrics.ts";
import type { Log, Random } from "../base/ports.ts";
import { Stepper, type StepperEnvironment } from "../base/stepper.ts";
import { Data } from "../data/data.ts";
import type { DataEvent, DataOptions, DataOutput, MadeVersion } from "../data/dataPorts.ts";
import type { NodeStore } from "../data/nodeStore.ts";
import { isKeptByLease, type Publication, type Registration } from "../model/publication.ts";
import { loadVersionFloor } from "./loadVersionFloor.ts";
import { versionRefused } from "./versionRefused.ts";
import { warnOfUnlisted } from "./warnOfUnlisted.ts";

export interface DataHostEnvironment extends StepperEnvironment {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random: Random;
  readonly store: NodeStore;
  /** Hear of each version that is made; most nodes have none. */
  readonly versionObservers?: readonly ((made: MadeVersion) => void)[];
  readonly output: Omit<
    DataOutput,
    "saveVersionFloor" | "saveServiceSizes" | "versionRefused" | "versionMade" | "clockBehind" | "contested"
  >;
}

export class DataHost {
  readonly data: Data;
  readonly stepper: Stepper<DataEvent>;

  constructor(options: DataOptions, { store, output, versionObservers = [], ...environment }: DataHostEnvironment) {
    const { log, metrics, random, clock } = environment;
    this.data = new Data(
      options,
      { versionFloor: loadVersionFloor(store, environment), serviceSizes: store.loadServiceSizes() },
      {
        metrics,
        random,
        nowMs: clock.nowMs(),
        output: {
          ...output,
          toSession: (session, message) => {
            if (message.kind === "taken") warnOfUnlisted(log, session, message.unlisted);
            output.toSession(session, message);
          },
          ...(versionObservers.length > 0 && { versionMade: (made) => tellAll(versionObservers, made) }),
          versionRefused: (version) => versionRefused(version, environment),
          contested: (contested) =>
            log.warn("a client asked for a registration that a client of another session holds", { ...contested }),
          clockBehind: (behindMs) =>
            log.error("this node's clock is more than a day behind the cluster's: correct the clock", { behindMs }),
          saveVersionFloor: (floor) => saved(environment, "version floor", () => store.saveVersionFloor(floor)),
          saveServiceSizes: (sizes) => saved(environment, "service sizes", () => store.saveServiceSizes(sizes)),
        },
      },
    );
    this.stepper = new Stepper<DataEvent>(this.data, environment);
  }

  /** Takes a publication that no client makes. It has to end by itself. */
  putPublication(publication: Publication): void {
    this.stepper.step({ kind: "tried", items: [{ kind: "put", publication }] });
  }

  /** Removes a registration that its client has not taken back: a client that is connected registers it again. */
  removePublication(registration: Registration): void {
    const { serviceKey, registId, version, registeredMs, owner } = registration;
    const stamp = { version, registeredMs: registeredMs + 1 };
    const removal = { serviceKey, registId, cause: "unpublished" as const, stamp, client: owner.client };
    const ofLease = isKeptByLease(registration) ? { isOfLease: true } : {};
    this.stepper.step({ kind: "tried", items: [{ kind: "remove", removal: { ...removal, ...ofLease } }] });
  }

  /** Stops the role where it is, and writes everything that its disk should know. */
  close(): void {
    this.stepper.close();
    this.data.flush();
  }
}

function tellAll(observers: readonly ((made: MadeVersion) => void)[], made: MadeVersion): void {
  for (const observer of observers) observer(made);
}

/** Writes a hint for the next start. The node goes on without it: only that start is less smooth. */
function saved({ log, metrics }: Pick<DataHostEnvironment, "log" | "metrics">, what: string, save: () => void): void {
  try {
    save();
  } catch (error) {
    metrics.add("roster_disk_writes_failed_total", 1, { what });
    log.error("a write to the data directory failed", { what, reason: String(error) });
  }
}
