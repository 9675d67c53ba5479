// The complete list of globals that pure code may use beyond the language itself. tsconfig.core.json has neither Node's
// nor the DOM's types, so a socket, a timer or a file does not compile there.

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label: "utf-8", options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}
