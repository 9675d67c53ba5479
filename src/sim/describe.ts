// A fact as one line for people, and the services that it concerns.

import type { Renewal } from "../cluster/messages/lease.ts";
import type { Heartbeat, MetaToMember } from "../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../cluster/messages/replication.ts";
import {
  type DataToSession,
  type PublishItem,
  type SessionToData,
  type Superseded,
  serviceKeyOf,
} from "../cluster/messages/sessionData.ts";
import type { CatalogueEntry } from "../model/catalogue.ts";
import type { DatumSnapshot, DatumVersion } from "../model/datum.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import type { Survey, SurveyRows } from "../model/survey.ts";
import { TREE_PREFIX } from "../records/tree/treeRecords.ts";
import { describeAccess } from "./accessFacts.ts";
import type { Fact } from "./facts.ts";

export function describe(fact: Fact): string {
  switch (fact.kind) {
    case "told":
      return `${fact.from} -> ${fact.to} ${describeToSession(fact.message)}`;
    case "asked":
      return `${fact.from} -> ${fact.to}${fact.isLost ? " (lost)" : ""} ${describeToData(fact.message)}`;
    case "replicated":
      return `${fact.from} -> ${fact.to} ${describeToFollower(fact.message)}`;
    case "followed":
      return `${fact.from} -> ${fact.to} ${describeToLeader(fact.message)}`;
    case "heartbeat":
    case "reported":
      return `${fact.kind === "heartbeat" ? fact.from : `${fact.from.id} -> ${fact.to}`} ${beatText(fact.message)}`;
    case "ruled":
      return `${fact.from} -> ${fact.to.role} ${fact.to.id} ${describeRule(fact.message)}`;
    case "learned":
      return `${fact.role} ${fact.node} ${describeRule(fact.message)}`;
    case "saved":
      return `by ${fact.by} under lease ${fact.leaseEpoch}: ${fact.what} ${fact.table && describeTable(fact.table)}`;
    case "pushed": {
      const { client, service, version, session, entries, isTaken, scope } = fact;
      const list = entries.map(shortened).join(" ");
      const kind = isTaken ? scope : `${scope} (dropped)`;
      return `${session} => ${client} ${shortService(service)} v${version} ${kind} [${list}]`;
    }
    case "catalogueAnswered":
    case "catalogueTold":
      return `${fact.question} ${fact.node} ${fact.entries.map(entryText).join(", ")}`;
    case "addressAnswered": {
      const { question, node, registrations, isWhole, isCut } = fact;
      const told = registrations.map(({ serviceKey, registId }) => `${shortService(serviceKey)} ${registId}`);
      return `${question} ${node} [${told.join(", ")}]${isWhole ? "" : "…"}${isCut ? "+" : ""}`;
    }
    case "surveyAsked": {
      const { question, node, survey, client, waitMs, isLast } = fact;
      return `${question} ${node} ${surveyText(survey)} of ${client} within ${waitMs}${isLast ? " last" : ""}`;
    }
    case "surveyAnswered": {
      const told = fact.sessions.map(({ session, rows }) => `${session}: ${rows.rows.length}`);
      const missing = fact.unanswered.length === 0 ? "" : ` without ${fact.unanswered.join(" ")}`;
      return `${fact.question} ${fact.node} [${told.join(", ")}]${missing}${fact.isCut ? "+" : ""}`;
    }
    case "rulesAsked": {
      const { put, removed } = fact.edit;
      return [...put.map(({ id, isInForce }) => `+${id}${isInForce ? "" : " (not in force)"}`), ...removed].join(" ");
    }
    case "settings":
      return `${fact.role} ${fact.node} ${JSON.stringify(fact.settings)}`;
    case "rulesSaved":
      return fact.rules.rules.map(({ id }) => id).join(" ");
    case "accessAsked":
    case "accessSaved":
    case "accessChanged":
    case "accessJudged":
      return describeAccess(fact);
    case "over":
      return "";
    case "treeCommitted": {
      const keys = fact.commit.operations.map(
        ({ kind, key }) => `${kind === "put" ? "+" : "-"}${key.slice(TREE_PREFIX.length)}`,
      );
      return `${fact.revision} by ${fact.by}: ${keys.join(" ")}`;
    }
    case "treeDid":
      return `${fact.node} ${fact.order} ${fact.zxid} ${JSON.stringify(fact.event)}`;
    default:
      return Object.entries(fact)
        .filter(([key]) => key !== "kind")
        .map(([, value]) => shortened(String(value)))
        .join(" ");
  }
}

