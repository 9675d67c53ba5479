// Push bodies, each encoded once for a view (a service at a version) and kind of subscriber, and shared by all matching
// subscribers. Only the registIds of the receivers differ, and they come last on the wire. Compressed zones are shared
// further, by all zones whose subscribers see the same addresses: only a word of the message differs among them.
// Everything is kept with its view and dropped with it, when the service changes or its last subscriber leaves.

import type { Compression } from "../../base/ports.ts";
import { boxesOf } from "../../model/content.ts";
import type { KeptWithView, Push, ServiceView } from "../../registry/registry.ts";
import { encodeMultiPushBody, encodePushBody, encodeReceivedDataBody } from "./codec/codec.ts";
import type { Box, CompressedBoxes } from "./codec/messages.ts";
import type { PushSegment, PushZone } from "./codec/push.ts";
import type { SofaConfig } from "./environment.ts";
import { serviceNameOf } from "./serviceName.ts";
import { chooseEncoding, type PushEncoding, readVariant } from "./variant.ts";

// A body that is not pushed for a while is encoded again when needed: 64 MiB hold 4,000 services of 100 addresses, or
// 60,000 empty ones. Everything counts, not only the bodies.
const CACHE_BYTES_MAX = 64 * 1024 * 1024;

// Measured on one core with lists of 1,000 and 10,000 addresses: 3 µs for each KiB of the plain list, 5 with zstd and 8
// with gzip.
const COST_MS_PER_BYTE: Readonly<Record<PushEncoding, number>> = { plain: 3e-6, zstd: 5e-6, gzip: 8e-6 };

// For a body around zones that were compressed for another zone's subscribers.
const COST_MS_PER_COPIED_BYTE = 2e-7;

/** A message without its registIds. */
export interface PushBody {
  /** Shared; never changes. */
  readonly bytes: Uint8Array;
  /** The approximate milliseconds that making it took; 0 if it existed. */
  readonly costMs: number;
}

const NOTHING: PushBody = { bytes: new Uint8Array(0), costMs: 0 };

// The memory of a view beside its bodies, and of each body beside its bytes: objects, Maps and their entries.
const VIEW_BYTES = 700;
const BODY_BYTES = 150;

/** Compressed addresses, with the number of each zone. */
interface CompressedZones {
  readonly boxes: CompressedBoxes;
  readonly zones: readonly PushZone[];
}

/** The bodies made from one view. */
class ViewBodies implements KeptWithView {
  readonly view: ServiceView;
  readonly bodies = new Map<string, Uint8Array>();
  readonly compressed = new Map<string, CompressedZones>();
  bytes = VIEW_BYTES;
  readonly #owner: PushBodies;

  constructor(view: ServiceView, owner: PushBodies) {
    this.view = view;
    this.#owner = owner;
  }

  drop(): void {
    this.#owner.drop(this);
  }
}

export class PushBodies {
  readonly #config: SofaConfig;
  readonly #compression: Compression;
  // The least recently used is first.
  readonly #views = new Set<ViewBodies>();
  #bytes = 0;
  #last: Push | undefined;
  #lastBody: PushBody = NOTHING;

  constructor(config: SofaConfig, compression: Compression) {
    this.#config = config;
    this.#compression = compression;
  }

  /** The approximate memory of everything that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The message without its registIds. */
  body(push: Push): PushBody {
    // A list goes to all its subscribers in a row.
    const last = this.#last;
    const isSame = last?.view === push.view && last.variant === push.variant && last.zone === push.zone;
    if (isSame && last.scope === push.scope) return this.#lastBody;
    const kept = this.#keptWith(push.view);
    const key = `${push.scope}\n${push.zone}\n${push.variant}`;
    const known = kept.bodies.get(key);
    const body = known === undefined ? this.#encode(push, kept) : { bytes: known, costMs: 0 };
    if (known === undefined) {
      kept.bodies.set(key, body.bytes);
      this.#add(kept, body.bytes.length + BODY_BYTES + 2 * key.length);
    }
    this.#last = push;
    this.#lastBody = { bytes: body.bytes, costMs: 0 };
    this.#dropOldest();
    return body;
  }

