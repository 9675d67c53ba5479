// Surveys: questions to every session of a cluster, each of which answers for the clients that are connected to it. No
// other node knows what a client subscribes, watches and has seen. The types are those of messages and of the registry.

import type { ClientId, ServiceKey } from "./ids.ts";
import type { Scope } from "./scope.ts";

/** The kinds of rows: registrations of clients, clients, and counts of both. */
export const SURVEY_KINDS = [
  "publishers",
  "subscribers",
  "watches",
  "clients",
  "services",
  "applications",
  "sessions",
] as const;
export type SurveyKind = (typeof SURVEY_KINDS)[number];

/** The rows that are asked for: those that meet all conditions. */
export interface Survey {
  readonly of: SurveyKind;
  /** Undefined for all services. */
  readonly serviceKey: ServiceKey | undefined;
  /** The host of the clients, as their ids name it (`hostOf`); empty for all. */
  readonly host: string;
  /** The application that a registration names; empty for all. Watches name none. */
  readonly appName: string;
  /** The most rows that each session tells, SURVEY_ROWS_MAX at the most. */
  readonly rowsMax: number;
}

/** One registration object of a client. */
interface OfClient {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly client: ClientId;
  /** The client's own count of the registration. */
  readonly version: bigint;
}

/** A publisher. It may wait, or have lost, and not be in the list of its service: the session holds it all the same. */
export interface PublisherRow extends OfClient {
  readonly appName: string;
  readonly zone: string;
  /** The time at which its session took it, in ms. */
  readonly registeredMs: number;
}

export interface SubscriberRow extends OfClient {
  readonly appName: string;
  readonly zone: string;
  readonly scope: Scope;
  /** The time at which its session took it, in ms. */
  readonly registeredMs: number;
  /** The version of the last list that was sent to it, and the time of that; NO_VERSION and 0 if none was. */
  readonly pushedVersion: bigint;
  readonly pushedMs: number;
  /** The highest version that the client has confirmed, or is assumed to have if it never confirms. */
  readonly seenVersion: bigint;
}

/** A watch of a configuration value. */
export interface WatchRow extends OfClient {
  /** The highest version that the client has confirmed. */
  readonly seenVersion: bigint;
}

/** A connection of a client, with the numbers of its registrations. */
export interface ClientRow extends RegistrationCounts {
  readonly client: ClientId;
  /** The name of its principal; empty if it is anonymous. */
  readonly principal: string;
  readonly connectedMs: number;
}

interface RegistrationCounts {
  readonly publishers: number;
  readonly subscribers: number;
  readonly watches: number;
}

/** Numbers at one session. */
export interface CountRow extends RegistrationCounts {
  /** The key of a service, the name of an application or the id of the session. */
  readonly name: string;
  /** The connected clients with registrations that are counted; of a session, all clients. */
  readonly clients: number;
}

/** Rows of one kind. */
export type SurveyRows =
  | { readonly of: "publishers"; readonly rows: readonly PublisherRow[] }
  | { readonly of: "subscribers"; readonly rows: readonly SubscriberRow[] }
  | { readonly of: "watches"; readonly rows: readonly WatchRow[] }
  | { readonly of: "clients"; readonly rows: readonly ClientRow[] }
  | { readonly of: "services" | "applications" | "sessions"; readonly rows: readonly CountRow[] };

export type SurveyRow = SurveyRows["rows"][number];

/** The most rows that one session tells: some ten megabytes in all, a part at a time. */
export const SURVEY_ROWS_MAX = 100_000;

/** The sums of counts by their names, in the order in which these first come. */
export function sumCounts(rows: Iterable<CountRow>): CountRow[] {
  const sums = new Map<string, CountRow>();
  for (const row of rows) {
    const sum = sums.get(row.name);
    sums.set(
      row.name,
      sum === undefined
        ? row
        : {
            name: row.name,
            clients: sum.clients + row.clients,
            publishers: sum.publishers + row.publishers,
            subscribers: sum.subscribers + row.subscribers,
            watches: sum.watches + row.watches,
          },
    );
  }
  return [...sums.values()];
}
