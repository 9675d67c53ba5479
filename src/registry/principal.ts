// The identity of a client: what its gateway has found it to be, by the means of its protocol. The session keeps it
// with the client.

/** The identity that a client has proved. Kinds with a proof come with the first protocol that checks one. */
export interface Principal {
  /** `anonymous`: it has proved nothing. */
  readonly kind: "anonymous";
  readonly name: string;
  /** The host that it comes from. */
  readonly from: string;
}

/** The principal of a client whose protocol has no proof, or that gave none. */
export function anonymous(from: string): Principal {
  return { kind: "anonymous", name: "anonymous", from };
}