  /** Forgets the bodies made from a view. */
  drop(kept: ViewBodies): void {
    if (this.#views.delete(kept)) this.#bytes -= kept.bytes;
    kept.view.kept = undefined;
    if (this.#last?.view !== kept.view) return;
    this.#last = undefined;
    this.#lastBody = NOTHING;
  }

  /** The bodies made from the view, which becomes the most recently used. */
  #keptWith(view: ServiceView): ViewBodies {
    if (view.kept instanceof ViewBodies && this.#views.delete(view.kept)) {
      this.#views.add(view.kept);
      return view.kept;
    }
    const kept = new ViewBodies(view, this);
    view.kept = kept;
    this.#views.add(kept);
    this.#bytes += kept.bytes;
    return kept;
  }

  #add(kept: ViewBodies, bytes: number): void {
    kept.bytes += bytes;
    this.#bytes += bytes;
  }

  #dropOldest(): void {
    for (const oldest of this.#views) {
      if (this.#bytes <= CACHE_BYTES_MAX) return;
      this.drop(oldest);
    }
  }

  #encode(push: Push, kept: ViewBodies): PushBody {
    const variant = readVariant(push.variant);
    const { dataCenter } = this.#config;
    const encoding = chooseEncoding(variant, this.#config);
    const key = this.#sharedKey(push, encoding);
    const shared = encoding === "plain" ? undefined : kept.compressed.get(key);
    const zones = shared?.zones ?? this.#zonesOf(push);
    const compressed = shared?.boxes ?? this.#compress(encoding, zones);
    if (shared === undefined && compressed !== undefined) this.#share(kept, key, { compressed, zones });
    const service = serviceNameOf(push.view.serviceKey);
    const subject = { ...service, scope: push.scope, localZone: push.zone };
    const list = { version: push.view.version, zones, ...(compressed === undefined ? {} : { compressed }) };
    const segment: PushSegment = { ...list, segment: dataCenter };
    const bytes = variant.isMulti
      ? encodeMultiPushBody(variant.form, { ...subject, localSegment: dataCenter, segments: [segment] })
      : encodePushBody(variant.form, { ...subject, ...segment });
    if (shared !== undefined) return { bytes, costMs: bytes.length * COST_MS_PER_COPIED_BYTE };
    const plainBytes = compressed?.originBodySize ?? bytes.length;
    return { bytes, costMs: plainBytes * COST_MS_PER_BYTE[compressed === undefined ? "plain" : encoding] };
  }

  #share(
    kept: ViewBodies,
    key: string,
    { compressed, zones }: { compressed: CompressedBoxes; zones: readonly PushZone[] },
  ): void {
    // The addresses themselves are in the compressed bytes.
    const counts = zones.map(({ zone, count }) => ({ zone, boxes: [], count }));
    kept.compressed.set(key, { boxes: compressed, zones: counts });
    this.#add(kept, compressed.body.length + BODY_BYTES * (1 + counts.length) + 2 * key.length);
  }

  #compress(encoding: PushEncoding, zones: readonly PushZone[]): CompressedBoxes | undefined {
    if (encoding === "plain") return undefined;
    const plain = encodeReceivedDataBody(zones);
    if (plain.length < this.#config.pushCompressBytesMin) return undefined;
    return { encoding, body: this.#compression[encoding](plain), originBodySize: plain.length };
  }

  /** A key that is equal for those of a view's subscribers that see the same addresses in the same encoding. */
  #sharedKey({ scope, zone }: Push, encoding: PushEncoding): string {
    const seesItsOwn = scope === "zone" || this.#config.sofaInvalidForeverZones.includes(zone);
    return seesItsOwn ? `${encoding}\n${zone}` : encoding;
  }

  /** The addresses by zone. A publisher without data still shows its zone, as in SOFARegistry. */
  #zonesOf({ view, scope, zone: ownZone }: Push): PushZone[] {
    const closed = scope === "zone" ? [] : this.#closedZones(view);
    const byZone = new Map<string, Box[]>();
    for (const publication of view.publications.values()) {
      const { zone } = publication;
      if (zone !== ownZone && (scope === "zone" || closed.includes(zone))) continue;
      const boxes = byZone.get(zone) ?? [];
      byZone.set(zone, boxes);
      boxesOf(publication, boxes);
    }
    return [...byZone].map(([zone, boxes]) => ({ zone, boxes, count: boxes.length }));
  }

  /** The zones whose publishers of this service only their own clients see. */
  #closedZones({ serviceKey }: ServiceView): readonly string[] {
    const { sofaInvalidForeverZones: zones, sofaInvalidForeverZonesExcept: excepted } = this.#config;
    if (zones.length === 0 || excepted.length === 0) return zones;
    const { dataId } = serviceNameOf(serviceKey);
    return excepted.some((beginning) => dataId.startsWith(beginning)) ? [] : zones;
  }
}
