// The parts of a node that say who may do what, from its first moment on.

import type { Log } from "../../base/ports.ts";
import type { NodeNetwork } from "../../cluster/links/nodeNetwork.ts";
import type { NodeId } from "../../model/ids.ts";
import type { ClientAccess } from "../../protocols/kit/clientAccess.ts";
import { ClientChecks } from "../../protocols/kit/clientChecks.ts";
import { hostClock, hostTimers } from "../../transport/clock.ts";
import { hostSecrets } from "../../transport/secrets.ts";
import { openDoors } from "../config/exposure.ts";
import type { Config } from "../config/table.ts";
import type { MetaHost } from "../metaHost.ts";
import { AuditTrail } from "./auditTrail.ts";
import { Authenticator } from "./authenticator.ts";
import { Claim } from "./claim.ts";
import { ClientTokens } from "./clientTokens.ts";
import { makeLocalToken, readConfiguredToken } from "./localToken.ts";
import { type AccessEnvironment, NodeAccess } from "./nodeAccess.ts";

interface Opening extends Omit<AccessEnvironment, "dataDir" | "operations" | "metaNodes"> {
  readonly roles: { readonly id: NodeId; readonly network: NodeNetwork; readonly meta: MetaHost | undefined };
  readonly closers: (() => void | Promise<void>)[];
}

export interface AccessParts {
  readonly access: NodeAccess;
  readonly claim: Claim;
  readonly audit: AuditTrail;
  /** The ways into this node that are open to the network, in words. */
  readonly open: () => readonly string[];
  /** Proves operators at this machine. */
  readonly localToken: string;
  readonly authenticator: Authenticator;
  /** Judges clients, for the protocols. */
  readonly clientAccess: ClientAccess;
}

/** Reads the copy on the disk, and makes the local token. Throws CONFIG_INVALID or DATA_DIR_UNUSABLE. */
export function openAccess(config: Config, { roles, closers, ...rest }: Opening): AccessParts {
  const { dataDir, adminTokenFile, auditEntriesMax, auditAgeMaxMs } = config;
  const { id, network, meta } = roles;
  const isLeading = () => meta?.meta.isLeading === true;
  const configuredToken = readConfiguredToken(adminTokenFile);
  const local = makeLocalToken(dataDir);
  const ways = { operations: network.operations, metaNodes: () => network.metaNodes };
  const access = new NodeAccess({ ...rest, ...ways, dataDir });
  const host = { secrets: hostSecrets, clock: hostClock, timers: hostTimers, log: rest.log };
  const claim = new Claim({ ...host, access, isLeading });
  const limits = { entriesMax: auditEntriesMax, ageMsMax: auditAgeMaxMs };
  const audit = new AuditTrail({ ...rest, ...ways, id, isLeading, limits });
  closers.push(
    () => local.close(),
    () => access.close(),
    () => claim.close(),
    () => audit.close(),
  );
  const open = () => openDoors(config, access.set);
  const common = { secrets: hostSecrets, clock: hostClock, set: () => access.set };
  const authenticator = new Authenticator({ ...common, localToken: local.token, configuredToken });
  const tokens = new ClientTokens({ ...common, access, operations: network.operations });
  const clientAccess = new ClientChecks({ ...common, authenticator, tokens });
  return { access, claim, audit, open, localToken: local.token, authenticator, clientAccess };
}

// A store that answers does so within milliseconds; without it the node has the copy on its disk.
const READ_MS_MAX = 1_000;

/** Follows the changes. Callers are judged by what the store has from the first one on, if it answers. */
export async function beginAccess({ access, claim, audit, open }: AccessParts, log: Log): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = hostTimers.after(READ_MS_MAX, () => late.resolve());
  await Promise.race([access.begin(), late.promise]);
  cancel();
  claim.begin();
  audit.begin();
  const doors = open();
  if (doors.length > 0) log.warn("this node is open to the network", { open: doors.join("; ") });
}
