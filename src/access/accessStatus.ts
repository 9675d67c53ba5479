// The refusals of access control in words of HTTP, which several protocols share.

const STATUS: Readonly<Record<string, number>> = {
  CREDENTIALS_NEEDED: 401,
  CREDENTIALS_REFUSED: 401,
  PERMISSION_NEEDED: 403,
  CREDENTIALS_LOCKED: 429,
};

/** The HTTP status of a refusal, by its code; undefined for any other error. */
export function accessStatusOf({ code }: { readonly code: string }): number | undefined {
  return STATUS[code];
}
