// The node's knowledge of identities and policies, from its first moment on.

import type { NodeNetwork } from "../../cluster/links/nodeNetwork.ts";
import { hostTimers } from "../../transport/clock.ts";
import type { Config } from "../config/table.ts";
import { type AccessEnvironment, NodeAccess } from "./nodeAccess.ts";

type Opening = Omit<AccessEnvironment, "dataDir" | "operations" | "metaNodes"> & { readonly network: NodeNetwork };

/** Reads the copy on the disk; `beginAccess` then follows the changes. */
export function openAccess({ dataDir }: Pick<Config, "dataDir">, { network, ...rest }: Opening): NodeAccess {
  return new NodeAccess({ ...rest, dataDir, operations: network.operations, metaNodes: () => network.metaNodes });
}

// A store that answers does so within milliseconds; without it the node has the copy on its disk.
const READ_MS_MAX = 1_000;

/** Callers are judged by what the store has from the first one on, if it answers. */
export async function beginAccess(access: NodeAccess): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = hostTimers.after(READ_MS_MAX, () => late.resolve());
  await Promise.race([access.begin(), late.promise]);
  cancel();
}
