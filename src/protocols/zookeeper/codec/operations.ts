// The operations of ZooKeeper's clients, by their numbers on the wire.

export const OPERATION = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  closeSession: -11,
} as const;

export type OperationName = keyof typeof OPERATION;

const NAMES: ReadonlyMap<number, OperationName> = new Map(
  Object.entries(OPERATION).map(([name, number]) => [number, name as OperationName]),
);

/** The name of an operation; undefined for a number that ZooKeeper has none for. */
export function operationOf(number: number): OperationName | undefined {
  return NAMES.get(number);
}

/** The numbers of frames that do not count on. */
export const XID = { watchEvent: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** ZooKeeper's error codes. */
export const CODE = {
  ok: 0,
  systemError: -1,
  runtimeInconsistency: -2,
  marshallingError: -5,
  unimplemented: -6,
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
  noWatcher: -121,
  reconfigDisabled: -123,
  quotaExceeded: -125,
  throttled: -127,
} as const;

export type Code = (typeof CODE)[keyof typeof CODE];
