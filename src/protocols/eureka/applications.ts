// The applications as Eureka's clients see them: the instances of all services of the default namespace and group,
// whatever protocol registered them, with the hash of their statuses and the changes of the last three minutes. A
// client applies the changes to what it has, and compares the hash.

import { instancesOf } from "../../model/content.ts";
import type { ClientId, ServiceKey } from "../../model/ids.ts";
import { type Publication, showsTheSame } from "../../model/publication.ts";
import { parseServiceKey } from "../../model/serviceKey.ts";
import { lacksWord } from "./changes.ts";
import { type ActionType, type EurekaInstance, STATUSES, type Status, vipsOf } from "./codec/instance.ts";
import { appOf, fromInstance, registIdOf } from "./map.ts";

/** An instance as it is listed. */
export interface Listed {
  readonly instance: EurekaInstance;
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  /** The client that has registered it. */
  readonly holder: ClientId;
}

/** An application, which several services have whose names differ by case only. */
export interface Application {
  readonly name: string;
  /** The version of all applications at its last change. */
  readonly version: number;
  /** Its instances, by their ids, for each service. */
  readonly services: ReadonlyMap<ServiceKey, ReadonlyMap<string, Listed>>;
}

interface OpenApplication extends Application {
  version: number;
  readonly services: Map<ServiceKey, ReadonlyMap<string, Listed>>;
}

/** Says of which services a caller may see the instances. */
export type Sees = (serviceKey: ServiceKey) => boolean;

/** A caller who may list every service. */
export const SEES_ALL: Sees = () => true;

/** Hears of an instance whose operator's word is not in the list that follows. */
export type WordListener = (earlier: EurekaInstance) => void;

/** A change of one instance. */
interface Change {
  readonly atMs: number;
  readonly app: string;
  readonly serviceKey: ServiceKey;
  readonly instance: EurekaInstance;
}

/** The instances of one publication. */
interface Converted {
  readonly publication: Publication;
  readonly instances: readonly Listed[];
}

// The real server keeps changes for as long, and its clients ask every 30 s.
const KEPT_MS = 180_000;
// The real server's interval, too: an answer may be shared for as long, unless something changes.
const TIDY_MS = 30_000;
// Above this number the changes cost as much as the whole. Clients then fetch that.
const CHANGES_MAX = 20_000;

export class Applications {
  readonly #apps = new Map<string, OpenApplication>();
  readonly #converted = new Map<ServiceKey, Map<string, Converted>>();
  readonly #counts = new Map<Status, number>();
  /** By application and instance, the oldest first. */
  readonly #changes = new Map<string, Change>();
  #version = 0;
  /** Changes before this time were forgotten. */
  #forgottenMs = Number.NEGATIVE_INFINITY;
  #tidiedMs = Number.NEGATIVE_INFINITY;
  readonly #wordLost: WordListener;

  constructor(wordLost: WordListener = () => undefined) {
    this.#wordLost = wordLost;
  }

