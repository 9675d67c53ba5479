// Small payloads share memory, or cost little; and giving memory back makes the process slower: see MOVED_BYTES_MIN in
// the decoder.
const GIVEN_BACK_BYTES_MIN = 128 * 1024;

/**
 * Gives the memory of a refused payload back at once; no other code has kept it. Left to the collector, a client whose
 * 4 MiB are refused again and again would take many times its allowance.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < GIVEN_BACK_BYTES_MIN || byteLength !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
