// The words of operators about services and instances, as records that outlive every process: the threshold and the
// metadata of a service; and of an instance whether it is enabled, its weight and its metadata, which win over the
// words of its client, through all of its reconnects and restarts.

import { fail } from "../../../base/errors.ts";
import type { Log } from "../../../base/ports.ts";
import {
  fieldsOf,
  flagField,
  type JsonFields,
  numberField,
  parseJson,
  textField,
  textsField,
} from "../../../encoding/json/fields.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { readServiceKey } from "../../../model/serviceKey.ts";
import { type GatewayRecords, gatewayPrefix } from "../../../records/gatewayRecords.ts";
import { keyAfter, keysWith } from "../../../records/keys.ts";
import { type CopyChange, RecordCopy } from "../../../records/recordCopy.ts";
import type { StoredRecord } from "../../../records/records.ts";
import { jsonBytes } from "../codec/bodies.ts";
import { nacosError } from "../errorTable.ts";
import { LIMITS, NACOS, type NacosInstance } from "./instance.ts";

/** A service that operators have made. */
export interface ServiceRecord {
  readonly serviceKey: ServiceKey;
  readonly protectThreshold: number;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The fields of a service that an operator sets. */
export type ServiceChange = Partial<Omit<ServiceRecord, "serviceKey">>;

/** The fields of an instance that operators have set. */
export type InstanceChange = Partial<Pick<NacosInstance, "weight" | "isEnabled" | "metadata">>;

/** A record of what operators have set of an instance. */
export interface ChangeRecord {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly record: StoredRecord;
}

/** Called with the address of an instance whose change is another one now. */
export type ChangeListener = (serviceKey: ServiceKey, registId: string) => void;

interface Parts {
  readonly records: GatewayRecords;
  readonly log: Log;
}

const PREFIX = `${gatewayPrefix(NACOS)}naming/`;
const SERVICES = `${PREFIX}service/`;
const INSTANCES = `${PREFIX}instance/`;
/** The most records that are written; a node can read more. */
export const NAMING_RECORDS_MAX = 100_000;
// Of operators who change one service or instance at once, each one is refused once for every other one.
const TRIES_MAX = 10;
const NO_WORDS = { protectThreshold: 0, metadata: new Map<string, string>() } as const;
const DECODER = new TextDecoder("utf-8");

export class NamingRecords {
  readonly #copy: RecordCopy;
  readonly #services = new WeakMap<StoredRecord, ServiceRecord>();
  readonly #listeners = new Set<ChangeListener>();

