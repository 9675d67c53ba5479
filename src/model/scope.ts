/** The reach of a subscriber: its own zone, its data center, or all data centers. The names are the wire's. */
export type Scope = (typeof SCOPES)[number];

/** Messages between nodes name a scope by its place here. */
export const SCOPES = ["zone", "dataCenter", "global"] as const;

export function isScope(text: string): text is Scope {
  return text === "zone" || text === "dataCenter" || text === "global";
}
