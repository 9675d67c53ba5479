// One request to a node. By HTTP it is `fetch`; by HTTPS it is Node's own client, which can trust an authority of the
// user's own and show a certificate.

import { readFileSync } from "node:fs";
import { request } from "node:https";
import { getCACertificates } from "node:tls";
import { fail } from "../base/errors.ts";

/** The files with which a command proves nodes to itself, and itself to nodes, in PEM. */
export interface TlsFiles {
  /** Authorities that are trusted beside those of Node. */
  readonly cacert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The contents of these files. */
export interface TlsMaterial {
  readonly ca: readonly string[];
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Reads the files. Throws FILE_UNUSABLE, and FIELD_INVALID for a certificate without its key. */
export function readTlsFiles({ cacert, cert, key }: TlsFiles): TlsMaterial {
  if ((cert === undefined) !== (key === undefined)) {
    const [field, value] = cert === undefined ? ["--key", key] : ["--cert", cert];
    throw fail("FIELD_INVALID", { field, value: value ?? "", expected: "--cert and --key together" });
  }
  const ca = cacert === undefined ? [] : [readPem(cacert)];
  return { ca, ...(cert && { cert: readPem(cert) }), ...(key && { key: readPem(key) }) };
}

function readPem(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw fail("FILE_UNUSABLE", { file, reason: String(error) });
  }
  if (text.includes("-----BEGIN ")) return text;
  throw fail("FILE_UNUSABLE", { file, expected: "certificates, or a key, in PEM" });
}

export interface Request {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly waitMs: number;
}

export interface Response {
  readonly status: number;
  readonly body: string;
}

/** The answer of a node. Rejects with the error of the system, or of TLS. */
export async function send(url: URL, sent: Request, tls: TlsMaterial): Promise<Response> {
  if (url.protocol === "https:") return sendByTls(url, sent, tls);
  const { waitMs, ...init } = sent;
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(waitMs) });
  return { status: response.status, body: await response.text() };
}

function sendByTls(url: URL, { method, headers, body, waitMs }: Request, tls: TlsMaterial): Promise<Response> {
  const ca = [...getCACertificates("default"), ...tls.ca];
  const { cert, key } = tls;
  const options = { method, headers, ca, ...(cert && { cert }), ...(key && { key }) };
  return new Promise((resolve, reject) => {
    const asked = request(url, { ...options, signal: AbortSignal.timeout(waitMs) }, (response) => {
      response.setEncoding("utf8").on("error", reject);
      response.toArray().then((parts) => resolve({ status: response.statusCode ?? 0, body: parts.join("") }), reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
