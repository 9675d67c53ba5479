// The instance that clients of one protocol register, and clients of the others find.

export const PORT = 8_080;

/** The state of an instance that is registered. */
export interface Wanted {
  readonly host: string;
  /** A whole number, since SOFARegistry's clients and DNS know no others. */
  readonly weight: number;
  readonly color: string;
  readonly isEnabled: boolean;
}

/** The text that is compared; the color is empty where a protocol has no metadata. */
export function row(
  host: string,
  port: string | number,
  weight: string | number,
  color: string | null | undefined,
): string {
  return `${host}:${port} ${Number(weight)} ${color ?? ""}`;
}