/** The services that a fact concerns; undefined if it may concern any. */
export function servicesOf(fact: Fact): readonly ServiceKey[] | undefined {
  if ("service" in fact) return [fact.service];
  switch (fact.kind) {
    case "buffered":
    case "heartbeat":
    case "reported":
    case "ruled":
      return [];
    case "told":
      return servicesToSession(fact.message);
    case "asked":
      return servicesToData(fact.message);
    case "replicated":
      return servicesToFollower(fact.message);
    case "followed":
      return fact.message.kept.map(({ serviceKey }) => serviceKey);
    default:
      return undefined;
  }
}

function servicesToData(message: SessionToData): readonly ServiceKey[] {
  switch (message.kind) {
    case "publish":
      return message.items.map(serviceKeyOf);
    case "scan":
      return message.versions.map(([serviceKey]) => serviceKey);
    case "release":
      return message.serviceKeys;
    case "fetch":
    case "reissue":
      return [message.serviceKey];
    case "inventory":
      return message.entries.map(({ serviceKey }) => serviceKey);
    case "yielded":
      return message.registrations.map(({ serviceKey }) => serviceKey);
    case "recalled":
      return [message.datum.serviceKey];
    case "renew":
      return message.renewals.map(({ serviceKey }) => serviceKey);
    case "catalogueWatch":
      return message.ahead.map(([serviceKey]) => serviceKey);
    case "digests":
    case "catalogueRelease":
    case "addressAsk":
    case "addressRelease":
    case "surveyAsk":
    case "surveyRelease":
    case "surveyPart":
      return [];
  }
}

function servicesToSession(message: DataToSession): readonly ServiceKey[] {
  switch (message.kind) {
    case "taken":
      return message.superseded.map(({ serviceKey }) => serviceKey);
    case "snapshot":
      return [message.datum.serviceKey];
    case "delta":
      return [message.delta.serviceKey];
    case "changed":
    case "current":
    case "notReady":
    case "recall":
      return [message.serviceKey];
    case "wanted":
      return [
        ...message.keys.map(([serviceKey]) => serviceKey),
        ...message.superseded.map(({ serviceKey }) => serviceKey),
      ];
    case "challenged":
      return message.registrations.map(({ serviceKey }) => serviceKey);
    case "catalogue":
    case "catalogueChanged":
    case "addressAnswer":
      return message.entries.map(({ serviceKey }) => serviceKey);
    default:
      return [];
  }
}

function servicesToFollower(message: LeaderToFollower): readonly ServiceKey[] {
  if (message.kind === "change") return [message.serviceKey];
  if (message.kind === "replica") return [...message.datums.map(({ serviceKey }) => serviceKey), ...message.gone];
  return [];
}

function describeToData(message: SessionToData): string {
  switch (message.kind) {
    case "publish": {
      const items = message.items.map(describeItem);
      return `publish #${message.batch} at ${message.epoch} ${items.join(", ")}`;
    }
    case "scan":
      return `scan ${message.versions.map(([id, version]) => `${shortService(id)} ${at(version)}`).join(", ")}`;
    case "fetch":
    case "reissue":
      return `${message.kind} ${shortService(message.serviceKey)} have ${at(message.have)}`;
    case "release":
      return `release ${message.serviceKeys.map(shortService).join(", ")}`;
    case "digests":
      return `digests at ${message.epoch} ${message.slots.map(({ slot, count }) => `${slot}:${count}`).join(" ")}`;
    case "inventory": {
      const entries = message.entries.map(stampText).join(" ");
      return `inventory at ${message.epoch} of ${message.slot} [${entries}]${message.isLast ? "" : "…"}`;
    }
    case "yielded":
      return `yielded ${message.registrations.map(stampText).join(" ")}`;
    case "recalled":
      return describeList("recalled", message.datum);
    case "catalogueWatch":
    case "catalogueRelease":
      return message.kind;
    case "addressAsk":
      return `addressAsk #${message.question} ${message.host} in ${message.slots.join(" ")}`;
    case "addressRelease":
    case "surveyRelease":
      return `${message.kind} #${message.questions.join(" #")}`;
    case "surveyAsk":
      return `surveyAsk #${message.question} ${surveyText(message.survey)} except ${message.except.join(" ")}`;
    case "surveyPart":
      return `surveyPart #${message.question} of ${message.asker} ${rowsText(message)}`;
    case "renew":
      return `renew #${message.batch} ${message.renewals.map(renewalText).join(" ")}`;
  }
}

