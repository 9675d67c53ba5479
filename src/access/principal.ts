// The identity of a client or an operator: what the port that it came in by has found it to be. Everything that is
// asked of the registry is asked by a principal.

import type { PeerCertificate } from "../base/ports.ts";

/**
 * `user`: a person with a password; `token`: a program, or a person's login; `clientKey`: a client that signs;
 * `certificate`: a client whose certificate an authority of ours has signed; `anonymous`: it has proved nothing.
 */
export const PRINCIPAL_KINDS = ["user", "token", "clientKey", "certificate", "anonymous"] as const;

export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number];

/** The kinds of principals that prove an identity, of which there is a record. */
export const IDENTITY_KINDS = ["user", "token", "clientKey"] as const satisfies readonly PrincipalKind[];

export type IdentityKind = (typeof IDENTITY_KINDS)[number];

/**
 * The access roles of an identity. `admin`: everything; `operator`: reads, operates and sets values; `reader`: reads;
 * `client`: publishes, subscribes and lists. An identity without one may do what policies allow it.
 */
export const ACCESS_ROLES = ["admin", "operator", "reader", "client"] as const;

export type AccessRole = (typeof ACCESS_ROLES)[number];

/** The identity that a client or an operator has proved. */
export interface Principal {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly roles: readonly AccessRole[];
  /** The host that it comes from, as `readHost` writes it. */
  readonly from: string;
  /** The user whose login it is: what policies say of the user by name is for the login, too. */
  readonly loginOf?: string;
}

const NO_ROLES: readonly AccessRole[] = [];

/** The name of every principal that has proved nothing; no identity has it. */
export const ANONYMOUS = "anonymous";

/** The principal of a client whose protocol has no proof, or that gave none. */
export function anonymous(from: string): Principal {
  return { kind: "anonymous", name: ANONYMOUS, roles: NO_ROLES, from };
}

/**
 * The principal of a client that has shown a certificate: it has the common name of its subject, and no access role.
 * A subject without exactly one has no name that a policy could mean.
 */
export function certified({ commonName }: Pick<PeerCertificate, "commonName">, from: string): Principal {
  return { kind: "certificate", name: commonName, roles: NO_ROLES, from };
}
