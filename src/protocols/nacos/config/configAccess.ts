// The rights of callers about configurations, and their names in the history.

import type { ValueAction, ValueKey } from "../../../access/policy.ts";
import type { Principal } from "../../../access/principal.ts";
import { fail } from "../../../base/errors.ts";
import type { Caller } from "../../kit/judgedRoutes.ts";
import { checkCaller } from "../callers.ts";
import { type ConfigKey, PUBLIC } from "./configKey.ts";
import type { Editor } from "./configWriter.ts";

/** A configuration, as policies name it. */
export function valueKeyOf({ namespace, group, dataId }: ConfigKey): ValueKey {
  return { namespace: namespace === PUBLIC ? "" : namespace, group, name: dataId };
}

/** Throws CREDENTIALS_NEEDED or PERMISSION_NEEDED. */
export function checkValues(caller: Caller, action: ValueAction, keys: readonly ValueKey[]): void {
  for (const about of keys) checkCaller(caller, { action, about });
}

/**
 * The configurations with which a caller may do that. Throws CREDENTIALS_NEEDED or PERMISSION_NEEDED if it may with
 * none.
 */
export function allowedFor(caller: Caller, action: ValueAction): (key: ConfigKey) => boolean {
  const reach = caller.reach(action);
  if (reach === "all") return () => true;
  if (reach === "none") throw nothing(caller.principal, action);
  return (key) => caller.mayDo({ action, about: valueKeyOf(key) });
}

function nothing({ kind, name, from }: Principal, action: ValueAction) {
  if (kind === "anonymous") return fail("CREDENTIALS_NEEDED", { action, from });
  return fail("PERMISSION_NEEDED", { principal: name, action });
}

/** The maker of a change, as the history names it: for a login its user. */
export function editorOf({ principal: { kind, name, loginOf = name } }: Caller, from: string): Editor {
  return { name: kind === "anonymous" ? "" : loginOf, from };
}
