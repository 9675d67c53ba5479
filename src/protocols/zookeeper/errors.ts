// The tree's faults as ZooKeeper's codes.

import type { TreeFault } from "../../records/tree/transactions.ts";
import { CODE, type Code } from "./codec/operations.ts";

const CODES: Readonly<Record<TreeFault, Code>> = {
  noNode: CODE.noNode,
  noAuth: CODE.noAuth,
  badVersion: CODE.badVersion,
  noChildrenForEphemerals: CODE.noChildrenForEphemerals,
  nodeExists: CODE.nodeExists,
  notEmpty: CODE.notEmpty,
  sessionExpired: CODE.sessionExpired,
  sessionMoved: CODE.sessionMoved,
  invalidAcl: CODE.invalidAcl,
  badArguments: CODE.badArguments,
  quotaExceeded: CODE.quotaExceeded,
  tooLarge: CODE.badArguments,
};

/** The code of a fault. */
export function codeOf(fault: TreeFault): Code {
  return CODES[fault];
}
