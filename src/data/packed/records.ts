// Publications as records in slabs. Shared values are interned; the rest lies in the record, in the layout of
// recordLayout.ts.

import { equalBytes, freshBytes } from "../../base/bytes.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { bytesOfLevel, listLevelOf } from "../../model/listBytes.ts";
import { EMPTY_PAYLOAD, type Payload } from "../../model/payload.ts";
import {
  type Condition,
  equalConditions,
  type Lease,
  type Owner,
  type Publication,
  type Registration,
} from "../../model/publication.ts";
import { Bases, IS_BASE } from "./bases.ts";
import { type Interned, internedOwners, internedProfiles, type Profile } from "./interned.ts";
import type { KeyedHash } from "./keyedHash.ts";
import { NONE, Numbered } from "./numbered.ts";
import { DIFFERENCE_BYTES_MAX, decodeDifference } from "./payloadDifference.ts";
import type { MarkedPublication } from "./publicationStore.ts";
import { RecordBody } from "./recordBody.ts";
import * as layout from "./recordLayout.ts";
import { RegistKey, UUID, UUID_BYTES } from "./registKey.ts";
import { type Slab, Slabs, UNIT_BYTES, unitOf } from "./slabs.ts";

// A difference costs some hundred nanoseconds to read: it must save more than the padding.
const SAVED_BYTES_MIN = 16;

type ProfileFields = Omit<Profile, "isHidden" | "condition" | "lease"> & {
  readonly condition?: Condition | undefined;
  readonly lease?: Lease | undefined;
};

/** The plan for writing a publication. */
interface Plan {
  service: number;
  owner: number;
  profile: number;
  units: number;
  bodyBytes: number;
  isLarge: boolean;
  base: number;
  level: number;
  /** The difference from the base saves less than half of the payload. */
  isPoor: boolean;
}

