// The tests of the client `consul` 2.0.1 for Node that are left out, with the reason of each. All others of its 60
// acceptance tests are run.

/** Tests by the reason for which they are left out. */
export const LEFT_OUT_NODE: Readonly<Record<string, readonly string[]>> = {
  "an operator's action, which needs the credentials of one here": [
    "Agent join should make node2 join cluster",
    "Agent forceLeave should remove node2 from the cluster",
  ],
  "wants a read to be answered from before a write that was sent just before it": ["Watch should work"],
  "registers a script: Roster's checks are made by its nodes, not beside the service": [
    "Agent service register should create service with script check",
  ],
};
