// The sessions that take SOFARegistry's clients.

import { listNodes } from "../admin/operations/nodes.ts";
import { fail } from "../base/errors.ts";
import type { NodeClient } from "./nodeClient.ts";
import type { Row } from "./output.ts";

// Many clients that connect at once ask for the sessions once.
const KNOWN_MS = 1_000;

/**
 * The addresses of sessions, one after the other, beginning anywhere; as the cluster has them when they are asked for.
 * `session` is the only one if it is given. Rejects with ROLE_NEEDED where no session is up.
 */
export function sessionAddresses(client: NodeClient, session: string | undefined): () => Promise<string> {
  let turn = Math.floor(Math.random() * 1_000);
  let known: { readonly atMs: number; readonly addresses: Promise<readonly string[]> } | undefined;
  return async () => {
    if (session !== undefined) return session;
    const nowMs = performance.now();
    if (known === undefined || nowMs > known.atMs + KNOWN_MS) known = { atMs: nowMs, addresses: sessionsUp(client) };
    const addresses = await known.addresses;
    const address = addresses[turn++ % Math.max(1, addresses.length)];
    if (address === undefined) throw fail("ROLE_NEEDED", { role: "session" });
    return address;
  };
}

async function sessionsUp(client: NodeClient): Promise<readonly string[]> {
  const { items } = await client.ask(listNodes);
  return (items as readonly Row[])
    .filter(({ role, state }) => role === "session" && state === "up")
    .map(({ clientAddresses }) => (clientAddresses as Readonly<Record<string, string>> | undefined)?.["bolt"] ?? "")
    .filter((address) => address !== "");
}
