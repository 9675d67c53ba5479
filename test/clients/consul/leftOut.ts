// The tests of HashiCorp's client for Go (consul/api 1.20.0) that are left out, with the reason of each. All others of
// its 208 tests are run.

const ACL = "ACL paths are not served: identities and policies are Roster's own";
const MESH = "the service mesh is not served";
const NODE_META = "asks for metadata of the agent's node, which comes from Consul's configuration file";
const CERTIFICATES = "reads certificates of Consul's repository that the module does not contain";
const OPERATES = "an operator's action, which needs the credentials of one here";
const RAFT = "changes or looks at Raft, which Roster does not have";
const PROFILES = "profiles of a program in Go";
const PEERING = "peering is not served";
const SNAPSHOTS = "snapshots are not served: the store has its own backup";
const LOG = "the log is not served over HTTP";
const BESIDE = "a check beside the service: Roster's checks are made by its nodes";

/** Tests by the reason for which they are left out. */
export const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  [ACL]: [
    "ACLReplication",
    "ACLPolicy_CreateReadDelete",
    "ACLPolicy_CreateReadByNameDelete",
    "ACLPolicy_CreateUpdate",
    "ACLPolicy_List",
    "ACLBootstrap",
    "ACLToken_CreateReadDelete",
    "ACLToken_CreateUpdate",
    "ACLToken_List",
    "ACLToken_Clone",
    "AuthMethod_List",
    "AgentUpdateToken",
    "AgentMembersOpts",
  ],
  [MESH]: [
    "AgentServices_SidecarService",
    "AgentConnectCARoots_list",
    "AgentConnectCALeaf",
    "AgentConnectAuthorize",
    "ConnectCARoots_list",
    "ConnectCAConfig_get_set",
    "ConnectIntentionCreateListGetUpdateDelete",
    "ConnectIntentionGet_invalidId",
    "ConnectIntentionMatch",
    "ConnectIntentionCheck",
    "DiscoveryChain_Get",
  ],
  [NODE_META]: [
    "CatalogNodes_MetaFilter",
    "CatalogServices_NodeMetaFilter",
    "CatalogService_NodeMetaFilter",
    "HealthChecks_NodeMetaFilter",
    "HealthService_NodeMetaFilter",
    "HealthState_NodeMetaFilter",
  ],
  "compares the agent's id with that of Consul's configuration file; Roster's is made of the name": ["CatalogNodes"],
  [CERTIFICATES]: ["SetupTLSConfig", "ClientTLSOptions", "Peering_Read_ErrorHandling", "Peering_List"],
  [OPERATES]: ["AgentReload", "AgentJoin", "AgentLeave", "AgentForceLeave", "AgentForceLeavePrune"],
  [RAFT]: [
    "OperatorAutopilotGetSetConfiguration",
    "OperatorAutopilotCASConfiguration",
    "OperatorAutopilotServerHealth",
    "OperatorAutopilotState",
    "OperatorRaftRemovePeerByAddress",
    "OperatorRaftLeaderTransfer",
  ],
  [PROFILES]: ["AgentMetrics", "DebugHeap", "DebugProfile", "DebugGoroutine", "DebugTrace"],
  [PEERING]: [
    "Peering_ACLDeny",
    "Peering_GenerateToken_ExternalAddresses",
    "Peering_GenerateToken_Read_Establish_Delete",
  ],
  [SNAPSHOTS]: ["Snapshot", "Snapshot_Options"],
  [LOG]: ["AgentMonitor", "AgentMonitorJSON"],
  [BESIDE]: ["AgentScriptCheck", "AgentChecks_Docker"],
  "compares a hash of Consul's own structures": ["AgentService"],
  "a transaction takes operations on keys and sessions, not on nodes, services and checks": ["ClientTxn"],
  "counts what Consul 1.15 counts of a mesh; 1.22, whose version Roster names, counts one kind more": ["OperatorUsage"],
  "the server listens at TCP, not at a Unix socket": ["UnixSocket"],
  "wants a wait of 250 ms to end within twice that; Roster looks twice a second for waits that are over": [
    "LockOneShot",
    "SemaphoreOneShot",
  ],
  "coordinates of a network of agents": ["CoordinateUpdate"],
  "keys of a gossip between agents": ["OperatorKeyringInstallListPutRemove"],
};