function renewalText({ serviceKey, registId, ageMs }: Renewal): string {
  return `${registId} of ${shortService(serviceKey)} ${ageMs} ms ago`;
}

function describeToSession(message: DataToSession): string {
  switch (message.kind) {
    case "taken":
      return `taken #${message.batch}${supersededText(message.superseded)}${unlistedText(message)}`;
    case "moved":
      return `moved #${message.batch} at ${message.epoch}`;
    case "snapshot":
      return describeList("snapshot", message.datum);
    case "delta": {
      const { serviceKey, base, changes } = message.delta;
      const texts = changes.map((change) =>
        change.kind === "put" ? `+${stampText(change.publication)}` : `-${change.registId}`,
      );
      return `delta ${shortService(serviceKey)} ${at(base)}..${at(message.delta)} [${texts.join(" ")}]`;
    }
    case "changed":
      return `changed ${shortService(message.serviceKey)} ${at(message.version)}`;
    case "synced":
    case "differs":
      return `${message.kind} ${message.slots.join(" ")}`;
    case "wanted": {
      const keys = message.keys.map(([id, registId]) => `${shortService(id)} ${registId}`);
      return `wanted of ${message.slot} [${keys.join(", ")}]${supersededText(message.superseded)}`;
    }
    case "challenged": {
      const keys = message.registrations.map(({ serviceKey, registId }) => `${shortService(serviceKey)} ${registId}`);
      return `challenged [${keys.join(", ")}]`;
    }
    case "catalogue":
    case "catalogueChanged": {
      const slot = message.kind === "catalogue" ? message.slot : message.base.slot;
      return `${message.kind} ${slot} [${message.entries.map(entryText).join(", ")}]`;
    }
    case "addressAnswer": {
      const { question, slots, held, entries, isCut } = message;
      const keys = entries.map(({ serviceKey, registId }) => `${shortService(serviceKey)} ${registId}`);
      const marks = `${held.length > 0 ? ` held ${held.join(" ")}` : ""}${isCut ? " cut" : ""}`;
      return `addressAnswer #${question} of ${slots.join(" ")} [${keys.join(", ")}]${marks}`;
    }
    case "surveySpread":
      return `surveySpread #${message.question} to ${message.sessions.join(" ")}`;
    case "surveyAnswer":
      return `surveyAnswer #${message.question} of ${message.session} ${rowsText(message)}`;
    case "surveyLost":
      return `surveyLost #${message.question} of ${message.session}`;
    case "surveyAsked":
      return `surveyAsked #${message.question} of ${message.asker} ${surveyText(message.survey)}`;
    case "surveyEnded":
      return `surveyEnded #${message.questions.join(" #")} of ${message.asker}`;
    case "renewed":
      return `renewed #${message.batch} unknown ${message.unknown.join(" ")} later ${message.later.join(" ")}`;
    default:
      return `${message.kind} ${shortService(message.serviceKey)}`;
  }
}

function surveyText({ of, serviceKey, host, appName }: Survey): string {
  const conditions = [serviceKey && shortService(serviceKey), host, appName].filter(Boolean);
  return [of, ...conditions].join(" ");
}

function rowsText({ rows, isLast, isCut }: { rows: SurveyRows; isLast: boolean; isCut: boolean }): string {
  return `${rows.rows.length} ${rows.of}${isLast ? "" : "…"}${isCut ? " cut" : ""}`;
}

function entryText(entry: CatalogueEntry): string {
  return `${shortService(entry.serviceKey)} ${at(entry)} of ${entry.size}`;
}

function describeList(kind: string, datum: DatumSnapshot): string {
  return `${kind} ${shortService(datum.serviceKey)} ${at(datum)} [${datum.publications.map(stampText).join(" ")}]`;
}

function describeToFollower(message: LeaderToFollower): string {
  const where = `${message.kind} ${message.slot}/${message.leaderEpoch}`;
  switch (message.kind) {
    case "replica": {
      const datums = message.datums.map(
        (datum) => `${shortService(datum.serviceKey)} ${at(datum)} [${datum.publications.map(stampText).join(" ")}]`,
      );
      const gone = message.gone.length === 0 ? "" : ` gone ${message.gone.map(shortService).join(" ")}`;
      return `${where} ${datums.join(" ")}${gone}${message.isLast ? " last" : ""}`;
    }
    case "change":
      return `${where} ${versionText(message)} ${message.items.map(describeItem).join(", ")}`;
    case "notLeader":
      return where;
  }
}

