// The certificate, the key and the trusted authorities of a TLS end, read from PEM files and checked as far as possible
// before they are used: a certificate that no peer would accept must not take the place of one that works.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext, type SecureVersion } from "node:tls";
import { type ErrorDetails, fail } from "../../base/errors.ts";
import { peerCertificateOf } from "./peerCertificate.ts";

/** A file, and the setting that names it. */
export interface NamedFile {
  readonly key: string;
  readonly file: string;
}

export interface CredentialFiles {
  /** The certificate, followed by those between it and its authority. */
  readonly cert: NamedFile;
  readonly key: NamedFile;
  /** The authorities that may have signed a peer's certificate; undefined if peers need none. */
  readonly ca: NamedFile | undefined;
}

/** The oldest version of TLS that is spoken, and the ciphers in OpenSSL's form. */
export interface TlsStrength {
  readonly minVersion: SecureVersion;
  readonly ciphers: string;
}

export interface Credentials extends TlsStrength {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  /** All of the above, as dialling sockets want it. */
  readonly context: SecureContext;
  /** The time at which the first certificate of the chain expires. */
  readonly expiresMs: number;
  readonly subject: string;
  /** The alternative names of the certificate, each with its kind. */
  readonly names: readonly string[];
}

// A chain is a few KiB, a bundle of public authorities 250 KiB.
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Reads and checks the files. Throws CONFIG_INVALID with the key, the file and the fault. */
export function readCredentials(files: CredentialFiles, strength: TlsStrength, nowMs: number): Credentials {
  const [cert, key] = [readPem(files.cert), readPem(files.key)];
  const ca = files.ca === undefined ? undefined : readPem(files.ca);
  const chain = certificatesOf(files.cert, cert);
  const [own] = chain;
  if (own === undefined) throw invalid(files.cert, { reason: "it has no certificate" });
  if (!own.checkPrivateKey(privateKeyOf(files.key, key))) {
    throw invalid(files.key, { reason: `it is not the key of the certificate in ${files.cert.file}` });
  }
  const expiresMs = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
  if (expiresMs <= nowMs) throw invalid(files.cert, { reason: "it has expired", expired: isoTime(expiresMs) });
  const startsMs = Date.parse(own.validFrom);
  // Clocks differ, and a certificate is often made a moment before its first use.
  if (startsMs > nowMs + CLOCK_MS_MAX) {
    throw invalid(files.cert, { reason: "it is not valid yet", begins: isoTime(startsMs) });
  }
  if (files.ca !== undefined && ca !== undefined) certificatesOf(files.ca, ca);
  const { subject, names } = peerCertificateOf(own);
  const context = contextOf(files, { cert, key, ca, ...strength });
  return { ...strength, cert, key, ca, context, expiresMs, subject, names };
}

const CLOCK_MS_MAX = 5 * 60_000;

function readPem(named: NamedFile): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(named.file);
  } catch (error) {
    throw invalid(named, { reason: messageOf(error) });
  }
  if (content.length > FILE_BYTES_MAX) throw invalid(named, { bytes: content.length, bytesMax: FILE_BYTES_MAX });
  return content;
}

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function certificatesOf(named: NamedFile, pem: Buffer): X509Certificate[] {
  const texts = pem.toString("latin1").match(CERTIFICATE) ?? [];
  if (texts.length === 0) throw invalid(named, { reason: "it has no certificate in PEM form" });
  try {
    return texts.map((text) => new X509Certificate(text));
  } catch (error) {
    throw invalid(named, { reason: messageOf(error) });
  }
}

function privateKeyOf(named: NamedFile, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's own words are about its decoders.
    throw invalid(named, { reason: "it has no private key in PEM form, or one with a passphrase" });
  }
}

function contextOf(
  { cert: named }: CredentialFiles,
  { cert, key, ca, minVersion, ciphers }: TlsStrength & Pick<Credentials, "cert" | "key" | "ca">,
): SecureContext {
  try {
    return createSecureContext({ cert, key, minVersion, ciphers, ...(ca !== undefined && { ca }) });
  } catch (error) {
    const isOfCiphers = error instanceof Error && "code" in error && error.code === "ERR_SSL_NO_CIPHER_MATCH";
    if (isOfCiphers) throw fail("CONFIG_INVALID", { key: "tls-ciphers", value: ciphers, reason: "OpenSSL knows none" });
    throw invalid(named, { reason: messageOf(error) });
  }
}

function invalid({ key, file }: NamedFile, details: ErrorDetails): Error {
  return fail("CONFIG_INVALID", { key, file, ...details });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
