// The requests of Eureka's clients and operators that change something, or keep an instance alive. Each names an
// application and an instance; what is listed now decides what a change leaves, and the registry keeps that.

import type { Budget } from "../../base/budget.ts";
import { type ClientId, clientId, type ServiceKey } from "../../model/ids.ts";
import { packInstance } from "../../model/instance.ts";
import { checkedKeyPart } from "../../model/serviceKey.ts";
import type { LeaseAnswer, LeasedKey, LeaseEvent } from "../../registry/lease.ts";
import type { Registry } from "../../registry/registry.ts";
import { type Applications, isOwn, type Listed } from "./applications.ts";
import {
  heartbeatAnswer,
  lacksWord,
  metadataMerged,
  overridden,
  overrideRemoved,
  registered,
  wordRestored,
} from "./changes.ts";
import type { EurekaInstance, Named, Status } from "./codec/instance.ts";
import { statusOf } from "./errors.ts";
import { appOf, leaseOf, registIdOf, serviceKeyOf, toInstance } from "./map.ts";
import type { Word } from "./peers/word.ts";

/** The sender of a request, and the time. */
export interface By {
  /** Its IP address. */
  readonly address: string;
  /** It is another server, which passes on the words of its clients. */
  readonly isReplication: boolean;
  readonly nowMs: number;
}

/** The outcome of a request. */
export interface Result {
  /** As in HTTP. */
  readonly status: number;
  /** For people. */
  readonly reason?: string;
  /** The instance as it is here, for a server that has an older state. */
  readonly instance?: EurekaInstance;
}

export type Done = (result: Result) => void;

interface Parts {
  readonly applications: () => Applications;
  readonly registry: Pick<Registry, "step">;
  readonly budget: Pick<Budget, "open">;
  readonly zone: string;
  /** An operator's word was taken, and is shown if nothing has replaced it. Called within a step of the registry. */
  readonly said: (instance: EurekaInstance) => void;
  /** A client's word was carried out, and not one that another server has passed on. Called as `said` is. */
  readonly tell: (word: Word) => void;
  /**
   * Calls `then` when this session shows what the leader of the service has taken; at `untilMs` at the latest. It is
   * called within a step of the registry.
   */
  readonly whenShown: (serviceKey: ServiceKey, untilMs: number, then: () => void) => void;
}

// A leader that has not answered by then is away. Clients wait 5 to 8 s for an answer.
const ANSWER_MS = 3_000;
// A list that does not come by then is held.
const SHOWN_MS = 1_000;
// Of two requests the later one counts; Eureka's own order of states is decided before (changes.ts).
const VERSION = 1n;
const OK: Result = { status: 200 };

