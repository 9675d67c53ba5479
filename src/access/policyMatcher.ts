// The conditions of one policy, arranged to be asked for each registration.

import { AddressBlocks, isBlock } from "../model/addressBlock.ts";
import type { ServiceKeyParts } from "../model/serviceKey.ts";
import type { Policy } from "./policy.ts";
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

  matches(principal: Principal, service: ServiceKeyParts | undefined): boolean {
    return this.#isSubject(principal) && (service === undefined || this.#isService(service));
  }

  #isSubject({ name, kind, roles, from }: Principal): boolean {
    const { subjects } = this.#policy;
    return (
      this.#names?.has(name) !== false &&
      subjects.kinds?.includes(kind) !== false &&
      subjects.roles?.some((role) => roles.includes(role)) !== false &&
      (subjects.addresses === undefined || this.#hosts.has(from) || this.#blocks.has(from))
    );
  }

  #isService({ name, namespace, group }: ServiceKeyParts): boolean {
    const { namespaces, groups, namePrefixes } = this.#policy.services;
    return (
      namespaces?.includes(namespace) !== false &&
      groups?.includes(group) !== false &&
      namePrefixes?.some((prefix) => name.startsWith(prefix)) !== false
    );
  }
}
