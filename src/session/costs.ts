// The memory kept for a client's registrations, in bytes of resident memory: estimates that are a little high. Measured
// one kind at a time with 100,000 of each and texts of the usual length (a key of 91 characters, a registId of 36), as
// the growth of the resident memory after a full collection: docs/internals/limits.md.

import { boxCount } from "../model/payload.ts";
import type { PublishRequest, RegistrationKey, SubscribeRequest } from "../registry/registry.ts";

// A publication with a service of its own takes 1,360 bytes beside its payload, one among others of its service 860.
const PUBLICATION_BYTES = 1_100;
// A box takes a few bytes where it is stored, and some 100 for a moment with each body that is made for a push.
const BOX_BYTES = 100;
const ATTRIBUTE_BYTES = 100;
// A data node packs it once more, in 120 bytes and the payload; it seldom needs all of the latter.
const STORED_BYTES = 150;
// A subscriber with a service of its own takes 1,630 bytes here, and makes the data node keep 2,500 for the service.
const SUBSCRIBER_BYTES = 1_500;
const INTEREST_BYTES = 2_500;
// 670, and 300 for the role meta.
const CONFIG_WATCH_BYTES = 1_000;

// A character beyond Latin 1 makes a text of two bytes each.
function textBytes(text: string): number {
  return text.length * 2;
}

/** The cost of registrations in a process with the role data, or without it. */
export class Costs {
  readonly #isDataHere: boolean;

  constructor(isDataHere: boolean) {
    this.#isDataHere = isDataHere;
  }

  publication(request: PublishRequest): number {
    const { payload, attributes, serviceKey, registId, appName, zone } = request;
    let bytes = PUBLICATION_BYTES + payload.length + boxCount(payload) * BOX_BYTES;
    bytes += textBytes(serviceKey) + textBytes(registId) + textBytes(appName) + textBytes(zone);
    for (const [key, value] of attributes) bytes += ATTRIBUTE_BYTES + textBytes(key) + textBytes(value);
    return this.#isDataHere ? bytes + STORED_BYTES + payload.length : bytes;
  }

  subscriber({
    serviceKey,
    registId,
    appName = "",
  }: Pick<SubscribeRequest, keyof RegistrationKey | "appName">): number {
    const bytes = SUBSCRIBER_BYTES + textBytes(serviceKey) + textBytes(registId) + textBytes(appName);
    return this.#isDataHere ? bytes + INTEREST_BYTES : bytes;
  }

  configWatch({ serviceKey, registId }: RegistrationKey): number {
    return CONFIG_WATCH_BYTES + textBytes(serviceKey) + textBytes(registId);
  }
}
