// The part of the catalogue that a caller may see: the services that it may list, and the nodes and checks that go with
// them. The rest is left out of answers as if it were not there.

import { RegistryError } from "../../../base/errors.ts";
import type { Caller } from "../../kit/judgedRoutes.ts";
import { CONSUL_SERVICE, type NodeWithServices, SERF_HEALTH } from "../catalogue.ts";
import { nodeKeyOf, serviceKeyOf } from "../own.ts";
import type { ShownCheck, ShownNode, ShownService } from "../words.ts";

export class Sight {
  readonly #caller: Pick<Caller, "mayDo"> | undefined;

  /** `undefined` sees nothing at all: the part of a peer, of which there are none. */
  constructor(caller: Pick<Caller, "mayDo"> | undefined) {
    this.#caller = caller;
  }

  /** Whether services of this name may be seen. The registry itself is no secret. */
  serviceNamed(name: string): boolean {
    if (this.#caller === undefined) return false;
    if (name === CONSUL_SERVICE) return true;
    try {
      return this.#caller.mayDo({ action: "list", about: serviceKeyOf(name) });
    } catch (error) {
      // No service has such a name.
      if (error instanceof RegistryError) return false;
      throw error;
    }
  }

  readonly service = ({ definition }: Pick<ShownService, "definition">): boolean => this.serviceNamed(definition.name);

  /** A node is hidden with the last of its services, as in DNS. One without services is judged by itself. */
  readonly node = ({ node, services }: NodeWithServices): boolean =>
    services.length === 0 ? this.checksOfNode(node.name) : services.some(this.service);

  /** Whether the checks that a node has of its own may be seen in lists of checks. */
  checksOfNode(name: string): boolean {
    return this.#caller?.mayDo({ action: "list", about: nodeKeyOf(name).serviceKey }) ?? false;
  }

  /** The checks of a node that may be seen. The check of the agent itself says nothing of its clients. */
  checksOf({ name, checks }: Pick<ShownNode, "name" | "checks">): readonly ShownCheck[] {
    return checks.filter(({ id }) => id === SERF_HEALTH || this.checksOfNode(name));
  }
}