function describeToLeader({ slot, leaderEpoch, kept }: FollowerToLeader): string {
  return `follow ${slot}/${leaderEpoch} ${kept.map(versionText).join(" ")}`;
}

function beatText({ role, tableEpoch, members, isLeaving, slots }: Heartbeat): string {
  const report = slots === undefined ? "" : `serving ${slots.serving.join(" ")} in sync ${slots.inSync.join(" ")}`;
  const leaving = isLeaving ? "leaving " : "";
  return `${role} table ${tableEpoch} members ${members.epoch}/${members.serial} ${leaving}${report}`;
}

function describeRule(message: MetaToMember): string {
  switch (message.kind) {
    case "slotTable":
      return describeTable(message.table);
    case "members": {
      const { epoch, serial, list } = message.members;
      return `members ${epoch}/${serial} ${list.map(({ role, id }) => `${role} ${id}`).join(", ")}`;
    }
    case "refused":
      return `refused: ${message.reason}`;
    case "clientCounts":
      return `clients ${message.counts.map(({ session, clients }) => `${session} ${clients}`).join(", ")}`;
    case "config":
      return `config ${shortService(message.value.serviceKey)} v${message.value.version}`;
    case "revisions":
      return `revisions ${message.found.map(({ id }) => id).join(" ")} unknown ${message.unknown.join(" ")}`;
    case "revisionsStored":
      return `stored ${message.stored.join(" ")} unknown ${message.unknown.join(" ")}`;
    case "revisionRefused":
      return `refused ${message.id}: ${message.reason}`;
    case "appsListed":
      return `listed ${message.revisions.length} revisions and ${message.services.length} services`;
    case "serviceApps": {
      const entries = message.entries.map(({ service, version, applications }) => {
        return `${service} v${version} of ${applications.join(" ")}`;
      });
      return `service apps ${entries.join(", ")}`;
    }
    case "rules": {
      const { epoch, base, put, removed } = message;
      const names = [...put.map(({ id }) => `+${id}`), ...removed.map((id) => `-${id}`)];
      return `rules ${epoch}${base === undefined ? "" : ` after ${base}`} ${names.join(" ")}`;
    }
  }
}

function describeTable({ epoch, slots }: SlotTable): string {
  const owners = slots.map(
    ({ leader, leaderEpoch, followers }, slot) => `${slot}:${leader}/${leaderEpoch}(${followers.join(" ")})`,
  );
  return `table ${epoch} ${owners.slice(0, OWNERS_SHOWN).join(" ")}${owners.length > OWNERS_SHOWN ? "…" : ""}`;
}

const OWNERS_SHOWN = 16;

function describeItem(item: PublishItem): string {
  if (item.kind === "put") {
    const { publication } = item;
    return `put ${stampText(publication)} ${shortService(publication.serviceKey)} of ${publication.owner.session}`;
  }
  const { cause, registId, stamp, serviceKey } = item.removal;
  return `${cause} ${stampText({ registId, ...stamp })} ${shortService(serviceKey)}`;
}

function unlistedText({ unlisted, isFull }: DataToSession & { kind: "taken" }): string {
  const texts = unlisted.map(({ serviceKey, registId }) => `${registId} of ${serviceKey}`);
  return `${texts.length === 0 ? "" : ` unlisted ${texts.join(", ")}`}${isFull ? " full" : ""}`;
}

function supersededText(superseded: readonly Superseded[]): string {
  if (superseded.length === 0) return "";
  const texts = superseded.map(
    ({ registId, stamp, by, isRemoved }) =>
      `${stampText({ registId, ...stamp })} by ${isRemoved ? "removal " : ""}${by.version}@${by.registeredMs % MS_SHOWN}`,
  );
  return ` superseded ${texts.join(", ")}`;
}

const MS_SHOWN = 1_000_000;

function stampText(stamp: { registId: string; version: bigint; registeredMs: number }): string {
  return `${stamp.registId}/${stamp.version}@${stamp.registeredMs % MS_SHOWN}`;
}

function versionText(version: DatumVersion & { readonly serviceKey: ServiceKey }): string {
  return `${shortService(version.serviceKey)} ${at(version)}`;
}

function at({ version, origin }: DatumVersion): string {
  return `v${version}/${origin}`;
}

function shortService(service: ServiceKey): string {
  return service.slice(0, service.indexOf("#"));
}

const TEXT_CHARS_MAX = 60;

function shortened(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}…`;
}