  /** Grows with each change of an application, and when an old change is forgotten. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    let size = 0;
    for (const count of this.#counts.values()) size += count;
    return size;
  }

  /** The hash that clients compare: the number of instances of each status that there is, in alphabetical order. */
  get hashCode(): string {
    const present = STATUSES.filter((status) => (this.#counts.get(status) ?? 0) > 0);
    return [...present]
      .sort()
      .map((status) => `${status}_${this.#counts.get(status)}_`)
      .join("");
  }

  /** The instances that a caller sees, by application. */
  seen(sees: Sees): Map<string, EurekaInstance[]> {
    const seen = new Map<string, EurekaInstance[]>();
    for (const application of this.#apps.values()) {
      const instances = [...instancesIn(application, sees)];
      if (instances.length > 0) seen.set(application.name, instances);
    }
    return seen;
  }

  /** All applications, in the order in which they came. */
  all(): Iterable<Application> {
    return this.#apps.values();
  }

  /** An application by its name, in any case. */
  find(name: string): Application | undefined {
    return this.#apps.get(appOf(name));
  }

  /** An instance of an application. */
  instance(app: string, instanceId: string, sees = SEES_ALL): Listed | undefined {
    for (const [serviceKey, listed] of this.find(app)?.services ?? []) {
      const found = sees(serviceKey) ? listed.get(instanceId) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** An instance by its id alone, of the application that came first. */
  instanceById(instanceId: string, sees = SEES_ALL): Listed | undefined {
    for (const { name } of this.#apps.values()) {
      const found = this.instance(name, instanceId, sees);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The instances of a virtual host, by application. */
  ofVip(field: "vipAddress" | "secureVipAddress", vip: string, sees = SEES_ALL): Map<string, EurekaInstance[]> {
    const found = new Map<string, EurekaInstance[]>();
    for (const [name, seen] of this.seen(sees)) {
      const instances = seen.filter(({ urls }) => vipsOf(urls.get(field)).includes(vip));
      if (instances.length > 0) found.set(name, instances);
    }
    return found;
  }

  /**
   * The changes of the last three minutes, by application, each instance once, those that are gone behind the others;
   * undefined if some were forgotten, so that clients must fetch everything.
   */
  changes(nowMs: number, sees = SEES_ALL): Map<string, EurekaInstance[]> | undefined {
    if (nowMs < this.#forgottenMs + KEPT_MS) return undefined;
    const changes = new Map<string, EurekaInstance[]>();
    const all = [...this.#changes.values()].filter(({ serviceKey }) => sees(serviceKey));
    // Netflix' client that does not know an application takes it with all its instances at the first one that is not
    // gone: only those that are gone after that are taken out again.
    const isGone = ({ instance }: Change) => instance.actionType === "DELETED";
    for (const { app, instance } of [...all.filter((one) => !isGone(one)), ...all.filter(isGone)]) {
      const instances = changes.get(app);
      if (instances === undefined) changes.set(app, [instance]);
      else instances.push(instance);
    }
    return changes;
  }

  /** Forgets changes from more than three minutes ago. */
  tidy(nowMs: number): void {
    if (nowMs < this.#tidiedMs + TIDY_MS) return;
    this.#tidiedMs = nowMs;
    const before = this.#changes.size;
    for (const [key, { atMs }] of this.#changes) {
      if (atMs > nowMs - KEPT_MS) break;
      this.#changes.delete(key);
    }
    if (this.#changes.size < before || this.#forgottenMs > Number.NEGATIVE_INFINITY) this.#version++;
  }

  /** Takes the service's list; undefined, or an empty one, if it has none. Returns whether clients see a change. */
  set(serviceKey: ServiceKey, publications: ReadonlyMap<string, Publication> | undefined, nowMs: number): boolean {
    const { name } = parseServiceKey(serviceKey);
    const listed = this.#convert(serviceKey, name, publications ?? new Map());
    const app = appOf(name);
    const application: OpenApplication = this.#apps.get(app) ?? { name: app, version: 0, services: new Map() };
    const before = application.services.get(serviceKey) ?? new Map<string, Listed>();
    const isChanged = this.#compare({ app, serviceKey }, { before, listed }, nowMs);
    if (listed.size > 0) application.services.set(serviceKey, listed);
    else application.services.delete(serviceKey);
    if (application.services.size > 0) this.#apps.set(app, application);
    else this.#apps.delete(app);
    if (isChanged) application.version = ++this.#version;
    return isChanged;
  }

  /** The instances of a list by their ids. Those of publications that have not changed are kept. */
  #convert(
    serviceKey: ServiceKey,
    serviceName: string,
    publications: ReadonlyMap<string, Publication>,
  ): Map<string, Listed> {
    const before = this.#converted.get(serviceKey);
    const converted = new Map<string, Converted>();
    const listed = new Map<string, Listed>();
    for (const [registId, publication] of publications) {
      const known = before?.get(registId);
      const isKnown = known !== undefined && isSame(known.publication, publication);
      const instances = isKnown ? known.instances : listedOf(publication, serviceName);
      converted.set(registId, { publication, instances });
      for (const one of instances) {
        const { instanceId } = one.instance;
        if (isBetter(one, listed.get(instanceId))) listed.set(instanceId, one);
      }
    }
    if (converted.size > 0) this.#converted.set(serviceKey, converted);
    else this.#converted.delete(serviceKey);
    return listed;
  }

  #compare(
    of: Pick<Change, "app" | "serviceKey">,
    { before, listed }: Readonly<Record<"before" | "listed", ReadonlyMap<string, Listed>>>,
    nowMs: number,
  ): boolean {
    let isChanged = false;
    const changed = (instance: EurekaInstance, actionType: ActionType) => {
      isChanged = true;
      this.#changed({ ...of, atMs: nowMs, instance: { ...instance, actionType } });
    };
    for (const [id, { instance }] of before) {
      if (listed.has(id)) continue;
      this.#count(instance.status, -1);
      changed(instance, "DELETED");
    }
    for (const [id, one] of listed) {
      const was = before.get(id);
      if (was?.instance === one.instance) continue;
      if (was !== undefined) this.#count(was.instance.status, -1);
      if (was !== undefined && lacksWord(one.instance, was.instance)) this.#wordLost(was.instance);
      this.#count(one.instance.status, 1);
      changed(one.instance, was === undefined ? "ADDED" : "MODIFIED");
    }
    return isChanged;
  }

  #count(status: Status, by: number): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + by);
  }

  #changed(change: Change): void {
    const key = `${change.app}\n${change.instance.instanceId}`;
    this.#changes.delete(key);
    this.#changes.set(key, change);
    if (this.#changes.size <= CHANGES_MAX) return;
    this.#forgottenMs = change.atMs;
    this.#changes.clear();
  }
}

/** A list that was fetched anew has equal publications in new objects. */
function isSame(one: Publication, other: Publication): boolean {
  return one === other || showsTheSame(one, other);
}

/** The instances of an application. */
export function* instancesIn({ services }: Application, sees = SEES_ALL): Iterable<EurekaInstance> {
  for (const [serviceKey, listed] of services)
    if (sees(serviceKey)) for (const { instance } of listed.values()) yield instance;
}

function listedOf(publication: Publication, serviceName: string): Listed[] {
  const { serviceKey, registId, registeredMs, owner } = publication;
  return instancesOf(publication).map((instance) => ({
    instance: fromInstance({ serviceName, instance, registeredMs }),
    ...{ serviceKey, registId, holder: owner.client },
  }));
}

/** Of two registrations of one instance the one of its Eureka client counts; else always the same one. */
function isBetter(one: Listed, other: Listed | undefined): boolean {
  if (other === undefined || isOwn(one)) return true;
  return !isOwn(other) && one.registId < other.registId;
}

/** Whether a client of Eureka has registered it. */
export function isOwn({ registId, instance }: Listed): boolean {
  return registId === registIdOf(instance.instanceId);
}
