// The bodies that Eureka's clients ask for again and again: all applications, and their changes. Each is made once for
// a change, at the first question after it, and then shared by all answers, as is its compressed form. The part of an
// application is made anew only if the application has changed.

import type { Compression } from "../../base/ports.ts";
import { type Application, type Applications, instancesIn, type Sees } from "./applications.ts";
import { applicationPart, applicationsFrame, type Form } from "./codec/documents.ts";
import type { EurekaInstance } from "./codec/instance.ts";

/** A body with its compressed form, if that was asked for. */
interface Body {
  /** The version of the applications that it shows. */
  readonly version: number;
  readonly bytes: Uint8Array;
  gzipped: Uint8Array | undefined;
}

interface Part {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** The parts of applications in one form, and the bodies made of them. */
interface Made {
  readonly parts: Map<string, Part>;
  all: Body | undefined;
  changes: Body | undefined;
  askedMs: number;
}

// Clients ask every 30 s. A form that no client asks for any more takes no memory.
const KEPT_MS = 120_000;
/** The client compares the hash of what it has with this one, which none equals, and fetches everything. */
const HASH_OF_NOTHING = "CHANGES_FORGOTTEN_";

const ENCODER = new TextEncoder();

export class Bodies {
  readonly #applications: Applications;
  readonly #compression: Pick<Compression, "gzip">;
  readonly #made = new Map<string, Made>();

  constructor(applications: Applications, compression: Pick<Compression, "gzip">) {
    this.#applications = applications;
    this.#compression = compression;
  }

  /** The document of all applications. */
  all(form: Form, { isGzip, nowMs }: { readonly isGzip: boolean; readonly nowMs: number }): Uint8Array {
    const made = this.#madeIn(form, nowMs);
    const { version } = this.#applications;
    if (made.all?.version !== version) made.all = { version, bytes: this.#allOf(made, form), gzipped: undefined };
    return this.#sent(made.all, isGzip);
  }

  /** The document of the changes of the last three minutes. */
  changes(form: Form, { isGzip, nowMs }: { readonly isGzip: boolean; readonly nowMs: number }): Uint8Array {
    const made = this.#madeIn(form, nowMs);
    this.#applications.tidy(nowMs);
    const { version } = this.#applications;
    if (made.changes?.version !== version) {
      made.changes = { version, bytes: this.#changesOf(form, nowMs), gzipped: undefined };
    }
    return this.#sent(made.changes, isGzip);
  }

  /** Forgets forms that were not asked for of late. */
  tidy(nowMs: number): void {
    for (const [form, { askedMs }] of this.#made) if (nowMs >= askedMs + KEPT_MS) this.#made.delete(form);
  }

  #madeIn({ kind, isCompact }: Form, nowMs: number): Made {
    const name = `${kind} ${isCompact}`;
    const made = this.#made.get(name) ?? { parts: new Map(), all: undefined, changes: undefined, askedMs: nowMs };
    made.askedMs = nowMs;
    this.#made.set(name, made);
    return made;
  }

  #sent(body: Body, isGzip: boolean): Uint8Array {
    if (!isGzip) return body.bytes;
    body.gzipped ??= this.#compression.gzip(body.bytes);
    return body.gzipped;
  }

  #allOf({ parts }: Made, form: Form): Uint8Array {
    const wanted: Uint8Array[] = [];
    const names = new Set<string>();
    for (const application of this.#applications.all()) {
      names.add(application.name);
      wanted.push(partOf(parts, application, form));
    }
    for (const name of parts.keys()) if (!names.has(name)) parts.delete(name);
    return this.#joined(wanted, form, this.#applications.hashCode);
  }

  #changesOf(form: Form, nowMs: number): Uint8Array {
    const changes = this.#applications.changes(nowMs);
    if (changes === undefined) return this.#joined([], form, HASH_OF_NOTHING);
    const parts = Array.from(changes, ([name, instances]) => ENCODER.encode(applicationPart(name, instances, form)));
    return this.#joined(parts, form, this.#applications.hashCode);
  }

  #joined(parts: readonly Uint8Array[], form: Form, hashCode: string): Uint8Array {
    const frame = applicationsFrame({ versionsDelta: String(this.#applications.version), hashCode }, form);
    const between = ENCODER.encode(frame.between);
    const pieces = parts.flatMap((part, at) => (at === 0 ? [part] : [between, part]));
    return concatenated([ENCODER.encode(frame.begin), ...pieces, ENCODER.encode(frame.end)]);
  }
}

type Found = ReadonlyMap<string, readonly EurekaInstance[]>;

/** A document of some applications, for an answer of its own. */
export function documentOf(found: Found, form: Form, { versionsDelta = "-1", hashCode = hashOf(found) } = {}): string {
  const frame = applicationsFrame({ versionsDelta, hashCode }, form);
  const parts = Array.from(found, ([name, instances]) => applicationPart(name, instances, form));
  return frame.begin + parts.join(frame.between) + frame.end;
}

/** The body for a caller who may not see every service. Its hash is that of what the caller sees. */
export function partialBody(
  which: "all" | "changes",
  applications: Applications,
  { sees, form, nowMs }: { readonly sees: Sees; readonly form: Form; readonly nowMs: number },
): string {
  const seen = applications.seen(sees);
  if (which === "all") return documentOf(seen, form, { versionsDelta: String(applications.version) });
  applications.tidy(nowMs);
  const versionsDelta = String(applications.version);
  const changes = applications.changes(nowMs, sees);
  if (changes === undefined) return documentOf(new Map(), form, { versionsDelta, hashCode: HASH_OF_NOTHING });
  return documentOf(changes, form, { versionsDelta, hashCode: hashOf(seen) });
}

function hashOf(found: Found): string {
  const counts = new Map<string, number>();
  for (const { status } of [...found.values()].flat()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([status, count]) => `${status}_${count}_`)
    .join("");
}

function partOf(parts: Map<string, Part>, application: Application, form: Form): Uint8Array {
  const { name, version } = application;
  const known = parts.get(name);
  if (known?.version === version) return known.bytes;
  const bytes = ENCODER.encode(applicationPart(name, instancesIn(application), form));
  parts.set(name, { version, bytes });
  return bytes;
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
