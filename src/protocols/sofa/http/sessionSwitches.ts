// Operators take clients off, and stop pushes, at single sessions or at all of the zone. Nothing of it is kept in the
// store, and it works while no meta node leads. A client that is taken off comes back when it connects anew.

import { fail, type RegistryError } from "../../../base/errors.ts";
import type { Log } from "../../../base/ports.ts";
import { type ClientId, type NodeId, nodeNameOf } from "../../../model/ids.ts";
import { Addresses, type RuleSet } from "../../../model/ruleSet.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { AskedNode, OtherNodes, SessionNodeView } from "../../kit/gateway.ts";
import type { SofaConnections } from "../connections.ts";
import type { ChangeOrigin } from "./changeSwitch.ts";
import { addressListsOf, CLIENT_OFF, stopPushRule } from "./ruleSwitches.ts";
import { shutdownRule } from "./settingSwitches.ts";
import { addressesIn } from "./switchChanges.ts";

/** The session as these changes need it. */
export interface SwitchedSession {
  readonly node: Pick<SessionNodeView, "id" | "own" | "nowMs" | "cluster" | "rules" | "hasRules" | "setOwnRule">;
  readonly registry: Pick<Registry, "step">;
  readonly connections: Pick<SofaConnections, "endAt">;
  readonly log: Log;
}

/** This session takes no clients until meta's switch is changed. Its pushes are stopped. */
export function shutHere({ node, log }: SwitchedSession, { from, request }: ChangeOrigin): void {
  const origin = { setBy: `SOFARegistry's HTTP paths, from ${from}`, reason: request };
  node.setOwnRule({
    ...shutdownRule(true, node.rules()),
    ...origin,
    setMs: Math.floor(node.nowMs()),
    epoch: NO_EPOCH,
  });
  log.warn("an operator has this session take no clients", { from });
}

/** The rules of a session's own have no epoch of meta's. */
const NO_EPOCH = 0n;

// As SOFARegistry waits for another session.
const SESSION_MS_MAX = 3_000;

/** Ends the publications of all clients at these addresses, as if they had taken them back. Throws FIELD_INVALID. */
export function clientsOffHere({ node, registry, log }: SwitchedSession, ips: string, { from }: ChangeOrigin): void {
  const addresses = new Addresses(addressesIn(ips));
  const hosts = [...node.own.hosts()].filter((host) => addresses.has(host));
  const clients = hosts.flatMap((host) => [...node.own.clientsAt(host)]);
  for (const client of clients) registry.step({ kind: "cleared", client, of: "publications" }, node.nowMs());
  log.info("an operator has taken clients off at this session", { clients: clients.length, from });
}

/** Ends the connections of all clients at these addresses: they come back, and register. Throws FIELD_INVALID. */
export function clientsOpenHere(
  { node, connections, log }: SwitchedSession,
  ips: string,
  { from }: ChangeOrigin,
): void {
  const clients = connections.endAt(new Addresses(addressesIn(ips)), node.nowMs());
  log.info("an operator has opened clients at this session", { clients, from });
}

/** Ends everything that these connections have registered. */
export function clientsClearedHere({ node, registry, log }: SwitchedSession, clients: readonly ClientId[]): void {
  for (const client of clients) registry.step({ kind: "cleared", client, of: "everything" }, node.nowMs());
  log.info("an operator has ended the registrations of clients", { clients: clients.length });
}

/** Stops the pushes of this session, but for the excepted addresses, until meta's switch is changed. */
export function stopPushHere({ node, log }: SwitchedSession, { from, request }: ChangeOrigin): void {
  const origin = { setBy: `SOFARegistry's HTTP paths, from ${from}`, reason: request };
  const rule = stopPushRule(node.rules(), { isStopped: true });
  node.setOwnRule({ ...rule, ...origin, setMs: Math.floor(node.nowMs()), epoch: NO_EPOCH });
  log.warn("an operator has stopped the pushes of this session", { from });
}

/** The addresses that are off. */
export function offAddresses(rules: RuleSet): readonly string[] {
  return addressListsOf(CLIENT_OFF, rules).hidden;
}

/** Answers another session. */
export async function answerAtSession(session: SwitchedSession, { name, parameters }: AskedNode): Promise<unknown> {
  const { ips, from, request, epoch } = textsIn(parameters);
  const origin = { from, request };
  switch (name) {
    case "clientOff":
      return clientsOffHere(session, ips, origin) ?? {};
    case "clientOpen":
      return clientsOpenHere(session, ips, origin) ?? {};
    case "stopPush":
      return stopPushHere(session, origin) ?? {};
    case "offAddresses":
      return { ips: offAddresses(session.node.rules()) };
    case "hasRules":
      return { hasRules: await session.node.hasRules(BigInt(epoch), SESSION_MS_MAX) };
    default:
      throw fail("FIELD_INVALID", { field: "question", value: name, expected: "a question of this release" });
  }
}

function textsIn(parameters: unknown): Readonly<Record<"ips" | "from" | "request" | "epoch", string>> {
  const texts = { ips: "", from: "", request: "", epoch: "0", ...(parameters as object) };
  const isText = Object.values(texts).every((value) => typeof value === "string");
  if (isText && /^\d{1,19}$/.test(texts.epoch)) return texts;
  throw fail("FIELD_INVALID", { field: "parameters", expected: "texts" });
}

/** The answer of another session, or the reason why there is none. */
export interface SessionAnswer {
  readonly session: NodeId;
  readonly answer: unknown;
  readonly error: RegistryError | undefined;
}

/** Asks all other sessions, at once. */
export function askOtherSessions(
  { node }: Pick<SwitchedSession, "node">,
  others: OtherNodes,
  { name, parameters }: AskedNode,
): Promise<readonly SessionAnswer[]> {
  const sessions = node.cluster.nodes().flatMap(({ role, id }) => (role === "session" && id !== undefined ? [id] : []));
  const question = { name, parameters, waitMs: 2 * SESSION_MS_MAX };
  return Promise.all(
    sessions
      .filter((id) => id !== node.id)
      .map((session) =>
        others.askSession(session, question).then(
          (answer): SessionAnswer => ({ session, answer, error: undefined }),
          (error: RegistryError): SessionAnswer => ({ session, answer: undefined, error }),
        ),
      ),
  );
}

/** The sessions that have not done it, in words; null if all have. */
export function notDone(answers: readonly SessionAnswer[]): string | null {
  const failed = answers.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return null;
  const reasons = failed.map(({ session, error }) => `${nodeNameOf(session)} (${error?.message})`);
  return `done here, and not by ${failed.length} of ${answers.length} other sessions: ${reasons.join(", ")}`;
}
