// The part of Consul's bag of an instance that names it in DNS, too: its node and its tags. The gateway for Consul's
// clients writes the bag; DNS only reads it.

import type { Instance } from "../../model/instance.ts";

/** The name of the bag, and of the protocol as the source of instances. */
export const CONSUL = "consul";

/** The place of an instance in Consul's world of nodes. */
export interface ConsulNames {
  readonly node: string;
  /** The address of the node. */
  readonly nodeAddress: string;
  /** The instance has no address of its own: that of its node counts. */
  readonly isAtNodeAddress: boolean;
  readonly tags: readonly string[];
}

/** The names of an instance; one of another protocol is on a node that bears its host's name, and has no tags. */
export function consulNamesOf({ host, bags }: Pick<Instance, "host" | "bags">): ConsulNames {
  const bag = bags.get(CONSUL);
  const fields = bag === undefined ? undefined : fieldsOf(bag);
  if (fields === undefined) return { node: host, nodeAddress: host, isAtNodeAddress: false, tags: NO_TAGS };
  const { node, nodeAddress, address, tags } = fields;
  return {
    node: typeof node === "string" ? node : host,
    nodeAddress: typeof nodeAddress === "string" ? nodeAddress : host,
    isAtNodeAddress: address === "",
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : NO_TAGS,
  };
}

const NO_TAGS: readonly string[] = [];

/** A bag may come from a node of a later release. */
function fieldsOf(bag: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bag);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
