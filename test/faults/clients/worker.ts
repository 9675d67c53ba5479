// A process full of clients, in a network namespace of its own. It does what it is told, reports all that happens, and
// ends with the process that started it.

import type { HistoryEvent } from "../history/event.ts";
import type { ClientCommand, ClientReport } from "./commands.ts";
import { SocketClient } from "./socketClient.ts";

const clients = new Map<string, SocketClient>();
let waiting: HistoryEvent[] = [];

/** Events that happen together leave together: a message costs more than an event. */
function record(event: HistoryEvent): void {
  if (waiting.push(event) === 1) setTimeout(flush, FLUSH_MS);
}

const FLUSH_MS = 5;

function flush(): void {
  const report: ClientReport = { events: waiting };
  waiting = [];
  process.send?.(report);
}

function obey(command: ClientCommand): void {
  switch (command.kind) {
    case "open": {
      const { client: name, sessions, first, settings } = command;
      clients.set(name, new SocketClient({ name, sessions, first, settings, record }));
      return;
    }
    case "publish":
      return client(command.client).publish(command.registration, command.service);
    case "unpublish":
      return client(command.client).unpublish(command.registration);
    case "subscribe":
      return client(command.client).subscribe(command.subscription, command.service);
  }
}

function client(name: string): SocketClient {
  const known = clients.get(name);
  if (known === undefined) throw new Error(`there is no client ${name}`);
  return known;
}

process.on("message", (commands: readonly ClientCommand[]) => {
  for (const command of commands) obey(command);
});
process.once("disconnect", () => process.exit(0));