  constructor({ records, log }: Parts) {
    this.#copy = new RecordCopy({
      records,
      prefix: PREFIX,
      recordsMax: 2 * NAMING_RECORDS_MAX,
      unread: ({ message }) => log.warn("the operators' words about services can't be read", { reason: message }),
      failed: (error) => {
        throw error;
      },
    });
    this.#copy.listen((changes) => this.#changed(changes));
  }

  /** Called twice a second: it is read soon after the start. */
  check(nowMs: number): void {
    this.#copy.check(nowMs);
  }

  listen(listener: ChangeListener): void {
    this.#listeners.add(listener);
  }

  /** Undefined if no operator has made the service. */
  service(serviceKey: ServiceKey): ServiceRecord | undefined {
    const record = this.#copy.get(SERVICES + serviceKey);
    return record && this.#serviceOf(record);
  }

  /** All services that operators have made. */
  *services(): Iterable<ServiceRecord> {
    for (const record of this.#copy.range(keysWith(SERVICES))) yield this.#serviceOf(record);
  }

  /** The instance as operators want it. */
  changed(serviceKey: ServiceKey, registId: string, instance: NacosInstance): NacosInstance {
    const record = this.#copy.get(keyOf(serviceKey, registId));
    return record === undefined ? instance : { ...instance, ...readChange(fieldsIn(record)) };
  }

  /** Makes a service. Rejects with STORE_UNAVAILABLE, NACOS_SERVICE_EXISTS, or NACOS_RECORDS_EXHAUSTED. */
  async makeService(serviceKey: ServiceKey, change: ServiceChange): Promise<void> {
    const isMade = await this.#put(SERVICES + serviceKey, serviceBytes({ ...NO_WORDS, ...change, serviceKey }), 0n);
    if (!isMade) throw nacosError("NACOS_SERVICE_EXISTS", { service: serviceKey });
  }

  /**
   * Sets these fields of a service, and leaves the others as operators have set them. Resolves to false if there is no
   * such service. Rejects with STORE_UNAVAILABLE, also if others change the service all the time.
   */
  async changeService(serviceKey: ServiceKey, change: ServiceChange): Promise<boolean> {
    const key = SERVICES + serviceKey;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const before = this.#copy.get(key);
      if (before === undefined) return false;
      const value = serviceBytes({ ...this.#serviceOf(before), ...change });
      if (await this.#put(key, value, before.revision)) return true;
    }
    throw fail("STORE_UNAVAILABLE", { reason: "others change this service all the time", tries: TRIES_MAX });
  }

  async removeService(serviceKey: ServiceKey): Promise<void> {
    await this.#copy.commit({ conditions: [], operations: [{ kind: "delete", key: SERVICES + serviceKey }] });
  }

  /**
   * Sets these fields of an instance, and leaves the others as operators have set them. Rejects with
   * NACOS_RECORDS_EXHAUSTED or STORE_UNAVAILABLE, also if others change the instance all the time.
   */
  async putChange(serviceKey: ServiceKey, registId: string, change: InstanceChange): Promise<void> {
    const key = keyOf(serviceKey, registId);
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const before = this.#copy.get(key);
      const { metadata, ...rest } = { ...(before && readChange(fieldsIn(before))), ...change };
      const fields = { ...rest, ...(metadata && { metadata: Object.fromEntries(metadata) }) };
      const value = jsonBytes({ serviceKey, registId, ...fields });
      if (await this.#put(key, value, before?.revision ?? 0n)) return;
    }
    throw fail("STORE_UNAVAILABLE", { reason: "others change this instance all the time", tries: TRIES_MAX });
  }

  /** Records of instances behind a key, in the order of keys, all of a service together; `""`: from the first one. */
  changesAfter(key: string, countMax: number): ChangeRecord[] {
    const all = keysWith(INSTANCES);
    const found: ChangeRecord[] = [];
    for (const record of this.#copy.range({ ...all, from: key === "" ? all.from : keyAfter(key) })) {
      if (found.length === countMax) break;
      found.push({ ...readAddress(fieldsIn(record)), record });
    }
    return found;
  }

  /** Removes records that are as they were read; if one is not, none goes. Rejects as the store does. */
  async removeChanges(records: readonly StoredRecord[]): Promise<void> {
    const conditions = records.map(({ key, revision }) => ({ kind: "revision", key, revision }) as const);
    const operations = records.map(({ key }) => ({ kind: "delete", key }) as const);
    await this.#copy.commit({ conditions, operations });
  }

  /** Resolves to false if the record has not the revision that is named; 0: it must not be there. */
  async #put(key: string, value: Uint8Array, revision: bigint): Promise<boolean> {
    if (this.#copy.size >= NAMING_RECORDS_MAX && this.#copy.get(key) === undefined) {
      throw nacosError("NACOS_RECORDS_EXHAUSTED", { records: this.#copy.size, recordsMax: NAMING_RECORDS_MAX });
    }
    const conditions = [{ kind: "revision", key, revision } as const];
    const outcome = await this.#copy.commit({ conditions, operations: [{ kind: "put", key, value }] });
    return outcome.kind === "committed";
  }

  #serviceOf(record: StoredRecord): ServiceRecord {
    const known = this.#services.get(record);
    if (known !== undefined) return known;
    const fields = fieldsIn(record);
    const service = {
      serviceKey: readServiceKey(textField(fields, "serviceKey") ?? "", "serviceKey"),
      protectThreshold: numberField(fields, "protectThreshold", { min: 0, max: 1 }) ?? 0,
      metadata: textsField(fields, "metadata", LIMITS.metadataEntries) ?? new Map<string, string>(),
    };
    this.#services.set(record, service);
    return service;
  }

  #changed(changes: readonly CopyChange[]): void {
    for (const { key, before, after } of changes) {
      const record = after ?? before;
      if (!key.startsWith(INSTANCES) || record === undefined) continue;
      const { serviceKey, registId } = readAddress(fieldsIn(record));
      for (const listener of this.#listeners) listener(serviceKey, registId);
    }
  }
}

function serviceBytes({ serviceKey, protectThreshold, metadata }: ServiceRecord): Uint8Array {
  return jsonBytes({ serviceKey, protectThreshold, metadata: Object.fromEntries(metadata) });
}

function keyOf(serviceKey: ServiceKey, registId: string): string {
  return `${INSTANCES}${serviceKey}/${registId}`;
}

function readAddress(fields: JsonFields): Pick<ChangeRecord, "serviceKey" | "registId"> {
  return {
    serviceKey: readServiceKey(textField(fields, "serviceKey") ?? "", "serviceKey"),
    registId: textField(fields, "registId") ?? "",
  };
}

function fieldsIn({ value }: StoredRecord): JsonFields {
  return fieldsOf(parseJson(DECODER.decode(value)), "record");
}

function readChange(fields: JsonFields): InstanceChange {
  const weight = numberField(fields, "weight", LIMITS.weight);
  const isEnabled = flagField(fields, "isEnabled");
  const metadata = textsField(fields, "metadata", LIMITS.metadataEntries);
  return {
    ...(weight !== undefined && { weight }),
    ...(isEnabled !== undefined && { isEnabled }),
    ...(metadata !== undefined && { metadata }),
  };
}
