// Clusters that are wrong on purpose: settings with which a scenario has to fail, and in the way that is named here. A
// suite that never fails proves nothing.

export interface Plant {
  readonly scenario: string;
  /** Settings of all nodes, as environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** The suite's expected report on it. */
  readonly expected: RegExp;
}

export const PLANTS: readonly Plant[] = [
  {
    // Clients need longer than a second to come back when two of three sessions are dead.
    scenario: "two-sessions-killed",
    environment: { ROSTER_SESSION_LEASE_MS: "1000", ROSTER_MEMBER_GONE_MS: "0" },
    expected: /removal seen/,
  },
  {
    scenario: "half-open-client",
    environment: { ROSTER_CLIENT_IDLE_MS: "3600000" },
    expected: /silent clients are shown/,
  },
  {
    scenario: "clients-killed",
    environment: { ROSTER_CLIENT_RETURN_GRACE_MS: "10000" },
    expected: /dead clients are shown/,
  },
  {
    scenario: "data-leader-killed",
    environment: { ROSTER_MEMBER_GONE_MS: "8000" },
    expected: /changes were shown after \d+ ms/,
  },
];
