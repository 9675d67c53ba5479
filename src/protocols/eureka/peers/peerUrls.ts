// The setting eureka-peers: URLs as in Eureka's own defaultZone, separated by commas, perhaps with a name and password.

import { base64 } from "../../../base/base64.ts";

/** One URL of the setting. */
export const PEER_URL = /https?:\/\/(?:[^\s/@,?#]+@)?[^\s/@,?#]+(?:\/[^\s,?#]*)?/;

/** Where another server takes words. */
export interface PeerUrl {
  /** For people: without credentials. */
  readonly shown: string;
  readonly batchUrl: string;
  /** The header; undefined without credentials. */
  readonly authorization: string | undefined;
}

/** The servers that the setting names, each once. */
export function peerUrlsIn(setting: string): PeerUrl[] {
  const peers = setting
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "")
    .map(peerUrlOf);
  return [...new Map(peers.map((peer) => [peer.batchUrl, peer])).values()];
}

function peerUrlOf(url: string): PeerUrl {
  const [scheme = "", rest = ""] = url.split("://", 2);
  const at = rest.indexOf("@");
  const shown = `${scheme}://${rest.slice(at + 1).replace(/\/*$/, "")}/`;
  const credentials = at < 0 ? undefined : new TextEncoder().encode(decodeURIComponent(rest.slice(0, at)));
  const authorization = credentials && `Basic ${base64(credentials)}`;
  return { shown, batchUrl: `${shown}peerreplication/batch/`, authorization };
}
