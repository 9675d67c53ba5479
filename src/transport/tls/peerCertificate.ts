import type { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "../../base/ports.ts";

/** The parts of a certificate that identify its holder. */
export function peerCertificateOf(certificate: X509Certificate): PeerCertificate {
  return {
    subject: certificate.subject.split("\n").join(","),
    names: alternativeNames(certificate.subjectAltName ?? ""),
    fingerprint: certificate.fingerprint256,
  };
}

// Node writes a name that could be mistaken for several as a JSON string, so a comma in it separates nothing.
const NAME = /([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/** The names in Node's text of the extension. A text in another form has no names: nothing is guessed from it. */
export function alternativeNames(text: string): readonly string[] {
  const names: string[] = [];
  NAME.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    const [whole, kind = "", value = ""] = NAME.exec(text) ?? [];
    if (whole === undefined) return [];
    at = NAME.lastIndex;
    names.push(`${kind}:${value.startsWith('"') ? JSON.parse(value) : value}`);
  }
  return names;
}
