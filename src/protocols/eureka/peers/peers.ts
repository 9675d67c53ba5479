// All other servers of Eureka that hear the words of this session's clients.

import type { EurekaEnvironment } from "../environment.ts";
import { type Listing, Peer } from "./peer.ts";
import { peerUrlsIn } from "./peerUrls.ts";
import type { Word } from "./word.ts";

interface Parts extends Pick<EurekaEnvironment, "sendHttp" | "metrics" | "log"> {
  /** The setting eureka-peers. */
  readonly urls: string;
  readonly nowMs: () => number;
}

export class Peers {
  readonly #peers: readonly Peer[];

  constructor({ urls, ...common }: Parts) {
    this.#peers = peerUrlsIn(urls).map((url) => new Peer({ ...common, url }));
  }

  /** May be called within a step of the registry. */
  tell(word: Word, nowMs: number): void {
    for (const peer of this.#peers) peer.tell(word, nowMs);
  }

  /** Called twice a second, not within a step of the registry. */
  check(nowMs: number, listing: Listing): void {
    for (const peer of this.#peers) peer.check(nowMs, listing);
  }
}
