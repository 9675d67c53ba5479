// `roster drain NODE --wait-ms`: waits until the node has gone from the cluster, and reports how far it is.

import { setTimeout as sleep } from "node:timers/promises";
import { getHealth } from "../admin/operations/health.ts";
import { listNodes } from "../admin/operations/nodes.ts";
import type { RawParameters } from "../admin/parameter.ts";
import { fail, RegistryError } from "../base/errors.ts";
import type { NodeClient } from "./nodeClient.ts";
import type { Row } from "./output.ts";
import { Progress } from "./progress.ts";
import { readWholeNumber } from "./wholeNumber.ts";

const ASK_MS = 500;

// A node that is only busy answers again within this many questions.
const SILENCES_MAX = 6;

/** Remembers the node before it is told; `gone` waits for its end, and says so. Rejects with WAIT_ENDED. */
export async function awaitDrained(
  client: NodeClient,
  { node }: RawParameters,
  given: string,
): Promise<{ gone: () => Promise<string> }> {
  const waitMs = readWholeNumber("--wait-ms", given, { min: 1, max: 86_400_000 });
  if (typeof node !== "string") {
    throw fail("FIELD_INVALID", { field: "--wait-ms", value: given, expected: "the name of a node to wait for" });
  }
  // A node that starts again is another run, and the drained run is gone all the same.
  const runs = new Set((await rowsOf(client, node))?.map(({ id }) => id));
  return {
    gone: async () => {
      const endMs = performance.now() + waitMs;
      const progress = new Progress();
      try {
        for (let silences = 0; performance.now() < endMs && silences < SILENCES_MAX; ) {
          const rows = await rowsOf(client, node);
          silences = rows === undefined ? silences + 1 : 0;
          const present = rows?.filter(({ id }) => runs.has(id ?? ""));
          if (present?.length === 0) return `${node} has handed over its work and gone`;
          if (present !== undefined) progress.report(`${node}: ${present.map(stateOf).join("; ")}`);
          await sleep(ASK_MS);
        }
        if (performance.now() < endMs) return `no node answers any more, as when ${node} was the one that was asked`;
      } finally {
        progress.end();
      }
      throw fail("WAIT_ENDED", { node, waitMs });
    },
  };
}

/** The rows of a node; undefined if no node answers, as when the asked one is the node that leaves. */
async function rowsOf(client: NodeClient, named: string): Promise<readonly Row[] | undefined> {
  try {
    const { items } = await client.ask(listNodes);
    return (items as readonly Row[]).filter(({ id }) => id === named || String(id).split(".")[0] === named);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return error.code === "NODE_UNREACHABLE" ? undefined : reached(client, named);
  }
}

/** Without a meta node the list is not known; the node's own answer is then the sign of its life. */
async function reached(client: NodeClient, named: string): Promise<readonly Row[]> {
  const { items } = await client.ask(getHealth);
  return (items as readonly Row[])
    .filter(({ node }) => String(node).startsWith(`${named}.`) || node === named)
    .map(({ node }) => ({ id: node ?? null, state: "leaving" }));
}

function stateOf({ role, state, leads, clients }: Row): string {
  const work = [leads === undefined ? "" : `leads ${leads} slots`, clients === undefined ? "" : `${clients} clients`];
  return [`${role} ${state}`, ...work.filter((text) => text !== "")].join(", ");
}
