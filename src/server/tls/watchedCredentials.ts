// Credentials that follow their files. Certificates are exchanged while the server runs, by tools that replace one file
// after the other, or the folder behind a link. So the files are looked at each second, and are read once they have
// stood still for one. Files that can't be used leave the old credentials in force, and are reported once.

import { statSync } from "node:fs";
import type { Metrics } from "../../base/metrics.ts";
import type { Clock, Log } from "../../base/ports.ts";
import {
  type CredentialFiles,
  type Credentials,
  readCredentials,
  type TlsStrength,
} from "../../transport/tls/credentials.ts";

/** The interval at which the files are looked at. */
export const LOOK_MS = 1_000;

/** A certificate that expires within this time is reported at the start. */
const EXPIRES_SOON_MS = 30 * 24 * 3_600_000;

export interface CredentialsEnvironment {
  /** The name of the certificate in metrics and in the log. */
  readonly certificate: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class WatchedCredentials {
  readonly #files: CredentialFiles;
  readonly #strength: TlsStrength;
  readonly #environment: CredentialsEnvironment;
  #current: Credentials;
  #check: (credentials: Credentials) => void = () => undefined;
  /** The state of the files when they were last read, and when they were last looked at. */
  #read: string;
  #seen: string;

  /** Reads the files. Throws CONFIG_INVALID with the key, the file and the fault. */
  constructor(files: CredentialFiles, strength: TlsStrength, environment: CredentialsEnvironment) {
    this.#files = files;
    this.#strength = strength;
    this.#environment = environment;
    this.#read = this.#state();
    this.#seen = this.#read;
    this.#current = readCredentials(files, strength, environment.clock.nowMs());
    this.#inForce("a certificate is in force");
  }

  /** Takes only credentials that pass `check`, beginning with the ones in force. Throws what it throws. */
  require(check: (credentials: Credentials) => void): void {
    check(this.#current);
    this.#check = check;
  }

  get current(): Credentials {
    return this.#current;
  }

  /** Reads the files if they have changed since they were read last, and have stood still since the last look. */
  look(): void {
    const state = this.#state();
    if (state !== this.#read && state === this.#seen) this.reload();
    this.#seen = state;
  }

  /** Reads the files. If they can't be used, the credentials in force stay. */
  reload(): void {
    const { certificate, clock, log, metrics } = this.#environment;
    this.#read = this.#state();
    try {
      const read = readCredentials(this.#files, this.#strength, clock.nowMs());
      this.#check(read);
      this.#current = read;
    } catch (error) {
      metrics.add("roster_tls_reloads_total", 1, { certificate, outcome: "failed" });
      const reason = error instanceof Error ? error.message : String(error);
      log.error("changed certificate files can't be used; the old ones stay in force", { certificate, reason });
      return;
    }
    metrics.add("roster_tls_reloads_total", 1, { certificate, outcome: "ok" });
    this.#inForce("a new certificate is in force");
  }

  #inForce(event: string): void {
    const { certificate, clock, log, metrics } = this.#environment;
    const { expiresMs, names, subject } = this.#current;
    metrics.set("roster_tls_certificate_expiry_timestamp_seconds", expiresMs / 1_000, { certificate });
    const fields = { certificate, subject, names: names.join(", "), expires: new Date(expiresMs).toISOString() };
    log.info(event, fields);
    if (expiresMs - clock.nowMs() < EXPIRES_SOON_MS) log.warn("a certificate expires within 30 days", fields);
  }

  /** Differs whenever a file was changed or replaced; links are followed. */
  #state(): string {
    const { cert, key, ca } = this.#files;
    return [cert, key, ...(ca === undefined ? [] : [ca])].map(({ file }) => stateOf(file)).join(" ");
  }
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "missing" : `${stats.ino}/${stats.size}/${stats.mtimeNs}`;
}
