// The services that the configuration entry of a gateway gives it.

import { Fields } from "./fields.ts";

export const INGRESS = "ingress-gateway";
export const TERMINATING = "terminating-gateway";
/** Stands for all services. */
export const WILDCARD = "*";

/** A service that a gateway has, with what its entry says of it. */
export interface Linked {
  readonly name: string;
  readonly words: Readonly<Record<string, unknown>>;
}

/** The services of an entry, in its order; none of another kind's. Throws a ConsulError. */
export function linkedIn({ kind, fields }: { readonly kind: string; readonly fields: object }): Linked[] {
  const entry = new Fields(fields);
  if (kind === TERMINATING) return entry.list("Services").map(ofTerminating);
  return kind === INGRESS ? entry.list("Listeners").flatMap(ofListener) : [];
}

function ofTerminating(value: unknown): Linked {
  const service = new Fields(value, "Services");
  const names = ["CAFile", "CertFile", "KeyFile", "SNI"].filter((name) => service.text(name) !== "");
  return { name: service.text("Name"), words: Object.fromEntries(names.map((name) => [name, service.text(name)])) };
}

function ofListener(value: unknown): Linked[] {
  const listener = new Fields(value, "Listeners");
  const protocol = listener.text("Protocol").toLowerCase();
  const words = { Port: listener.number("Port") ?? 0, Protocol: protocol === "" ? "tcp" : protocol };
  return listener.list("Services").map((inner) => {
    const service = new Fields(inner, "Listeners.Services");
    const hosts = service.texts("Hosts");
    return { name: service.text("Name"), words: { ...words, ...(hosts.length > 0 && { Hosts: hosts }) } };
  });
}
