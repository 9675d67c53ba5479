// `roster register`: a registration that lasts as long as the command runs; and `roster deregister`, which ends it.

import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import type { ServiceKey } from "../model/ids.ts";
import { BoltPublisher, type PublisherEvents } from "./boltPublisher.ts";
import type { Environment } from "./contexts.ts";
import type { NodeClient } from "./nodeClient.ts";
import { encoded, printNote } from "./output.ts";
import { endRegistrations, offerEnd, type RunningRegistration } from "./registrationSockets.ts";
import { sessionAddresses } from "./sessionAddresses.ts";

export interface Registering {
  readonly client: NodeClient;
  readonly serviceKey: ServiceKey;
  readonly boxes: readonly string[];
  readonly appName: string;
  readonly zone: string;
  readonly isSubscriber: boolean;
  /** The address of this machine to connect from. */
  readonly from: string | undefined;
  /** The session's port for clients, `host:port`; without it one of the cluster's sessions. */
  readonly session: string | undefined;
  readonly output: "table" | "json" | "yaml";
  readonly environment: Environment;
  readonly stopped: AbortSignal;
}

// A session is a connection and an answer away.
const FIRST_ANSWER_MS_MAX = 15_000;
const UNREGISTER_MS_MAX = 3_000;

/**
 * Registers, and resolves when it was told to stop and has taken the registration back. Rejects with OPERATION_FAILED
 * or NODE_UNREACHABLE if no session takes it at first.
 */
export async function register(asked: Registering): Promise<void> {
  const { serviceKey, boxes, stopped, output } = asked;
  const events = new Events(serviceKey);
  const publisher = new BoltPublisher({ ...asked, nextSession: sessionAddresses(asked.client, asked.session) }, events);
  const end = once(async () => {
    publisher.unregister();
    await Promise.race([events.gone.promise, sleep(UNREGISTER_MS_MAX)]);
    publisher.close();
  });
  try {
    const session = await Promise.race([events.first.promise, events.tooLate(), untilAborted(stopped)]);
    if (session !== undefined) {
      const registered = { registId: publisher.registId, service: serviceKey, boxes };
      const wished = Promise.withResolvers<void>();
      const remove = await offered(asked.environment, registered, { end, ended: wished.resolve });
      announce(registered, session, output);
      await Promise.race([wished.promise, untilAborted(stopped)]);
      await end();
      remove();
    }
  } finally {
    publisher.close();
  }
  if (output === "table") console.log(visible(`${serviceKey} is deregistered`));
}

/** The reports of a publisher: notes for people, and promises of the two reports that the command waits for. */
class Events implements PublisherEvents {
  readonly first = Promise.withResolvers<string>();
  readonly gone = Promise.withResolvers<void>();
  readonly #serviceKey: ServiceKey;
  #isRegistered = false;
  #lastFailure = "no session has answered";

  constructor(serviceKey: ServiceKey) {
    this.#serviceKey = serviceKey;
  }

  registered(session: string): void {
    if (this.#isRegistered) printNote(`registered again at ${session}`);
    this.#isRegistered = true;
    this.first.resolve(session);
  }

  unregistered(): void {
    this.gone.resolve();
  }

  refused(message: string): void {
    if (this.#isRegistered) printNote(`the session refuses: ${message}; it is asked again`);
    this.first.reject(fail("OPERATION_FAILED", { service: this.#serviceKey, reason: message }));
  }

  disconnected(session: string, reason: string): void {
    this.#lastFailure = `${session}: ${reason}`;
    if (this.#isRegistered) printNote(`there is no connection to a session (${this.#lastFailure}); the next is tried`);
  }

  /** Rejects when the first registration has taken too long. */
  async tooLate(): Promise<undefined> {
    await sleep(FIRST_ANSWER_MS_MAX);
    throw fail("NODE_UNREACHABLE", { service: this.#serviceKey, reason: this.#lastFailure });
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

/** Where the folder can't be used, the registration stands all the same. */
async function offered(
  environment: Environment,
  registered: RunningRegistration,
  ending: { readonly end: () => Promise<void>; readonly ended: () => void },
): Promise<() => void> {
  try {
    return await offerEnd(environment, registered, ending);
  } catch (error) {
    printNote(`deregister will not find this registration, end it with Ctrl-C: ${String(error)}`);
    return () => undefined;
  }
}

function announce(registered: RunningRegistration, session: string, output: Registering["output"]): void {
  const { service, boxes } = registered;
  if (output !== "table") return console.log(encoded({ ...registered, session }, output));
  console.log(visible(`${boxes.join(" ")} is registered for ${service} at session ${session}, until Ctrl-C`));
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
}

/** Ends the running registrations of a service, or only the one with this registId. Throws REGISTRATION_UNKNOWN. */
export async function deregister(
  environment: Environment,
  { serviceKey, registId }: { readonly serviceKey: ServiceKey; readonly registId: string | undefined },
): Promise<readonly RunningRegistration[]> {
  const ended = await endRegistrations(
    environment,
    (each) => each.service === serviceKey && (registId === undefined || each.registId === registId),
  );
  if (ended.length === 0) {
    throw fail("REGISTRATION_UNKNOWN", { service: serviceKey, ...(registId !== undefined && { registId }) });
  }
  return ended;
}