export class Records {
  readonly slabs: Slabs;
  readonly bases: Bases;
  readonly owners: Interned<Owner>;
  readonly profiles: Interned<Profile>;
  /** The registId that is looked up or written. */
  readonly key: RegistKey;
  readonly plan: Plan = {
    service: NONE,
    owner: NONE,
    profile: NONE,
    units: 0,
    bodyBytes: 0,
    isLarge: false,
    base: NONE,
    level: 0,
    isPoor: false,
  };
  readonly #large = new Numbered<Uint8Array>();
  readonly #body: RecordBody;
  // Only until the next use: the table of profiles copies what it keeps.
  readonly #profile: { -readonly [Field in keyof Profile]: Profile[Field] } = {
    zone: "",
    appName: "",
    attributes: new Map(),
    isHidden: false,
    condition: undefined,
    lease: undefined,
  };
  #largeBytes = 0;

  /** `moved` is called when `slabs.tidy` has moved a record. */
  constructor(keyed: KeyedHash, moved: (from: number, to: number) => void) {
    this.owners = internedOwners(keyed);
    this.profiles = internedProfiles(keyed);
    this.key = new RegistKey(keyed);
    this.#body = new RecordBody(keyed, this.#large);
    this.slabs = new Slabs((from, to) => {
      const head = this.word(to, 0);
      if ((head & IS_BASE) !== 0) this.bases.moved(to);
      else moved(from, to);
    });
    this.bases = new Bases(this.slabs);
  }

  /** Memory off the heap. */
  get bytes(): number {
    return this.slabs.bytes + this.#largeBytes + this.owners.bytes + this.profiles.bytes;
  }

  word(position: number, word: number): number {
    return this.slabs.slabOf(position).words[unitOf(position) * 2 + word] as number;
  }

  setWord(position: number, word: number, value: number): void {
    this.slabs.slabOf(position).words[unitOf(position) * 2 + word] = value;
  }

  /** The size of a record, in bytes. */
  bytesOf(position: number): number {
    const head = this.word(position, 0);
    const large = layout.isLarge(head) ? this.#large.get(this.word(position, layout.BODY_WORD)).length : 0;
    return layout.unitsOf(head) * UNIT_BYTES + large;
  }

  /** The share of the record's publication in its service's list. */
  listBytesOf(position: number): number {
    return bytesOfLevel(layout.levelOf(this.word(position, 0)));
  }

  /** Decides how to write a publication, whose registId is in `key`, perhaps as a difference from `base`. */
  makePlan(payload: Payload, base: number): void {
    const { plan, key } = this;
    const lengthMax = payload.length - SAVED_BYTES_MIN;
    const isDifference = base !== NONE && mayDiffer(payload) && this.bases.encode(base, payload, lengthMax);
    const encoded = this.bases.encoder.length;
    plan.base = isDifference ? base : NONE;
    plan.level = listLevelOf(payload);
    plan.isPoor = !isDifference || encoded * 2 > payload.length;
    const payloadBytes = isDifference ? encoded + layout.NUMBER_BYTES : payload.length;
    const keyBytes = key.form === UUID ? UUID_BYTES : layout.NUMBER_BYTES + key.length;
    plan.bodyBytes = keyBytes + payloadBytes;
    plan.isLarge = plan.bodyBytes > layout.BODY_BYTES_MAX;
    // A record that is large in spite of its difference has a large registId, and is not worth a case of its own.
    if (plan.isLarge && isDifference) this.makePlan(payload, NONE);
    plan.units = layout.unitsFor(plan.isLarge ? layout.NUMBER_BYTES : plan.bodyBytes);
  }

  /** Writes a publication as planned, with its mark. Its neighbours are not set. */
  write(publication: Publication, service: number, isHidden: boolean): number {
    const { plan } = this;
    plan.service = service;
    plan.owner = this.owners.take(publication.owner);
    plan.profile = this.profiles.take(this.#profileOf(publication, isHidden));
    const position = this.slabs.allocate(plan.units);
    this.#fill(position, publication);
    return position;
  }

  /** As `write`, in place of an older record: at its place, if the size fits, and with its neighbours. */
  rewrite(before: number, publication: Publication, isHidden: boolean): number {
    const { plan } = this;
    const head = this.word(before, 0);
    const body = this.word(before, layout.BODY_WORD);
    plan.service = this.word(before, layout.SERVICE_WORD);
    plan.owner = this.owners.exchange(this.word(before, layout.OWNER_WORD), publication.owner);
    const profile = this.#profileOf(publication, isHidden);
    plan.profile = this.profiles.exchange(this.word(before, layout.PROFILE_WORD), profile);
    const fits = plan.units === layout.unitsOf(head) && !plan.isLarge && !layout.isLarge(head);
    const position = fits ? before : this.slabs.allocate(plan.units);
    this.#fill(position, publication);
    if (!fits) {
      this.setWord(position, layout.NEXT_WORD, this.word(before, layout.NEXT_WORD));
      this.setWord(position, layout.BEFORE_WORD, this.word(before, layout.BEFORE_WORD));
      this.slabs.free(before);
    }
    // Only now: otherwise a base that both refer to could be forgotten in between.
    this.#releaseBody(head, body);
    return position;
  }

  erase(position: number): void {
    this.owners.release(this.word(position, layout.OWNER_WORD));
    this.profiles.release(this.word(position, layout.PROFILE_WORD));
    this.#releaseBody(this.word(position, 0), this.word(position, layout.BODY_WORD));
    this.slabs.free(position);
  }

  /** Whether this is the record of the registId in `key`, in this service. */
  isOf(position: number, service: number): boolean {
    const slab = this.slabs.slabOf(position);
    const unit = unitOf(position);
    if (slab.words[unit * 2 + layout.SERVICE_WORD] !== service) return false;
    this.#body.read(slab, unit);
    return this.#body.isOf(this.key);
  }

  /** As `RegistKey.hash`, of a record. */
  keyHash(position: number): number {
    this.#body.read(this.slabs.slabOf(position), unitOf(position));
    return this.#body.keyHash;
  }

  ownerOf(position: number): Owner {
    return this.owners.get(this.word(position, layout.OWNER_WORD));
  }

  /** Whether the record is marked as hidden. */
  isHidden(position: number): boolean {
    return this.profiles.get(this.word(position, layout.PROFILE_WORD)).isHidden;
  }

  /** Gives a record another mark. */
  mark(position: number, isHidden: boolean): void {
    const profile = this.#profileOf(this.#profileAt(position), isHidden);
    this.#setProfile(position, profile);
  }

  /** Gives a record another condition, or none. */
  setCondition(position: number, condition: Condition | undefined): void {
    const before = this.#profileAt(position);
    const profile = this.#profileOf(before, before.isHidden);
    profile.condition = condition;
    this.#setProfile(position, profile);
  }

  #profileAt(position: number): Profile {
    return this.profiles.get(this.word(position, layout.PROFILE_WORD));
  }

  #setProfile(position: number, profile: Profile): void {
    const number = this.word(position, layout.PROFILE_WORD);
    this.setWord(position, layout.PROFILE_WORD, this.profiles.exchange(number, profile));
  }

  /** The number of the host of the record's client. */
  hostNumberOf(position: number): number {
    return this.owners.tag(this.word(position, layout.OWNER_WORD));
  }

  registration(position: number, serviceKey: ServiceKey): Registration {
    const slab = this.slabs.slabOf(position);
    const unit = unitOf(position);
    this.#body.read(slab, unit);
    return {
      serviceKey,
      registId: this.#body.registId,
      version: versionAt(slab, unit),
      registeredMs: slab.doubles[unit + layout.TIME_DOUBLE] as number,
      owner: this.owners.get(slab.words[unit * 2 + layout.OWNER_WORD] as number),
    };
  }

  publication(position: number, serviceKey: ServiceKey): Publication {
    const slab = this.slabs.slabOf(position);
    const unit = unitOf(position);
    this.#body.read(slab, unit);
    const profile = this.profiles.get(slab.words[unit * 2 + layout.PROFILE_WORD] as number);
    const publication = {
      serviceKey,
      registId: this.#body.registId,
      version: versionAt(slab, unit),
      registeredMs: slab.doubles[unit + layout.TIME_DOUBLE] as number,
      owner: this.owners.get(slab.words[unit * 2 + layout.OWNER_WORD] as number),
      zone: profile.zone,
      appName: profile.appName,
      attributes: profile.attributes,
      payload: this.#payload(),
    };
    // Nearly all have neither, and keep one shape.
    const { condition, lease } = profile;
    return condition === undefined && lease === undefined
      ? publication
      : { ...publication, ...given(condition, lease) };
  }

  marked(position: number, serviceKey: ServiceKey): MarkedPublication {
    const { condition, lease, ...profile } = this.#profileAt(position);
    return { ...this.registration(position, serviceKey), ...profile, ...given(condition, lease) };
  }

  /** As `showsTheSame`. */
  shows(position: number, publication: Publication): boolean {
    const slab = this.slabs.slabOf(position);
    const unit = unitOf(position);
    const profile = this.profiles.get(slab.words[unit * 2 + layout.PROFILE_WORD] as number);
    if (profile.zone !== publication.zone || !equalConditions(profile.condition, publication.condition)) return false;
    this.#body.read(slab, unit);
    const { bytes, payloadAt, end, base } = this.#body;
    const { payload } = publication;
    if (base !== NONE) return equalBytes(this.#payload(), payload);
    if (end - payloadAt !== payload.length) return false;
    for (let at = 0; at < payload.length; at++) if (bytes[payloadAt + at] !== payload[at]) return false;
    return true;
  }

  #profileOf({ zone, appName, attributes, condition, lease }: ProfileFields, isHidden: boolean) {
    const profile = this.#profile;
    profile.zone = zone;
    profile.appName = appName;
    profile.attributes = attributes;
    profile.isHidden = isHidden;
    profile.condition = condition;
    profile.lease = lease;
    return profile;
  }

  #payload(): Payload {
    const { bytes, payloadAt, end, base } = this.#body;
    if (base === NONE) return copied(bytes, payloadAt, end);
    return decodeDifference({ bytes, at: payloadAt }, this.bases.place(base));
  }

  #fill(position: number, publication: Publication): void {
    const { plan } = this;
    const slab = this.slabs.slabOf(position);
    const { words } = slab;
    const unit = unitOf(position);
    const word = unit * 2;
    const bodyBytes = plan.isLarge ? layout.NUMBER_BYTES : plan.bodyBytes;
    const isDifference = plan.base !== NONE;
    words[word] = layout.headOf(plan.units, bodyBytes, {
      form: this.key.form,
      isDifference,
      isLarge: plan.isLarge,
      level: plan.level,
    });
    words[word + layout.SERVICE_WORD] = plan.service;
    slab.longs[unit + layout.VERSION_LONG] = publication.version;
    slab.doubles[unit + layout.TIME_DOUBLE] = publication.registeredMs;
    words[word + layout.OWNER_WORD] = plan.owner;
    words[word + layout.PROFILE_WORD] = plan.profile;
    if (isDifference) this.bases.take(plan.base);
    if (!plan.isLarge) return this.#writeBody(slab.bytes, layout.bodyStart(unit), publication.payload);
    const body = new Uint8Array(plan.bodyBytes);
    this.#largeBytes += body.length;
    words[word + layout.BODY_WORD] = this.#large.add(body);
    this.#writeBody(body, 0, publication.payload);
  }

  #writeBody(bytes: Uint8Array, start: number, payload: Payload): void {
    const { key, plan } = this;
    let at = start;
    if (plan.base !== NONE) at = writeU32(bytes, at, plan.base);
    if (key.form !== UUID) at = writeU32(bytes, at, key.length);
    for (let from = 0; from < key.length; from++) bytes[at++] = key.bytes[from] as number;
    if (plan.base === NONE) return bytes.set(payload, at);
    const { encoder } = this.bases;
    for (let from = 0; from < encoder.length; from++) bytes[at++] = encoder.bytes[from] as number;
  }

  #releaseBody(head: number, number: number): void {
    if (layout.isDifference(head)) this.bases.release(number);
    if (!layout.isLarge(head)) return;
    this.#largeBytes -= this.#large.get(number).length;
    this.#large.remove(number);
  }
}

