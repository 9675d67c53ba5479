// All expected failures. A refusal names the fault, the value and the remedy; a gateway turns it into its own
// protocol's error form. This table has the codes for any part of the registry; the codes of one byte format or one
// protocol are in its folder. docs/reference/errors.md is generated from all of these tables.

import { visible } from "./visible.ts";

/** One code: its meaning, and whether the same request may succeed later. */
export interface ErrorRow {
  readonly retry: boolean;
  readonly meaning: string;
}

/** Codes that belong together. */
export type ErrorTable = Readonly<Record<string, ErrorRow>>;

/** The codes for any part of the registry. */
export const ERRORS = {
  ACCESS_EXHAUSTED: {
    retry: false,
    meaning: "there are as many identities or policies as there may be; remove some that are no longer needed",
  },
  ACCESS_UNAVAILABLE: {
    retry: true,
    meaning: "too many passwords are being checked at the moment; try again, or use a token",
  },
  ACTIVE_CHECKS_OFF: {
    retry: false,
    meaning: "this node makes no checks of addresses that clients name; set active-checks=true to have them made",
  },
  ADDRESS_CONNECTIONS_EXHAUSTED: {
    retry: true,
    meaning:
      "this address has as many connections as are left for all others; close some of them, or raise the limit of the port",
  },
  ADDRESS_BYTES_EXHAUSTED: {
    retry: true,
    meaning:
      "the clients of this address use as much memory as is left for all others; stop some of them, or raise memory-bytes-max",
  },
  ADMIN_NEEDED: {
    retry: false,
    meaning: "no identity with the access role admin would be left; give it to another one first",
  },
  ADDRESS_DENIED: {
    retry: false,
    meaning:
      "checks of this address are not made: it is one of the node itself, of its network alone, or of a cloud's " +
      "metadata, or active-check-addresses does not have it",
  },
  ADDRESS_IN_USE: { retry: true, meaning: "another process listens on this address; stop it, or choose another port" },
  BIND_REFUSED: {
    retry: false,
    meaning: "beyond loopback the server needs TLS, and a proof between nodes, unless --insecure is given",
  },
  CATALOGUE_TOO_LARGE: {
    retry: true,
    meaning: "the requested catalogue has more services than a session can hold; ask for a single namespace and group",
  },
  CLAIM_REFUSED: {
    retry: false,
    meaning:
      "this is not the claim code, or the cluster is claimed already; while it is not, the leading meta node logs " +
      "the code, a new one each time that a node takes the lead",
  },
  CLIENTS_NOT_SERVED: {
    retry: true,
    meaning:
      "operators let this session take no clients (serve-clients is false); other sessions take them. `roster setting unset serve-clients` opens it again, or `roster setting set serve-clients true` where its configuration has false",
  },
  CLIENT_BYTES_EXHAUSTED: {
    retry: true,
    meaning:
      "the client uses as much of the server's memory as client-bytes-max allows; register less with one client, or raise it",
  },
  CLIENT_IDLE: { retry: true, meaning: "the client sent nothing for client-idle-ms and answered no heartbeat" },
  CLIENT_TOO_SLOW: {
    retry: true,
    meaning: "the client does not read what it is sent: too much is waiting, or it has read nothing for client-idle-ms",
  },
  CONFIG_VALUES_EXHAUSTED: {
    retry: false,
    meaning:
      "the configuration values have reached their limit, in number or in bytes; remove some, or raise the limit",
  },
  CONFIG_VALUE_TOO_LARGE: {
    retry: false,
    meaning: "the configuration value has more bytes than config-value-bytes-max allows",
  },
  CONFIG_VALUE_UNKNOWN: {
    retry: false,
    meaning: "there is no configuration value of this key; `roster get configs` lists those that there are",
  },
  CONFIG_INVALID: {
    retry: false,
    meaning: "a flag, an environment variable or the configuration file has a value that is not allowed",
  },
  CONNECTIONS_EXHAUSTED: {
    retry: true,
    meaning: "the port has as many connections as it may have; try again later, or raise its limit",
  },
  CONTEXT_UNKNOWN: {
    retry: false,
    meaning: "there is no context of this name; `roster context list` shows those that there are",
  },
  CREDENTIALS_LOCKED: {
    retry: true,
    meaning: "too many wrong credentials came from this address or for this name; wait, and check the secret",
  },
  CREDENTIALS_NEEDED: {
    retry: false,
    meaning:
      "this is not allowed without credentials; run `roster login`, or send a token: `authorization: Bearer ...`",
  },
  CREDENTIALS_REFUSED: {
    retry: false,
    meaning: "the token, or the name and the password, prove nothing here: they are wrong, ended or removed",
  },
  DATA_FULL: {
    retry: true,
    meaning: "the data node that keeps this service has reached its memory limit; try again later, or add data nodes",
  },
  DATA_DIR_IN_USE: {
    retry: true,
    meaning: "another process uses this data directory; stop it, or choose another data-dir",
  },
  DATA_DIR_UNUSABLE: {
    retry: false,
    meaning:
      "the data directory can't be created, read or written; choose another data-dir, or give this user access to it",
  },
  FIELD_INVALID: { retry: false, meaning: "a field is missing, is too long, or has a value that is not allowed" },
  FILE_UNUSABLE: {
    retry: false,
    meaning: "the file can't be read or written, or does not contain what it should; name another one, or repair it",
  },
  HTTP_BAD_REQUEST: { retry: false, meaning: "the path, query or body of the request is not valid here" },
  IDENTITY_EXISTS: {
    retry: false,
    meaning: "there is an identity of this name already; choose another name, or remove that one first",
  },
  IDENTITY_UNKNOWN: {
    retry: false,
    meaning: "there is no user, token or client key of this name; `roster get identities` lists those that there are",
  },
  KEEPER_UNREACHABLE: {
    retry: true,
    meaning: "the session that keeps this registration, and judges its checks, did not answer; try again",
  },
  LIST_UNAVAILABLE: {
    retry: true,
    meaning:
      "the list of this service did not arrive in time: its data node can't be reached, or does not serve it yet; try again",
  },
  NODE_ASKED_UNREACHABLE: {
    retry: true,
    meaning: "the node that has the answer can't be reached, or did not answer in time; nothing more is known",
  },
  NODE_BYTES_EXHAUSTED: {
    retry: true,
    meaning: "the node has reached its memory limit; add session nodes, or raise memory-bytes-max",
  },
  NODE_MESSAGE_MALFORMED: { retry: false, meaning: "these bytes are not a message between nodes; the link is closed" },
  NODE_NEEDED: {
    retry: false,
    meaning: "the cluster has no other node with this role; start another one first, or stop this one",
  },
  NODE_REFUSED: { retry: true, meaning: "the cluster refuses this node for the reason given; the process stops" },
  NODE_UNKNOWN: {
    retry: false,
    meaning:
      "no node of this name holds clients or publications here, or is blocked; `roster get nodes` lists all nodes; " +
      "a node that has only the role meta is stopped, not blocked",
  },
  NODE_UNREACHABLE: {
    retry: true,
    meaning: "no node answers at this address; check that it is running and that the URL is right",
  },
  NOT_META_LEADER: { retry: true, meaning: "this meta node is not the leader; ask the leader" },
  OPERATION_FAILED: { retry: false, meaning: "the node did not carry out the request; its answer gives the reason" },
  OVERLOADED: {
    retry: true,
    meaning: "more registrations arrive per second than the session accepts; try again later",
  },
  PERSISTENT_EXHAUSTED: {
    retry: false,
    meaning:
      "there are as many persistent registrations as there may be, or twice as many with those that were taken back " +
      "in the last half hour, or this one is too large or has too many checks; `roster get persistent` lists them: " +
      "take back those that are no longer needed",
  },
  PERSISTENT_UNKNOWN: {
    retry: false,
    meaning: "there is no such persistent registration; `roster get persistent` lists those that there are",
  },
  PERMISSION_NEEDED: {
    retry: false,
    meaning: "this principal may not do that; an admin can give it an access role, or allow it by a policy",
  },
  POLICY_UNKNOWN: {
    retry: false,
    meaning: "there is no policy of this name; `roster get policies` lists those that there are",
  },
  QUERIES_EXHAUSTED: {
    retry: true,
    meaning: "too many queries are waiting at this session; try again later, or ask another session",
  },
  RECORD_INVALID: {
    retry: false,
    meaning: "the store has no such record: its key, or the question for it, is not allowed; the reason says what is",
  },
  RECORD_TOO_LARGE: {
    retry: false,
    meaning: "the change is larger than a record, or one commit, may be; store less at once",
  },
  REGISTRATION_TOO_LARGE: {
    retry: false,
    meaning: "the registration is larger than registration-bytes-max allows; publish less, or raise it",
  },
  REGISTRATION_HELD: {
    retry: true,
    meaning:
      "another client holds this registration and is connected, or may return in a moment; " +
      "stop that client, or register under another registId",
  },
  REGISTRATIONS_EXHAUSTED: {
    retry: true,
    meaning:
      "the client has as many registrations as one client may have; register less, or raise client-registrations-max",
  },
  RULE_CHANGED: {
    retry: true,
    meaning: "another operator has changed or removed this rule; read it again, and repeat the change if it still fits",
  },
  RULE_IN_THE_WAY: {
    retry: false,
    meaning: "another rule has the same effect on more than is named, and is not changed by this; nothing was changed",
  },
  RULE_UNKNOWN: {
    retry: false,
    meaning: "there is no rule of this id; `roster get rules` lists those that there are",
  },
  RULES_EXHAUSTED: {
    retry: false,
    meaning:
      "the rule, or all rules together, would be larger than they may be; remove what is no longer needed, or name blocks of addresses",
  },
  SLOTS_FROZEN: {
    retry: true,
    meaning: "there are fewer data nodes than data-nodes-min, so slots stay where they are; start more data nodes",
  },
  STORE_DAMAGED: {
    retry: false,
    meaning: "the store contains values that this program does not write; restore a backup, or follow the advice",
  },
  ROLE_NEEDED: {
    retry: true,
    meaning: "no node with the role that has the answer is a member of the cluster; start one, or wait for it",
  },
  REGISTRATION_UNKNOWN: {
    retry: false,
    meaning: "no `roster register` of this user on this machine holds such a registration",
  },
  SERVICE_FULL: {
    retry: true,
    meaning: "the list of this service has reached its size limit; publish less, or try again after others have left",
  },
  SERVICE_UNKNOWN: {
    retry: false,
    meaning: "no client publishes this service; `roster get services` lists those that there are",
  },
  REVISIONS_EXHAUSTED: {
    retry: false,
    meaning:
      "the revisions of applications have reached their limit, in number or in bytes; let silent ones be removed, or register fewer",
  },
  REVISIONS_UNAVAILABLE: {
    retry: true,
    meaning:
      "no meta node has answered in time about the revisions of applications: the store or all meta nodes may be away; try again",
  },
  REVISION_UNKNOWN: {
    retry: true,
    meaning: "the publication names a revision that is not registered; register the revision first, and publish again",
  },
  STORE_OUTCOME_UNKNOWN: {
    retry: true,
    meaning: "the store failed during the change, which may or may not have been made; read the current state",
  },
  STORE_SCHEMA_NEWER: { retry: false, meaning: "the store was written by a newer release; upgrade this program" },
  STORE_UNAVAILABLE: { retry: true, meaning: "the store does not answer; nothing was changed" },
  VERSION_CONFLICT: {
    retry: false,
    meaning:
      "the value was changed by another operator: it no longer has the version that the change was made for; " +
      "read it again, and decide anew",
  },
  VERSION_FLOOR_INVALID: {
    retry: false,
    meaning:
      "the data directory records versions that no clock can have given; start with an empty data-dir, and restart the clients",
  },
  WAIT_ENDED: {
    retry: true,
    meaning: "the time to wait is over; the work goes on, and `roster get nodes` shows how far it is",
  },
  WORKER_FAILED: { retry: false, meaning: "a worker process did not start; its output gives the reason" },
} as const satisfies ErrorTable;

