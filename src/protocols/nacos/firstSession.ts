import type { NacosEnvironment } from "./environment.ts";

/** Whether this node is the one session that removes what is old. */
export function isFirstSession({ node }: Pick<NacosEnvironment, "node">): boolean {
  const sessions = node.cluster.nodes().flatMap(({ id, role }) => (role === "session" && id !== undefined ? [id] : []));
  return sessions.every((id) => node.id <= id);
}
