// Application-level discovery as a gateway sees it: applications register revisions, consumers ask which applications
// offer a service and what a revision says. The questions belong to no client. Each is answered once, at `untilMs` at
// the latest, perhaps before `step` returns.

import type { RegistryError } from "../base/errors.ts";
import type { AppRevision, ServiceApps } from "../model/appRevision.ts";

/** The side of a question to which its answer goes. */
export interface AppAsker<Answer> {
  answer(answer: Answer): void;
}

/**
 * The answer to a registration; `error` is undefined once the store has the revision. FIELD_INVALID or
 * REVISIONS_EXHAUSTED: it is not taken. STORE_UNAVAILABLE: it may not be stored. QUERIES_EXHAUSTED: too many wait.
 */
export interface RevisionRegistered {
  readonly error: RegistryError | undefined;
}

/** The answer to a question for contents. */
export interface RevisionsFound {
  readonly found: ReadonlyMap<string, AppRevision>;
  /** The store does not have these. */
  readonly unknown: readonly string[];
  /** STORE_UNAVAILABLE: there may be more. QUERIES_EXHAUSTED: too many wait. */
  readonly error: RegistryError | undefined;
}

/** The answer to a heartbeat. */
export interface RevisionsRenewed {
  /** The store does not have these: their applications must register them again. */
  readonly unknown: readonly string[];
  /** As above. */
  readonly error: RegistryError | undefined;
}

/** The answer to a question for applications. */
export interface ServiceAppsFound {
  /** In the order of the question; a service that no application offers has none, and version 0. */
  readonly services: readonly ServiceApps[];
  /** As above. */
  readonly error: RegistryError | undefined;
}

/** The answer to a question of an operator. */
export interface AppsListed {
  readonly revisions: readonly string[];
  readonly services: readonly ServiceApps[];
  /** There are more than the answer has. */
  readonly isCut: boolean;
  /** As above. */
  readonly error: RegistryError | undefined;
}

/** A registration, a heartbeat or a question of an application. */
export type AppEvent =
  | {
      readonly kind: "registeredRevision";
      readonly asker: AppAsker<RevisionRegistered>;
      readonly revision: AppRevision;
      readonly untilMs: number;
    }
  | {
      readonly kind: "askedRevisions";
      readonly asker: AppAsker<RevisionsFound>;
      readonly ids: readonly string[];
      readonly untilMs: number;
    }
  /** The revisions are in use; silent ones are removed after a while. */
  | {
      readonly kind: "renewedRevisions";
      readonly asker: AppAsker<RevisionsRenewed>;
      readonly ids: readonly string[];
      readonly untilMs: number;
    }
  | {
      readonly kind: "askedServiceApps";
      readonly asker: AppAsker<ServiceAppsFound>;
      readonly services: readonly string[];
      readonly untilMs: number;
    }
  /** An operator asks for the names of all revisions, and for all services with their applications. */
  | { readonly kind: "listedApps"; readonly asker: AppAsker<AppsListed>; readonly untilMs: number };
