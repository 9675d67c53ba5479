// The table of operations: HTTP routes, the OpenAPI document and the commands are made from it. A new operation is a
// row in a file of `operations/`, and a line here.

import type { Operation } from "./operation.ts";
import { listApplications } from "./operations/applications.ts";
import { listAudit } from "./operations/audit.ts";
import { blacklist, listBlacklist, unlist } from "./operations/blacklist.ts";
import { listClients, listInstances, listSubscribers } from "./operations/clients.ts";
import { getConfig, listConfigs, putConfig, removeConfig } from "./operations/configs.ts";
import { explainService, getHealth } from "./operations/health.ts";
import { describeHidden, listHidden } from "./operations/hidden.ts";
import {
  addUser,
  changeIdentity,
  createClientKey,
  createToken,
  listIdentities,
  removeIdentity,
  setPassword,
} from "./operations/identities.ts";
import { stepDown } from "./operations/leader.ts";
import { checkAccess, claimAccess, logIn, logOut, whoAmI } from "./operations/login.ts";
import { blockNode, drainNode, listNodes, unblockNode } from "./operations/nodes.ts";
import { bringOnline, listOffline, takeOffline } from "./operations/offline.ts";
import { listPersistent, putPersistent, removePersistent } from "./operations/persistent.ts";
import { listPolicies, putPolicy, removePolicy } from "./operations/policies.ts";
import { showPushes, startPushes, stopPushes } from "./operations/pushes.ts";
import { countRule, describeRule, listRules, putRule, removeRule } from "./operations/rules.ts";
import { describeService, listServices } from "./operations/services.ts";
import { listSettings, setSetting, unsetSetting } from "./operations/settings.ts";
import { listHeld, listSlots, pauseSlots, rebalanceSlots, releaseHeld, resumeSlots } from "./operations/slots.ts";

/** Every operation of operators. */
export const OPERATIONS: readonly Operation[] = [
  listServices,
  describeService,
  explainService,
  listHidden,
  describeHidden,
  listInstances,
  listClients,
  listSubscribers,
  listApplications,
  listPersistent,
  putPersistent,
  removePersistent,
  listNodes,
  blockNode,
  unblockNode,
  drainNode,
  stepDown,
  listSlots,
  pauseSlots,
  resumeSlots,
  rebalanceSlots,
  listHeld,
  releaseHeld,
  listConfigs,
  getConfig,
  putConfig,
  removeConfig,
  takeOffline,
  bringOnline,
  listOffline,
  stopPushes,
  startPushes,
  showPushes,
  blacklist,
  unlist,
  listBlacklist,
  listSettings,
  setSetting,
  unsetSetting,
  listRules,
  describeRule,
  putRule,
  removeRule,
  countRule,
  getHealth,
  whoAmI,
  claimAccess,
  logIn,
  logOut,
  listIdentities,
  addUser,
  setPassword,
  createToken,
  createClientKey,
  changeIdentity,
  removeIdentity,
  listPolicies,
  putPolicy,
  removePolicy,
  checkAccess,
  listAudit,
];