export type ErrorCode = keyof typeof ERRORS;

/** The values that explain an error: short, printable, no secrets. */
export type ErrorDetails = Readonly<Record<string, string | number | bigint | boolean | readonly string[]>>;

/** An expected failure. The message reads `CODE: meaning (key=value, ...)`. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: string;
  /** Whether the same request may succeed later without any change. */
  readonly retry: boolean;
  readonly details: ErrorDetails;

  /** Use `fail`, or the function beside the table of the code. */
  constructor(code: string, { retry, meaning }: ErrorRow, details: ErrorDetails) {
    super(`${code}: ${meaning}${describe(details)}`);
    this.code = code;
    this.retry = retry;
    this.details = details;
  }
}

/** The function that makes errors of a table. A code that is not in the table does not compile. */
export function errorsOf<Table extends ErrorTable>(
  table: Table,
): (code: keyof Table & string, details?: ErrorDetails) => RegistryError {
  return (code, details = {}) => new RegistryError(code, table[code] as ErrorRow, details);
}

/** Makes the error to throw or to return: `throw fail("FIELD_INVALID", { field })`. */
export const fail = errorsOf(ERRORS);

// Values are cut so that a hostile field can't fill the log, and shown as JSON so that they can't forge a log line.
const VALUE_CHARS_MAX = 120;
// A reason from another node or from the system is a whole sentence and ends with the remedy.
const REASON_CHARS_MAX = 1_000;

function describe(details: ErrorDetails): string {
  const parts = Object.entries(details).map(
    ([key, value]) => `${key}=${printable(value, key === "reason" ? REASON_CHARS_MAX : VALUE_CHARS_MAX)}`,
  );
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

// People read a list of this many node names, or names of any kind, by eye.
const NAMES_MAX = 20;

function printable(value: ErrorDetails[string], charsMax: number): string {
  if (Array.isArray(value)) {
    const names = value
      .slice(0, NAMES_MAX)
      .map((name) => printable(name, charsMax))
      .join(" ");
    return value.length > NAMES_MAX ? `[${names} and ${value.length - NAMES_MAX} more]` : `[${names}]`;
  }
  if (typeof value !== "string") return String(value);
  const cut = value.length > charsMax ? `${value.slice(0, charsMax)}…` : value;
  return /^[\w.:/@#-]+$/.test(cut) ? cut : visible(JSON.stringify(cut));
}
