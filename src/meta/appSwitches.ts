// The switches of application-level discovery, which operators keep among the configuration values under SOFARegistry's
// names for them.

import { makeServiceKey } from "../model/serviceKey.ts";
import type { CleanerSwitches } from "./appCleaner.ts";
import type { Configs } from "./configs.ts";

const SWITCHES = { namespace: "9600", group: "CONFIG" };
const REVISIONS = makeServiceKey({ name: "app_revision.cleaner.enabled", ...SWITCHES });
const SERVICES = makeServiceKey({ name: "interface_app.cleaner.enabled", ...SWITCHES });

/** The switches by their values; as in SOFARegistry, silent revisions are removed by default and services are not. */
export function cleanerSwitches(configs: Pick<Configs, "value">): CleanerSwitches {
  const [revisions, services] = [REVISIONS, SERVICES].map((key) => configs.value(key)?.data);
  return { revisions: (revisions ?? "true") === "true", services: services === "true" };
}