export class Registrations {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A client registers, or registers again. */
  register(app: string, incoming: EurekaInstance, by: By, done: Done): void {
    const name = appOf(app);
    if (incoming.app !== name) {
      return done({ status: 400, reason: `Mismatched appName, expecting ${name} but was ${incoming.app}` });
    }
    const existing = this.#find(incoming)?.instance;
    const next = registered(existing, incoming, by.nowMs);
    this.#put(next, holderAt(by), by, (result) => {
      if (result === OK) this.#tell({ ...named(incoming), action: "Register" }, by);
      done(result === OK ? { status: 204 } : result);
    });
  }

  /** A heartbeat. `dirtyMs` is the lastDirtyTimestamp of the client's state; undefined if it does not say. */
  renew(about: Named, dirtyMs: number | undefined, by: By, done: Done): void {
    const listed = this.#find(about);
    const { isReplication } = by;
    const answer = listed === undefined ? "known" : heartbeatAnswer(listed.instance, { dirtyMs, isReplication });
    if (answer === "unknown") return done(unknown(about));
    const known: Result = answer === "conflict" && listed ? { status: 409, instance: listed.instance } : OK;
    this.#ask({ kind: "leaseRenewed", ...registrationOf(about) }, by, (result) => {
      if (result !== OK) return done(result.status === 404 ? unknown(about) : result);
      this.#tell({ ...named(about), action: "Heartbeat" }, by);
      done(known);
    });
  }

  /** A client takes its instance back. */
  cancel(about: Named, by: By, done: Done): void {
    const listed = this.#find(about);
    const foreign = this.#foreign(about);
    if (foreign !== undefined) return done(foreign);
    const key = { ...registrationOf(about), version: VERSION };
    // One that is not listed may have been registered at another session just now: it goes all the same.
    this.#change({ kind: "leaseEnded", holder: holderAt(by), key }, by, (result) => {
      if (result === OK) this.#tell({ ...named(about), action: "Cancel" }, by);
      done(result === OK && listed === undefined ? unknown(about) : result);
    });
  }

  /** An operator sets the status of an instance. */
  setStatus(about: Named, change: StatusChange, by: By, done: Done): void {
    const word = { ...named(about), action: "StatusUpdate", status: change.status } as const;
    this.#say(word, by, done, (existing) => overridden(existing, { ...change, nowMs: by.nowMs }));
  }

  /** An operator takes the status of an instance back. */
  removeStatus(about: Named, change: StatusChange, by: By, done: Done): void {
    const word = { ...named(about), action: "DeleteStatusOverride", status: change.status } as const;
    this.#say(word, by, done, (existing) => overrideRemoved(existing, { ...change, nowMs: by.nowMs }));
  }

  /** An instance that a client of Eureka has registered, as it is listed; undefined if there is none. */
  listed(about: Named): EurekaInstance | undefined {
    return this.#find(about)?.instance;
  }

  /** Another server has a newer state of an instance that is listed. Not within a step of the registry. */
  newer(instance: EurekaInstance, nowMs: number): void {
    const listed = this.#find(instance);
    if (listed === undefined || listed.instance.lastDirtyTimestamp >= instance.lastDirtyTimestamp) return;
    const by = { address: addressOf(listed.holder), isReplication: true, nowMs };
    this.#put(registered(listed.instance, instance, nowMs), listed.holder, by, () => undefined);
  }

  /**
   * Gives the listed instance an operator's word that it lacks. False if it lacks nothing, or is gone: then nothing is
   * done. Not within a step of the registry.
   */
  restoreWord(earlier: EurekaInstance, nowMs: number, done: () => void): boolean {
    const listed = this.#find(earlier);
    if (listed === undefined || !lacksWord(listed.instance, earlier)) return false;
    const by = { address: addressOf(listed.holder), isReplication: false, nowMs };
    this.#put(wordRestored(listed.instance, earlier), listed.holder, by, done);
    return true;
  }

  /** The word may be replaced before any session sees it, by a registration at a session that does not know it. */
  #say(word: Word, by: By, done: Done, changed: (existing: EurekaInstance) => EurekaInstance): void {
    let said: EurekaInstance | undefined;
    const heard = (result: Result) => {
      if (said !== undefined && result === OK) {
        this.#parts.said(said);
        this.#tell(word, by);
      }
      done(result);
    };
    this.#modify(word, by, heard, (existing) => {
      said = changed(existing);
      return said;
    });
  }

  /** Puts entries beside the metadata of an instance. */
  putMetadata(about: Named, entries: readonly (readonly [key: string, value: string])[], by: By, done: Done): void {
    this.#modify(about, by, done, (existing) => metadataMerged(existing, entries, by.nowMs));
  }

  #tell(word: Word, { isReplication }: By): void {
    if (!isReplication) this.#parts.tell(word);
  }

  #modify(about: Named, by: By, done: Done, changed: (existing: EurekaInstance) => EurekaInstance): void {
    const listed = this.#find(about);
    if (listed === undefined) return done(this.#foreign(about) ?? unknown(about));
    this.#put(changed(listed.instance), listed.holder, by, done);
  }

  /** An instance that a client of Eureka has registered. */
  #find({ app, instanceId }: Named): Listed | undefined {
    const listed = this.#parts.applications().instance(app, instanceId);
    return listed !== undefined && isOwn(listed) ? listed : undefined;
  }

  /** The refusal of a change of an instance that is another protocol's; undefined if it is none. */
  #foreign({ app, instanceId }: Named): Result | undefined {
    const listed = this.#parts.applications().instance(app, instanceId);
    if (listed === undefined || isOwn(listed)) return undefined;
    return { status: 400, reason: `${instanceId} was not registered by a client of Eureka: change it where it was` };
  }

  #put(instance: EurekaInstance, holder: ClientId, by: By, done: Done): void {
    const publication = {
      ...registrationOf(instance),
      version: VERSION,
      zone: this.#parts.zone,
      appName: checkedKeyPart("app", instance.app),
      attributes: new Map<string, string>(),
      payload: packInstance(toInstance(instance)),
    };
    this.#change({ kind: "leased", holder, publication, lease: leaseOf(instance) }, by, done);
  }

  /** The first question after the answer finds what it says. */
  #change(event: Asked & { readonly kind: "leased" | "leaseEnded" }, by: By, done: Done): void {
    const { serviceKey } = event.kind === "leased" ? event.publication : event.key;
    this.#ask(event, by, (result) => {
      if (result !== OK) return done(result);
      this.#parts.whenShown(serviceKey, by.nowMs + SHOWN_MS, () => done(OK));
    });
  }

  #ask(event: Asked, { address, nowMs }: By, done: Done): void {
    const { registry, budget } = this.#parts;
    const account = budget.open(address);
    const asker = {
      answer: (answer: LeaseAnswer) => {
        account.close();
        done(resultOf(answer));
      },
    };
    registry.step({ ...event, asker, account, untilMs: nowMs + ANSWER_MS }, nowMs);
  }
}

/** A status that an operator wants, and the lastDirtyTimestamp of the request, if it has one. */
export interface StatusChange {
  readonly status: Status;
  readonly dirtyMs: number | undefined;
}

type Without<E> = E extends LeaseEvent ? Omit<E, "asker" | "account" | "untilMs"> : never;
type Asked = Without<LeaseEvent>;

/** The sender as the holder of a registration: rules and lists of operators know it by its address. */
function holderAt({ address }: By): ClientId {
  return clientId(address + HOLDER_END);
}

const HOLDER_END = ":0_eureka";

function named({ app, instanceId }: Named): Named {
  return { app: appOf(app), instanceId };
}

function addressOf(holder: ClientId): string {
  return holder.endsWith(HOLDER_END) ? holder.slice(0, -HOLDER_END.length) : holder;
}

/** The registration of an instance. Throws FIELD_INVALID for names that can't be ones. */
function registrationOf({ app, instanceId }: Named): Pick<LeasedKey, "serviceKey" | "registId"> {
  return { serviceKey: serviceKeyOf(app), registId: registIdOf(checkedKeyPart("instanceId", instanceId)) };
}

function unknown({ app, instanceId }: Named): Result {
  return { status: 404, reason: `no instance ${instanceId} of ${appOf(app)}` };
}

function resultOf(answer: LeaseAnswer): Result {
  switch (answer.kind) {
    case "accepted":
      return OK;
    case "unknown":
      return { status: 404 };
    case "failed":
      return { status: statusOf(answer.error), reason: answer.error.message };
  }
}
