// The conditions of one policy, arranged to be asked for each registration.

import { AddressBlocks, isBlock } from "../model/addressBlock.ts";
import type { Policy, ValueKey } from "./policy.ts";
import type { Principal } from "./principal.ts";

/** The conditions of one policy. */
export class PolicyMatcher {
  readonly name: string;
  readonly #policy: Policy;
  readonly #names: ReadonlySet<string> | undefined;
  readonly #hosts: ReadonlySet<string>;
  readonly #blocks: AddressBlocks;

  constructor(policy: Policy) {
    const { names, addresses = [] } = policy.subjects;
    this.name = policy.name;
    this.#policy = policy;
    this.#names = names && new Set(names);
    this.#hosts = new Set(addresses.filter((address) => !isBlock(address)));
    this.#blocks = new AddressBlocks(addresses.filter(isBlock));
  }

  /** `about`: the parts of a service, or a value; undefined for operations. */
  matches(principal: Principal, about: ValueKey | undefined): boolean {
    return this.#isSubject(principal) && (about === undefined || this.#isAbout(about));
  }

  /** The part of all services and values that it is about, for this principal. */
  reach(principal: Principal): "all" | "some" | "none" {
    if (!this.#isSubject(principal)) return "none";
    const isForSome = Object.values(this.#policy.services).some((condition) => condition !== undefined);
    return isForSome ? "some" : "all";
  }

  #isSubject({ name, kind, roles, from, loginOf = name }: Principal): boolean {
    const { subjects } = this.#policy;
    return (
      (this.#names === undefined || this.#names.has(name) || this.#names.has(loginOf)) &&
      subjects.kinds?.includes(kind) !== false &&
      subjects.roles?.some((role) => roles.includes(role)) !== false &&
      (subjects.addresses === undefined || this.#hosts.has(from) || this.#blocks.has(from))
    );
  }

  #isAbout({ name, namespace, group }: ValueKey): boolean {
    const { namespaces, groups, namePrefixes } = this.#policy.services;
    return (
      namespaces?.includes(namespace) !== false &&
      groups?.includes(group) !== false &&
      namePrefixes?.some((prefix) => name.startsWith(prefix)) !== false
    );
  }
}
