// A client's text as bytes. Payloads are stored, copied, logged and pushed as bytes and never become JavaScript
// strings on the way. The form is UTF-8, with one extension: a lone surrogate, which a Java string may hold, keeps
// its own three bytes, so that what a Java client published comes back to a Java client unchanged.

/** UTF-8 bytes and the number of UTF-16 units they stand for. Equal counts mean plain ASCII. */
export interface WireText {
  readonly utf8: Uint8Array;
  /** Length in UTF-16 units, which is what Hessian counts. */
  readonly units: number;
}
