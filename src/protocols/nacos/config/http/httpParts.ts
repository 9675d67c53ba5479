// The parts of the configuration that paths need.

import type { ClientAccess } from "../../../kit/clientAccess.ts";
import type { ConfigListeners } from "../configListeners.ts";
import type { ConfigStore } from "../configStore.ts";
import type { ConfigWriter } from "../configWriter.ts";
import type { ConfigHistory } from "../history.ts";
import type { LongPolls } from "../longPolls.ts";
import type { Namespaces } from "../namespaces.ts";

export interface HttpParts {
  readonly store: ConfigStore;
  readonly writer: ConfigWriter;
  readonly history: ConfigHistory;
  readonly listeners: ConfigListeners;
  readonly polls: LongPolls;
  readonly namespaces: Namespaces;
  readonly access: ClientAccess;
  readonly nowMs: () => number;
  /** Of the body of a request that publishes. */
  readonly publishBytesMax: number;
  /** A name that no namespace has. */
  readonly newId: () => string;
}
