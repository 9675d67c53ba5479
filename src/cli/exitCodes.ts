// The exit codes of every command. They are stable: scripts depend on them.

import type { RegistryError } from "../base/errors.ts";
import { NodeRefusal } from "./nodeClient.ts";

/** Exit codes. Service managers may restart a server after `failed`; after `wrongUsage` a restart is useless. */
export const EXIT = {
  ok: 0,
  failed: 1,
  wrongUsage: 2,
  unknown: 3,
  conflict: 4,
  unreachable: 5,
  tryLater: 6,
  unhealthy: 7,
  notAllowed: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Their meanings, for the reference page. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "It is done. `roster watch` and `roster register` end with it when they are told to stop.",
  failed: "It failed; the message gives the reason.",
  wrongUsage: "The command line, a parameter or a setting is not allowed; the same command fails again.",
  unknown: "There is nothing of this name: no such service, node, value, rule, context or registration.",
  conflict: "It contradicts the present state: another operator changed the value or the rule, or the node is needed.",
  unreachable: "No node answers at the URLs that were tried.",
  tryLater: "A node answers, and can't do it at the moment, or the time to wait was over; a later try may succeed.",
  unhealthy: "`roster doctor` found something that needs care.",
  notAllowed: "It needs credentials, those given prove nothing, or their principal may not do it.",
};

const BY_CODE: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ["CONFIG_INVALID", EXIT.wrongUsage],
  ["BIND_REFUSED", EXIT.wrongUsage],
  ["DATA_DIR_UNUSABLE", EXIT.wrongUsage],
  ["FIELD_INVALID", EXIT.wrongUsage],
  ["FILE_UNUSABLE", EXIT.wrongUsage],
  ["ADMIN_NEEDED", EXIT.conflict],
  ["CLAIM_REFUSED", EXIT.notAllowed],
  ["CREDENTIALS_LOCKED", EXIT.notAllowed],
  ["CREDENTIALS_NEEDED", EXIT.notAllowed],
  ["CREDENTIALS_REFUSED", EXIT.notAllowed],
  ["PERMISSION_NEEDED", EXIT.notAllowed],
  ["IDENTITY_EXISTS", EXIT.conflict],
  ["IDENTITY_UNKNOWN", EXIT.unknown],
  ["POLICY_UNKNOWN", EXIT.unknown],
  ["CONFIG_VALUE_UNKNOWN", EXIT.unknown],
  ["PERSISTENT_UNKNOWN", EXIT.unknown],
  ["CONTEXT_UNKNOWN", EXIT.unknown],
  ["NODE_UNKNOWN", EXIT.unknown],
  ["REGISTRATION_UNKNOWN", EXIT.unknown],
  ["RULE_UNKNOWN", EXIT.unknown],
  ["SERVICE_UNKNOWN", EXIT.unknown],
  ["NODE_NEEDED", EXIT.conflict],
  ["REGISTRATION_HELD", EXIT.conflict],
  ["RULE_CHANGED", EXIT.conflict],
  ["RULE_IN_THE_WAY", EXIT.conflict],
  ["VERSION_CONFLICT", EXIT.conflict],
  ["NODE_UNREACHABLE", EXIT.unreachable],
  ["WAIT_ENDED", EXIT.tryLater],
]);

/** The exit code for a failure. */
export function exitCodeOf(error: RegistryError): ExitCode {
  const known = BY_CODE.get(error.code);
  if (known !== undefined) return known;
  return error instanceof NodeRefusal && error.retry ? EXIT.tryLater : EXIT.failed;
}
