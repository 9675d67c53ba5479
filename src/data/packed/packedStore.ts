// Publications as packed bytes off the heap: a record of some 210 bytes for a payload of 150, or 100 if payloads are
// kept as differences, and 12 bytes of index. Slots share slabs, owners and common strings, since a client's
// registrations are spread over all slots; each slot has its own index.
//
// Nothing here stalls: indexes grow by a few cells with each change, holes are closed by a few moves, and cleared
// records go a few at a time.

import type { Random } from "../../base/ports.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { HashIndex } from "./hashIndex.ts";
import { KeyedHash } from "./keyedHash.ts";
import { Numbered } from "./numbered.ts";
import { type PackedNode, PackedService, type PackedSlot } from "./packedService.ts";
import type { PublicationMemory, PublicationStore, ServicePublications } from "./publicationStore.ts";
import { SERVICE_WORD } from "./recordLayout.ts";
import { Records } from "./records.ts";

/** Settings, each a key of the configuration. */
export interface PackedOptions {
  /**
   * Whether payloads of a service are kept as differences from one of them: half of the memory, for 1 µs a write and
   * 0.2 µs a read.
   */
  readonly payloadDifference: boolean;
}

// The steps on the slabs with each change, which are 16 moves or 64 holes: holes at a quarter of the live data need two
// moves for each change, and five if all changes are removals.
const STEPS_PER_CHANGE = 64;
// The records of cleared services that go with each change, each with the steps that its hole needs.
const CLEARED_PER_CHANGE = 4;
const STEPS_PER_CLEARED = 16;

export class PackedMemory implements PublicationMemory {
  readonly #node: PackedNode;
  #indexBytes = 0;

  constructor({ payloadDifference }: PackedOptions, random: Random) {
    const keyed = new KeyedHash(random);
    const services = new Numbered<PackedService>();
    const records: Records = new Records(keyed, (from, to) =>
      services.get(records.word(to, SERVICE_WORD)).moved(from, to),
    );
    this.#node = { records, services, cleared: [], payloadDifference, changes: 0 };
  }

  get bytes(): number {
    return this.#node.records.bytes + this.#indexBytes;
  }

  get services(): number {
    return this.#node.services.size;
  }

  /** The number of shared values, for tests and metrics. */
  get shared(): {
    readonly owners: number;
    readonly profiles: number;
    readonly bases: number;
    readonly services: number;
  } {
    const { records, services } = this.#node;
    return {
      owners: records.owners.size,
      profiles: records.profiles.size,
      bases: records.bases.size,
      services: services.size,
    };
  }

  store(): PackedStore {
    return new PackedStore(this.#node, (grownBytes) => {
      this.#indexBytes += grownBytes;
    });
  }

  tidy(steps: number): boolean {
    this.#node.changes++;
    const taken = takeApart(this.#node, Math.ceil(steps / STEPS_PER_CLEARED));
    return this.#node.records.slabs.tidy(steps) || taken > 0;
  }
}

export class PackedStore implements PublicationStore {
  readonly #node: PackedNode;
  readonly #slot: PackedSlot;
  readonly #index = new HashIndex();

  /** `indexGrew` receives the number of bytes. */
  constructor(node: PackedNode, indexGrew: (bytes: number) => void) {
    this.#node = node;
    const index = this.#index;
    let indexBytes = 0;
    this.#slot = {
      index,
      recordBytes: 0,
      indexed(): void {
        const { bytes } = index;
        if (bytes === indexBytes) return;
        indexGrew(bytes - indexBytes);
        indexBytes = bytes;
      },
      changed(): void {
        const taken = takeApart(node, CLEARED_PER_CHANGE);
        node.records.slabs.tidy(STEPS_PER_CHANGE + taken * STEPS_PER_CLEARED);
      },
    };
  }

  get bytes(): number {
    return this.#index.bytes + this.#slot.recordBytes;
  }

  service(serviceKey: ServiceKey): ServicePublications {
    return new PackedService(this.#node, this.#slot, serviceKey);
  }
}

function takeApart({ cleared }: PackedNode, max: number): number {
  const service = cleared.at(-1);
  if (service === undefined) return 0;
  const taken = service.takeApart(max);
  if (service.size === 0) cleared.pop();
  return taken;
}
