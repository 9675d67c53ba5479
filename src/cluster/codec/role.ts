// Roles by their number on the wire.

import type { NodeRole } from "../messages/hello.ts";
import type { MemberRole } from "../messages/membership.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

const ROLE = { meta: 1, data: 2, session: 3 } as const satisfies Record<NodeRole, number>;

export function writeRole(writer: NodeWriter, role: NodeRole): void {
  writer.varint(ROLE[role]);
}

/** Undefined if this release does not know the role. */
export function readRole(reader: NodeReader): NodeRole | undefined {
  switch (reader.varint()) {
    case ROLE.meta:
      return "meta";
    case ROLE.data:
      return "data";
    case ROLE.session:
      return "session";
    default:
      return undefined;
  }
}

/** Undefined if this release does not know the role as a member role. */
export function readMemberRole(reader: NodeReader): MemberRole | undefined {
  const role = readRole(reader);
  return role === "meta" ? undefined : role;
}
