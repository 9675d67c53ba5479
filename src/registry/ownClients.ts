// The clients of one session, for protocols that list them by its own connections.

import type { ClientId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";

/** The connected clients of a session. Iterables are valid until the session's next step. */
export interface OwnClients {
  /** The hosts that clients connect from. */
  hosts(): Iterable<string>;
  /** The clients that connect from this host, as their ids name it (`hostOf`). */
  clientsAt(host: string): Iterable<ClientId>;
  /** The publications of a client; none for one that is not connected. */
  publicationsOf(client: ClientId): Iterable<Publication>;
}
