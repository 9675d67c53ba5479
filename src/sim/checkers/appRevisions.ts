// Application-level discovery: no session shows an instance before the content of its revision has reached it, and it
// can say the content to the client that was shown the instance; a revision never has another content; and what was
// registered is found at every session, and listed for its services, when all is well again.

import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";
import { KnownRevisions } from "./knownRevisions.ts";

type Of<Kind extends Fact["kind"]> = Extract<Fact, { kind: Kind }>;

export class AppRevisionChecker implements Checker {
  readonly #revisions = new KnownRevisions();
  readonly #registered = new Map<string, Of<"revisionRegistered">>();
  readonly #contents = new Map<string, string>();
  /** The store has lost commits: what was registered may be gone. */
  #isForgetful = false;

  see(fact: Fact, nowMs: number): Finding | undefined {
    this.#revisions.see(fact, nowMs);
    switch (fact.kind) {
      case "revisionRegistered":
        this.#registered.set(fact.revision, fact);
        return undefined;
      case "failedOver":
        this.#isForgetful = true;
        return undefined;
      case "pushed":
        return this.#pushed(fact);
      case "revisionTold":
        return this.#told(fact);
      case "serviceAppsTold":
        return this.#appsTold(fact);
      default:
        return undefined;
    }
  }

  #pushed({ session, client, service, version, entries }: Of<"pushed">): Finding | undefined {
    for (const entry of entries) {
      const revision = this.#revisions.named(entry);
      const isReadable = revision !== undefined && Number.isFinite(this.#revisions.readableSinceMs(session, revision));
      if (revision === undefined || isReadable) continue;
      const text = `${session} showed ${client} ${entry} in v${version}, and did not have its revision ${revision}`;
      return { rule: "app: no instance before its revision", service, text };
    }
    return undefined;
  }

  #told({ node, revision, content, isShown, error }: Of<"revisionTold">): Finding | undefined {
    if (content === undefined) {
      const mayMiss = !isShown && (this.#isForgetful || !this.#registered.has(revision));
      if (mayMiss) return undefined;
      const why = error?.message ?? "the store does not have it";
      const text = `${node} ${isShown ? "has shown an instance of" : "does not find"} ${revision}: ${why}`;
      return { rule: "app: no instance before its revision", service: undefined, text };
    }
    const before = this.#contents.get(revision) ?? content;
    this.#contents.set(revision, before);
    if (before === content) return undefined;
    const text = `${revision} was "${before}", and ${node} has "${content}"`;
    return { rule: "app: no instance before its revision", service: undefined, text };
  }

  #appsTold({ node, name, applications, isLast, error }: Of<"serviceAppsTold">): Finding | undefined {
    if (!isLast || this.#isForgetful) return undefined;
    for (const { application, services, revision } of this.#registered.values()) {
      if (!services.includes(name) || applications.includes(application)) continue;
      const told = error?.message ?? applications.join(" ");
      const text = `${application} offers ${name} in ${revision}, and ${node} names ${told}`;
      return { rule: "app: no instance before its revision", service: undefined, text };
    }
    return undefined;
  }
}
