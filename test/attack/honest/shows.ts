// Whether a server does what it is for: a client publishes, and another one is shown it.

import { setTimeout as sleep } from "node:timers/promises";
import { AttackConnection } from "../attacker/attackConnection.ts";
import { publishFrame, subscribeFrame } from "../attacker/frames.ts";
import { Tally } from "../attacker/tally.ts";
import type { ServerProcess } from "../server/serverProcess.ts";

const SHOWN_MS_MAX = 5_000;
const POLL_MS = 20;
const TOKEN = "a-new-publisher";

/** Whether a new publisher is shown to a new subscriber within seconds. */
export async function shows({ target }: ServerProcess): Promise<boolean> {
  const { host, boltPort: port } = target;
  const tally = new Tally();
  let isShown = false;
  const subscriber = await AttackConnection.open(
    {
      host,
      port,
      onPush: ({ id, first }, connection) => {
        isShown ||= first.includes(TOKEN);
        connection.answerPush(id);
      },
    },
    tally,
  );
  const publisher = await AttackConnection.open({ host, port }, tally);
  await subscriber.send(subscribeFrame({ service: "shown", registId: "600d0002-0000-4000-8000-000000000001" }));
  await publisher.send(
    publishFrame({ service: "shown", registId: "600d0002-0000-4000-8000-000000000002", boxes: [TOKEN] }),
  );
  const endMs = performance.now() + SHOWN_MS_MAX;
  while (!isShown && performance.now() < endMs) await sleep(POLL_MS);
  subscriber.close();
  publisher.close();
  return isShown;
}
