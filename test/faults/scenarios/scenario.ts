import type { WorkloadSize } from "../clients/workload.ts";
import type { StoreKind } from "../cluster/storeHost.ts";
import type { Stage } from "../stage.ts";

/** One fault, or several together, on a cluster that is whole and at rest before, and has to be so again after. */
export interface Scenario {
  readonly name: string;
  /** The events, in a few words. */
  readonly about: string;
  /** Which scenarios run on one cluster, one after the other; lanes run side by side. */
  readonly lane: number;
  /** The store of its cluster, PostgreSQL by default. */
  readonly storeKind?: StoreKind;
  /** Nothing else runs beside it. */
  readonly isAlone?: boolean;
  /** Connections are made late: by the kernel, or on a network with relays where it can't. */
  readonly needsDelay?: boolean;
  /** Real Java clients take part. */
  readonly hasJava?: boolean;
  readonly workload?: { readonly size?: WorkloadSize };
  /** Harms, heals, and starts what it has killed. Whether all is well then is judged by others. */
  readonly run: (stage: Stage) => Promise<void>;
}
