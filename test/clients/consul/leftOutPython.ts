// The tests of py-consul 1.8.0 that are left out, with the reason of each. All others of its 168 tests are run.

const ACL = "ACL paths are not served: identities and policies are Roster's own";
const MESH = "the service mesh is not served";
const OPERATES = "an operator's action, which needs the credentials of one here";

/** Tests by the reason for which they are left out. */
export const LEFT_OUT_PYTHON: Readonly<Record<string, readonly string[]>> = {
  [ACL]: [
    "TestConsulAcl::test_acl_token_permission_denied",
    "TestConsulAcl::test_acl_token_list",
    "TestConsulAcl::test_acl_token_read",
    "TestConsulAcl::test_acl_token_create",
    "TestConsulAcl::test_acl_token_clone",
    "TestConsulAcl::test_acl_token_update",
    "TestConsulAcl::test_acl_token_delete",
    "TestConsulAcl::test_acl_policy_list",
    "TestConsulAcl::test_acl_policy_read",
    "TestConsulAcl::test_acl_policy_update",
    "TestConsulAcl::test_acl_policy_delete",
    "TestConsulAcl::test_acl_token_list_filters",
    "TestConsulAcl::test_acl_token_service_identities",
    "TestConsulAcl::test_acl_token_local",
    "TestConsulAcl::test_acl_token_expiration_ttl",
    "TestConsulAcl::test_acl_token_create_templated",
    "TestConsulAcl::test_acl_token_read_self",
    "TestConsulAcl::test_acl_role_crud",
    "TestConsulAcl::test_acl_role_permission_denied",
    "TestConsulAcl::test_acl_auth_method_crud",
    "TestConsulAcl::test_acl_binding_rule_crud",
    "TestConsulAclTemplatedPolicy::test_acl_templated_policy_preview",
    "TestConsulAclTemplatedPolicy::test_acl_templated_policy_read",
    "TestConsulAclTemplatedPolicy::test_acl_templated_policy_list",
    "TestAgent::test_agent_token_set",
  ],
  [MESH]: [
    "TestAgent::test_agent_service_connect",
    "TestConsulConnectIntentions::test_intentions_crud",
    "TestConsulConnectIntentions::test_intentions_deny_check",
    "TestConsulConnectCA::test_ca_update_configuration",
    "TestDiscoveryChain::test_discovery_chain_get",
  ],
  [OPERATES]: ["TestAgent::test_agent_reload", "TestAgent::test_agent_leave"],
  "snapshots are not served: the store has its own backup": [
    "TestSnapshot::test_snapshot_save_and_restore",
    "TestSnapshot::test_snapshot_requires_management_token",
  ],
  "registers a script: Roster's checks are made by its nodes, not beside the service": ["TestAgent::test_agent_checks"],
  "the log is not served over HTTP": ["TestAgent::test_agent_monitor_rejects_invalid_loglevel"],
  "changes the autopilot of Raft, which Roster does not have": ["TestOperator::test_autopilot_configuration"],
  "coordinates of a network of agents": ["TestCoordinates::test_coordinate_update"],
};
