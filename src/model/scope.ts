/** The reach of a subscriber: its own zone, its data center, or all data centers. The names are the wire's. */
export type Scope = "zone" | "dataCenter" | "global";

export function isScope(text: string): text is Scope {
  return text === "zone" || text === "dataCenter" || text === "global";
}
