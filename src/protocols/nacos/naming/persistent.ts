// Persistent instances: registrations that stay until they are taken back. The registry keeps them
// (registry/persistent.ts); a service of Nacos has either these or ephemeral ones.

import type { Budget } from "../../../base/budget.ts";
import { fail, type RegistryError } from "../../../base/errors.ts";
import { clientId, type ServiceKey } from "../../../model/ids.ts";
import type { PersistentAnswer, PersistentRegistrations } from "../../../registry/persistent.ts";
import { NACOS, type NacosInstance, registIdOf, toInstance } from "./instance.ts";
import type { InstanceAddress } from "./leases.ts";
import { groupedName, serviceNameOf } from "./names.ts";

interface Parts {
  readonly persistent: Pick<PersistentRegistrations, "find" | "list" | "put" | "remove">;
  readonly budget: Pick<Budget, "open">;
  readonly zone: string;
  readonly nowMs: () => number;
}

/** The outcome of a request; called once. */
export type PersistentDone = (outcome: "done" | "unknown" | RegistryError) => void;

// Clients wait 3 to 5 s for an answer.
const ANSWER_MS = 2_500;

export class PersistentInstances {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether a service has persistent instances of Nacos' clients: those of other protocols change nothing for them. */
  isPersistent(serviceKey: ServiceKey): boolean {
    for (const { registration } of this.#parts.persistent.list(serviceKey)) {
      if (registration.instance.source === NACOS) return true;
    }
    return false;
  }

  /** The refusal of an ephemeral instance in a service with persistent ones, in the words of the real server. */
  ephemeralRefusal(serviceKey: ServiceKey): RegistryError | undefined {
    if (!this.isPersistent(serviceKey)) return undefined;
    const service = groupedName(serviceNameOf(serviceKey));
    const reason = `Current service ${service} is persistent service, can't register ephemeral instance.`;
    return fail("FIELD_INVALID", { field: "ephemeral", value: true, reason });
  }

  /** The instance, as it was put; undefined if it is not one of these. */
  find({ serviceKey, ...address }: InstanceAddress) {
    return this.#parts.persistent.find({ serviceKey, registId: registIdOf(address) })?.registration.instance;
  }

  put(
    { serviceKey, instance, from }: { readonly serviceKey: ServiceKey; readonly instance: NacosInstance; from: string },
    done: PersistentDone,
  ): void {
    const { persistent, zone } = this.#parts;
    const registration = {
      serviceKey,
      registId: registIdOf(instance),
      holder: clientId(`${instance.ip}:${instance.port}_nacos`),
      zone,
      appName: "",
      instance: toInstance({ ...instance, isEphemeral: false }),
      checks: [],
    };
    persistent.put({ registration, ...this.#request(from, done) });
  }

  remove({ serviceKey, ...address }: InstanceAddress, from: string, done: PersistentDone): void {
    this.#parts.persistent.remove({ key: { serviceKey, registId: registIdOf(address) }, ...this.#request(from, done) });
  }

  #request(from: string, done: PersistentDone) {
    const account = this.#parts.budget.open(from);
    return {
      account,
      untilMs: this.#parts.nowMs() + ANSWER_MS,
      done: (answer: PersistentAnswer) => {
        account.close();
        if (answer.kind === "failed") return done(answer.error);
        done(answer.kind === "unknown" ? "unknown" : "done");
      },
    };
  }
}
