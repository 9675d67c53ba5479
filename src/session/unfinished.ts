// Everything that a session still waits for, or keeps only for a while. None of it is left soon after the last change,
// once nodes and clients are well: anything left waits for an event that will not come, or was forgotten.

import type { ClientId } from "../model/ids.ts";
import type { Addresses } from "./addresses.ts";
import type { Applications } from "./applications.ts";
import type { Catalogues } from "./catalogues.ts";
import type { Client, PushTarget } from "./client.ts";
import type { ClientsByHost } from "./clientsByHost.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Leases } from "./leases.ts";
import type { Pusher } from "./pusher.ts";
import type { SessionRules } from "./sessionRules.ts";
import type { SubscribedService } from "./subscriptions.ts";
import type { SurveyAnswers } from "./surveyAnswers.ts";
import type { Surveys } from "./surveys.ts";
import type { VersionScan } from "./versionScan.ts";

export interface SessionParts {
  readonly clients: ReadonlyMap<ClientId, Client>;
  readonly byHost: ClientsByHost;
  readonly pusher: Pusher;
  readonly scan: Pick<VersionScan, "isBegunAnew">;
  readonly links: DataLinks;
  readonly leases: Pick<Leases, "unanswered">;
  readonly catalogues: Catalogues;
  readonly addresses: Addresses;
  readonly applications: Applications;
  readonly surveys: Surveys;
  readonly rules: SessionRules;
  readonly surveyAnswers: SurveyAnswers;
  /** Slots whose leader has not confirmed that it has everything held here. */
  readonly unsettled: ReadonlySet<number>;
}

export function* unfinished(parts: SessionParts): Generator<string> {
  const { clients, pusher, links, leases, catalogues, addresses, applications, surveys, surveyAnswers, unsettled } =
    parts;
  if (!links.isIdle) yield "changes wait to be taken by data nodes";
  if (leases.unanswered > 0) yield "registrations that are kept by heartbeats wait for a data node";
  if (catalogues.waiting > 0) yield "a question about the catalogue waits for its answer";
  if (addresses.waiting > 0) yield "a question about an address waits for its answer";
  if (surveys.waiting > 0) yield "a survey waits for its answer";
  if (surveyAnswers.running > 0) yield "clients are gone through for a survey";
  yield* applications.unfinished();
  for (const slot of unsettled) yield `the leader of slot ${slot} has not said that it has what is here`;
  for (const service of pusher.subscriptions.services()) yield* ofService(service, pusher);
  for (const client of clients.values()) {
    if (client.blockedTargets.size > 0) yield `${client.id} is owed pushes`;
    if (client.answersPushes && client.pushesUnderWay.size > 0) yield `${client.id} has not answered a push`;
  }
}

/** States that are impossible between two steps: something waits, and neither an answer nor a time will continue it. */
export function* stuck({ pusher, links, scan }: SessionParts): Generator<string> {
  for (const node of links.stuck()) yield `changes wait for ${node}, and nothing sends them`;
  // The round goes to every service.
  if (scan.isBegunAnew) return;
  for (const service of pusher.subscriptions.services()) {
    for (const target of service.targets.values()) {
      const { client, subscribers } = target;
      if (client.departedMs !== undefined || !pusher.isOwed(target, service)) continue;
      if (pusher.willPush(target, service)) continue;
      yield `nothing brings ${[...subscribers.keys()]} of ${client.id} the list of ${service.serviceKey}`;
    }
  }
}

/** Remains after the last client has gone: there should be none. */
export function* leftovers(parts: SessionParts): Generator<string> {
  const { clients, byHost, catalogues } = parts;
  const { subscriptions } = parts.pusher;
  for (const id of clients.keys()) yield `${id} is still a client`;
  if (byHost.size !== 0) yield `clients of ${byHost.size} hosts are known`;
  for (const { serviceKey } of subscriptions.services()) yield `nobody subscribes ${serviceKey}, and it is known`;
  for (const scope of catalogues.scopes()) yield `nobody asks for the catalogue of "${scope}", and it is kept`;
  if (subscriptions.size !== 0) yield `${subscriptions.size} subscribers are counted`;
}

function* ofService(service: SubscribedService, pusher: Pusher): Generator<string> {
  const { serviceKey, isWaiting, round, departed, targets } = service;
  if (isWaiting) yield `the list of ${serviceKey} is waited for`;
  if (round !== undefined) yield `the list of ${serviceKey} is on its way to all`;
  for (const { registId } of departed.values()) yield `${registId} of ${serviceKey} has left and is kept`;
  for (const target of targets.values()) if (pusher.isOwed(target, service)) yield* ofTarget(target, service);
}

function* ofTarget({ client, subscribers }: PushTarget, { serviceKey, list }: SubscribedService): Generator<string> {
  // The version at a client that never answers is unknown.
  if (!client.answersPushes) return;
  for (const { registId, seenVersion } of subscribers.values()) {
    if (seenVersion < list.version) yield `${registId} of ${client.id} has not seen the list of ${serviceKey}`;
  }
}