/** Only what there is. */
function given(condition: Condition | undefined, lease: Lease | undefined): Pick<Publication, "condition" | "lease"> {
  return { ...(condition !== undefined && { condition }), ...(lease !== undefined && { lease }) };
}

function copied(bytes: Uint8Array, start: number, end: number): Payload {
  if (start === end) return EMPTY_PAYLOAD;
  const copy = freshBytes(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** Whether a payload can be a difference or a base. */
export function mayDiffer(payload: Payload): boolean {
  return payload.length > 2 * SAVED_BYTES_MIN && payload.length <= DIFFERENCE_BYTES_MAX;
}

// Versions count a client's changes, so nearly all are small; a new bigint takes 24 bytes and 50 ns.
const SMALL_VERSIONS = Array.from({ length: 256 }, (_, version) => BigInt(version));
// The place of a version's lower half, which depends on the machine.
const LOW_WORD = 2 * layout.VERSION_LONG + (new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1);
const HIGH_WORD = 4 * layout.VERSION_LONG + 1 - LOW_WORD;

function versionAt(slab: Slab, unit: number): bigint {
  const small =
    slab.words[unit * 2 + HIGH_WORD] === 0 ? SMALL_VERSIONS[slab.words[unit * 2 + LOW_WORD] as number] : undefined;
  return small ?? (slab.longs[unit + layout.VERSION_LONG] as bigint);
}

function writeU32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
  return at + 4;
}
