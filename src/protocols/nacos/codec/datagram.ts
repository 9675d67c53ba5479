// The datagrams of Nacos 1.x: a list as a text within JSON, in gzip if that is long, and the client's acknowledgement,
// which names the time of the list.

import type { Compression } from "../../../base/ports.ts";
import { decodeJson, fieldsOf } from "../../../encoding/json/fields.ts";

// The real server's bound; clients look at the first two bytes.
const PLAIN_BYTES_MAX = 1_024;
/** The most that fits into a message of UDP. */
export const DATAGRAM_BYTES_MAX = 65_507;
// Acknowledgements have some seventy bytes.
const ACK_BYTES_MAX = 512;

const DECODER = new TextDecoder("utf-8");
const ENCODER = new TextEncoder();

/** The list as a message, whose time is `refTime`; undefined if it is too long for one. */
export function encodeDatagram(
  list: Uint8Array,
  refTime: number,
  { gzip }: Pick<Compression, "gzip">,
): Uint8Array | undefined {
  const data = JSON.stringify(DECODER.decode(list));
  const plain = ENCODER.encode(`{"type":"dom","data":${data},"lastRefTime":${refTime}}`);
  const bytes = plain.length < PLAIN_BYTES_MAX ? plain : gzip(plain);
  return bytes.length <= DATAGRAM_BYTES_MAX ? bytes : undefined;
}

/** The time that an acknowledgement names; undefined for another message. Throws as `decodeJson` and `fieldsOf`. */
export function decodeAck(bytes: Uint8Array): string | undefined {
  if (bytes.length > ACK_BYTES_MAX) return undefined;
  const fields = fieldsOf(decodeJson(bytes), "message");
  return fields.get("type") === "push-ack" ? String(fields.get("lastRefTime")) : undefined;
}
