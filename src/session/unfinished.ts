// What a session still waits for, or keeps for a while only. Nothing of it is left soon after the last change, once
// nodes and clients are well: what stays then waits for something that will not come, or is forgotten where it is.

import type { ClientId } from "../model/ids.ts";
import type { Client, PushTarget } from "./client.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { SubscribedService, Subscriptions } from "./subscriptions.ts";

export interface SessionParts {
  readonly clients: ReadonlyMap<ClientId, Client>;
  readonly services: Subscriptions;
  readonly links: DataLinks;
  /** Slots whose leader has not said that it has what is here. */
  readonly unsettled: ReadonlySet<number>;
}

export function* unfinished({ clients, services, links, unsettled }: SessionParts): Generator<string> {
  if (!links.isIdle) yield "changes wait to be taken by data nodes";
  for (const slot of unsettled) yield `the leader of slot ${slot} has not said that it has what is here`;
  for (const service of services.services()) yield* ofService(service);
  for (const client of clients.values()) {
    if (client.blockedTargets.size > 0) yield `${client.id} is owed pushes`;
    if (client.answersPushes && client.pushesUnderWay.size > 0) yield `${client.id} has not answered a push`;
  }
}

/** What is left when there is no client any more: nothing. */
export function* leftovers({ clients, services }: SessionParts): Generator<string> {
  for (const id of clients.keys()) yield `${id} is still a client`;
  for (const { dataInfoId } of services.services()) yield `nobody subscribes ${dataInfoId}, and it is known`;
  if (services.size !== 0) yield `${services.size} subscribers are counted`;
}

function* ofService(service: SubscribedService): Generator<string> {
  const { dataInfoId, isWaiting, round, departed, targets } = service;
  if (isWaiting) yield `the list of ${dataInfoId} is waited for`;
  if (round !== undefined) yield `the list of ${dataInfoId} is on its way to all`;
  for (const { registId } of departed.values()) yield `${registId} of ${dataInfoId} has left and is kept`;
  for (const target of targets.values()) yield* ofTarget(target, service);
}

function* ofTarget({ client, subscribers }: PushTarget, { dataInfoId, list }: SubscribedService): Generator<string> {
  // Nobody knows what a client has that never answers.
  if (!client.answersPushes) return;
  for (const { registId, seenVersion } of subscribers.values()) {
    if (seenVersion < list.version) yield `${registId} of ${client.id} has not seen the list of ${dataInfoId}`;
  }
}
