// Certificates for tests, made by openssl in a folder that goes with the test.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
export const LOCAL_NAMES = "DNS:localhost,IP:127.0.0.1";

/** The files of one certificate. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Issued {
  /** The common name; also the name of the files. */
  readonly name: string;
  /** The name of the authority, made before. */
  readonly by?: string;
  readonly names?: string;
  /** The number of days from now at which it expires; 365 if none is given. */
  readonly days?: number;
}

export class TestCertificates {
  readonly folder = mkdtempSync(join(tmpdir(), "roster-certificates-"));

  constructor(test: { after(run: () => void): void }) {
    test.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.authority("ca");
  }

  /** Makes an authority, and returns its certificate. */
  authority(name: string): string {
    const { cert, key } = this.#files(name);
    const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    this.#openssl(
      "req",
      "-x509",
      ...CURVE,
      "-days",
      "3650",
      "-subj",
      `/CN=${name}`,
      ...usage,
      "-keyout",
      key,
      "-out",
      cert,
    );
    return cert;
  }

  issue({ name, by = "ca", names = LOCAL_NAMES, days = 365 }: Issued): CertificateFiles {
    const files = this.#files(name);
    const request = join(this.folder, `${name}.csr`);
    const issuer = this.#files(by);
    const extensions = ["-addext", `subjectAltName=${names}`, "-addext", "basicConstraints=critical,CA:FALSE"];
    this.#openssl(
      "req",
      "-new",
      ...CURVE,
      "-subj",
      `/CN=${name}`,
      ...extensions,
      "-keyout",
      files.key,
      "-out",
      request,
    );
    const signed = ["-CA", issuer.cert, "-CAkey", issuer.key, "-copy_extensions", "copyall", "-days", String(days)];
    this.#openssl("x509", "-req", "-in", request, ...signed, "-out", files.cert);
    return files;
  }

  read(file: string): Buffer {
    return readFileSync(file);
  }

  get ca(): string {
    return this.#files("ca").cert;
  }

  #files(name: string): CertificateFiles {
    return { cert: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`) };
  }

  #openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  }
}
