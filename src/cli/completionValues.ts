// The values that completion offers: names of nodes, services and values from the cluster, names of contexts from the
// user's file. A cluster that does not answer at once offers nothing; a shell must not wait, and shows no errors.

import { listConfigs } from "../admin/operations/configs.ts";
import { getHealth } from "../admin/operations/health.ts";
import { listOffline } from "../admin/operations/offline.ts";
import { listRules } from "../admin/operations/rules.ts";
import { listServices } from "../admin/operations/services.ts";
import { RegistryError } from "../base/errors.ts";
import { DEFAULT_GROUP, DEFAULT_NAMESPACE, SEPARATOR } from "../model/serviceKey.ts";
import { type Candidate, type Completed, clientOf } from "./commandKit.ts";
import type { Flags } from "./completion.ts";
import { type Environment, readContexts } from "./contexts.ts";
import type { Answer } from "./nodeClient.ts";
import type { Row } from "./output.ts";
import { runningRegistrations } from "./registrationSockets.ts";

const ANSWER_MS_MAX = 1_500;
// More can't be read by eye; one more letter shortens them.
const VALUES_MAX = 200;

/** The values of a kind. Empty if they can't be known. */
export async function findValues(
  kind: Completed,
  { typed, flags, environment }: { readonly typed: string; readonly flags: Flags; readonly environment: Environment },
): Promise<readonly Candidate[]> {
  try {
    if (kind === "context") return contextNames(environment);
    if (kind === "registration") return services(await runningRegistrations(environment), typed);
    if (kind === "file") return [];
    const type = kind.type === "list" ? kind.of.type : kind.type;
    const client = () => clientOf(flags, ANSWER_MS_MAX);
    if (kind.type === "choice") return kind.oneOf.map((value) => ({ value, about: "" }));
    if (type === "node") return nodeNames(await client().ask(getHealth));
    if (kind.about.startsWith("The id of the rule")) return named(await client().ask(listRules), "id");
    if (kind.about.startsWith("Addresses that are offline")) return named(await client().ask(listOffline), "address");
    if (type !== "service") return [];
    // The key of a configuration value is written as a service is.
    const isValue = kind.about.startsWith("The value's key");
    const pattern = `${typed.split("#")[0] ?? ""}*`;
    const operation = isValue ? listConfigs : listServices;
    const { items } = await client().ask(operation, { pattern, limit: VALUES_MAX });
    return services(
      (items as readonly Row[]).map(({ key, service }) => ({ service: String(key ?? service) })),
      typed,
    );
  } catch (error) {
    if (error instanceof RegistryError) return [];
    throw error;
  }
}

function contextNames(environment: Environment): Candidate[] {
  return Object.entries(readContexts(environment).contexts).map(([value, { urls }]) => ({
    value,
    about: urls.join(","),
  }));
}

/** The values of this field of the rows, each once. */
function named({ items }: Answer, field: string): Candidate[] {
  const rows = items as readonly Row[];
  return [...new Map(rows.map((row) => [row[field], row])).values()].map((row) => ({
    value: String(row[field]),
    about: String(row["reason"] ?? ""),
  }));
}

function nodeNames({ items }: Answer): Candidate[] {
  return (items as readonly Row[]).map(({ node, roles }) => {
    const its = (roles as readonly Row[]).map(({ role }) => role).join(", ");
    return { value: String(node).split(".")[0] ?? "", about: its };
  });
}

const ENDING = `${SEPARATOR}${DEFAULT_NAMESPACE}${SEPARATOR}${DEFAULT_GROUP}`;

/** A service of the default namespace and group is named by its name alone, unless more of its key is typed. */
function services(all: readonly { readonly service: string }[], typed: string): Candidate[] {
  return all.map(({ service }) => {
    const name = service.endsWith(ENDING) ? service.slice(0, -ENDING.length) : service;
    return { value: name.startsWith(typed) ? name : service, about: "" };
  });
}
