// Push bodies, each encoded once for a service, version and kind of subscriber, and shared by all whom it fits. Only
// the registIds of the receivers differ, and they come last on the wire.

import type { Compression } from "../../base/ports.ts";
import { encodeMultiPushBody, encodePushBody, encodeReceivedDataBody } from "../../codec/sofa/codec.ts";
import type { Box, CompressedBoxes } from "../../codec/sofa/messages.ts";
import type { PushSegment, PushZone } from "../../codec/sofa/push.ts";
import { parseDataInfoId } from "../../model/dataInfoId.ts";
import { boxesOf } from "../../model/payload.ts";
import type { Push } from "../../session/registry.ts";
import type { SofaConfig } from "./environment.ts";
import { readVariant, type Variant } from "./variant.ts";

// What is not pushed for a while is encoded again when it is: 64 MiB hold 4,000 services of 100 addresses.
const CACHE_BYTES_MAX = 64 * 1024 * 1024;

const NO_BYTES: Uint8Array = new Uint8Array(0);

interface CachedBody {
  readonly version: bigint;
  readonly bytes: Uint8Array;
}

export class PushBodies {
  readonly #config: SofaConfig;
  readonly #compression: Compression;
  // The least recently used is first.
  readonly #cache = new Map<string, CachedBody>();
  #cachedBytes = 0;
  #last: Push | undefined;
  #lastBytes = NO_BYTES;

  constructor(config: SofaConfig, compression: Compression) {
    this.#config = config;
    this.#compression = compression;
  }

  /** The message without its registIds; the buffer is shared and never changes. */
  body(push: Push): Uint8Array {
    // A list goes to all its subscribers in a row.
    const last = this.#last;
    const isSame = last?.view === push.view && last.variant === push.variant && last.zone === push.zone;
    if (isSame && last.scope === push.scope) return this.#lastBytes;
    const key = `${push.view.dataInfoId}\n${push.scope}\n${push.zone}\n${push.variant}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) this.#drop(key, cached);
    const bytes = cached?.version === push.view.version ? cached.bytes : this.#encode(push);
    this.#keep(key, { version: push.view.version, bytes });
    this.#last = push;
    this.#lastBytes = bytes;
    return bytes;
  }

  #keep(key: string, body: CachedBody): void {
    this.#cache.set(key, body);
    this.#cachedBytes += body.bytes.length;
    for (const [oldest, { bytes }] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES_MAX) return;
      this.#cache.delete(oldest);
      this.#cachedBytes -= bytes.length;
    }
  }

  #drop(key: string, body: CachedBody): void {
    this.#cache.delete(key);
    this.#cachedBytes -= body.bytes.length;
  }

  #encode(push: Push): Uint8Array {
    const variant = readVariant(push.variant);
    const { dataCenter } = this.#config;
    const { dataId, group, instanceId } = parseDataInfoId(push.view.dataInfoId);
    const zones = zonesOf(push);
    const compressed = this.#compress(variant, zones);
    const subject = { dataId, group, instanceId, scope: push.scope, localZone: push.zone };
    const list = { version: push.view.version, zones, ...(compressed === undefined ? {} : { compressed }) };
    if (!variant.isMulti) return encodePushBody(variant.form, { ...subject, ...list, segment: dataCenter });
    const segments: PushSegment[] = [{ ...list, segment: dataCenter }];
    return encodeMultiPushBody(variant.form, { ...subject, localSegment: dataCenter, segments });
  }

  #compress({ encoding }: Variant, zones: readonly PushZone[]): CompressedBoxes | undefined {
    if (encoding === "plain") return undefined;
    const plain = encodeReceivedDataBody(zones);
    if (plain.length < this.#config.pushCompressBytesMin) return undefined;
    return { encoding, body: this.#compression[encoding](plain), originBodySize: plain.length };
  }
}

/** The addresses by zone. A publisher without data still shows its zone, as in SOFARegistry. */
function zonesOf({ view, scope, zone: ownZone }: Push): PushZone[] {
  const byZone = new Map<string, Box[]>();
  for (const { zone, payload } of view.publications.values()) {
    if (scope === "zone" && zone !== ownZone) continue;
    const boxes = byZone.get(zone) ?? [];
    byZone.set(zone, boxes);
    for (const box of boxesOf(payload)) boxes.push(box);
  }
  return [...byZone].map(([zone, boxes]) => ({ zone, boxes, count: boxes.length }));
}
