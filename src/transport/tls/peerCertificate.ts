import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../base/ports.ts";

/** The parts of a certificate that identify its holder. */
export function peerCertificateOf(certificate: X509Certificate): PeerCertificate {
  const subject = certificate.subject.split("\n");
  // A line each, in which a line feed is escaped; a second name could be the one that another program looks at.
  const [commonName = "", another] = subject.flatMap((part) => /^CN=(.*)$/.exec(part)?.[1] ?? []);
  return {
    subject: subject.join(","),
    commonName: another === undefined ? commonName : "",
    names: alternativeNames(certificate.subjectAltName ?? ""),
    fingerprint: certificate.fingerprint256,
  };
}

// A connection shows one certificate, and may send thousands of requests.
const SHOWN = new WeakMap<Socket, PeerCertificate | undefined>();

/** The certificate that the peer of a connection has shown; undefined without TLS, or without a certificate. */
export function certificateShownOn(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  if (!SHOWN.has(socket)) {
    const certificate = socket.getPeerX509Certificate();
    SHOWN.set(socket, certificate && peerCertificateOf(certificate));
  }
  return SHOWN.get(socket);
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
