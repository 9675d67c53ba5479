// The complete list of what pure code may know beyond the language itself.
// tsconfig.core.json has neither Node's nor the DOM's types: a socket, a timer or a file does not compile there.

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label: "utf-8", options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}
