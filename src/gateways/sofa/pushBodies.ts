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
import { type PushEncoding, readVariant, type Variant } from "./variant.ts";

// What is not pushed for a while is encoded again when it is: 64 MiB hold 4,000 services of 100 addresses.
const CACHE_BYTES_MAX = 64 * 1024 * 1024;

// Measured on one core with lists of 1,000 and 10,000 addresses: 3 µs for each KiB of the plain list, 5 with zstd and 8
// with gzip.
const COST_MS_PER_BYTE: Readonly<Record<PushEncoding, number>> = { plain: 3e-6, zstd: 5e-6, gzip: 8e-6 };

/** A message without its registIds. */
export interface PushBody {
  /** Shared; never changes. */
  readonly bytes: Uint8Array;
  /** What it took to make it, in milliseconds, about; 0 if it was there. */
  readonly costMs: number;
}

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
  #lastBody: PushBody = { bytes: new Uint8Array(0), costMs: 0 };

  constructor(config: SofaConfig, compression: Compression) {
    this.#config = config;
    this.#compression = compression;
  }

  /** The message without its registIds. */
  body(push: Push): PushBody {
    // A list goes to all its subscribers in a row.
    const last = this.#last;
    const isSame = last?.view === push.view && last.variant === push.variant && last.zone === push.zone;
    if (isSame && last.scope === push.scope) return this.#lastBody;
    const key = `${push.view.dataInfoId}\n${push.scope}\n${push.zone}\n${push.variant}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) this.#drop(key, cached);
    const isThere = cached?.version === push.view.version;
    const body = isThere ? { bytes: cached.bytes, costMs: 0 } : this.#encode(push);
    this.#keep(key, { version: push.view.version, bytes: body.bytes });
    this.#last = push;
    this.#lastBody = { bytes: body.bytes, costMs: 0 };
    return body;
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

  #encode(push: Push): PushBody {
    const variant = readVariant(push.variant);
    const { dataCenter } = this.#config;
    const { dataId, group, instanceId } = parseDataInfoId(push.view.dataInfoId);
    const zones = zonesOf(push);
    const compressed = this.#compress(variant, zones);
    const subject = { dataId, group, instanceId, scope: push.scope, localZone: push.zone };
    const list = { version: push.view.version, zones, ...(compressed === undefined ? {} : { compressed }) };
    const segment: PushSegment = { ...list, segment: dataCenter };
    const bytes = variant.isMulti
      ? encodeMultiPushBody(variant.form, { ...subject, localSegment: dataCenter, segments: [segment] })
      : encodePushBody(variant.form, { ...subject, ...segment });
    const plainBytes = compressed?.originBodySize ?? bytes.length;
    return { bytes, costMs: plainBytes * COST_MS_PER_BYTE[compressed === undefined ? "plain" : variant.encoding] };
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
    boxesOf(payload, boxes);
  }
  return [...byZone].map(([zone, boxes]) => ({ zone, boxes, count: boxes.length }));
}
