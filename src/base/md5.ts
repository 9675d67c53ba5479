// MD5, by which some protocols tell whether a text has changed. It protects nothing.

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

// The shifts of the four rounds, and floor(2^32 * |sin(i + 1)|): RFC 1321, 3.4.
const SHIFTS: readonly (readonly number[])[] = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
];
const TURNS = Uint8Array.from({ length: 64 }, (_, step) => SHIFTS[step >> 4]?.[step & 3] ?? 0);
/** The word that each step takes. */
const WORDS = Uint8Array.from({ length: 64 }, (_, step) => {
  const [factor = 0, first = 0] =
    [
      [1, 0],
      [5, 1],
      [3, 5],
      [7, 0],
    ][step >> 4] ?? [];
  return (factor * step + first) & 15;
});
const CONSTANTS = Int32Array.from({ length: 64 }, (_, at) => Math.floor(Math.abs(Math.sin(at + 1)) * 0x1_0000_0000));

/** The MD5 of bytes, as 32 digits of hexadecimal in lower case. */
export function md5(bytes: Uint8Array): string {
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  const words = new Int32Array(BLOCK_BYTES / 4);
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < whole; at += BLOCK_BYTES) addBlock(state, words, view, at);
  const end = lastBlocks(bytes, whole);
  for (let at = 0; at < end.byteLength; at += BLOCK_BYTES) addBlock(state, words, end, at);
  return [...new Uint8Array(state.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The rest of the bytes, a one, zeros, and the length in bits. */
function lastBlocks(bytes: Uint8Array, from: number): DataView {
  const rest = bytes.subarray(from);
  const blocks = rest.length + 1 + LENGTH_BYTES > BLOCK_BYTES ? 2 : 1;
  const end = new Uint8Array(blocks * BLOCK_BYTES);
  end.set(rest);
  end[rest.length] = 0x80;
  const view = new DataView(end.buffer);
  view.setBigUint64(end.length - LENGTH_BYTES, BigInt(bytes.length) * 8n, true);
  return view;
}

function addBlock(state: Int32Array, words: Int32Array, view: DataView, from: number): void {
  for (let at = 0; at < words.length; at++) words[at] = view.getInt32(from + at * 4, true);
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  for (let step = 0; step < 64; step++) {
    const sum =
      (a + mixed(step >> 4, b, c, d) + (CONSTANTS[step] as number) + (words[WORDS[step] as number] as number)) | 0;
    const shift = TURNS[step] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
}

/** The round's function of three parts of the state. */
function mixed(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d);
  if (round === 1) return (d & b) | (~d & c);
  if (round === 2) return b ^ c ^ d;
  return c ^ (b | ~d);
}
