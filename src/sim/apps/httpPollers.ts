// Programs that ask by HTTP what there is. Eureka's ask as its clients do, for all applications once and then for their
// changes, which they apply to what they have; and for all in the same breath, which must be the same. When all is
// well, the lists of each session are asked for through every protocol, again and again.

import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import { HTTP_PROTOCOLS, HTTP_SERVICES, httpServiceKey } from "../httpServices.ts";
import { HEAL_MS, httpCalm } from "../patience.ts";
import { applicationsIn, type ReadApplications, type ReadInstance, readRequest } from "./eurekaWords.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";
import { sessionsByHttp } from "./sessionsByHttp.ts";
import { HTTP_WORDS } from "./wordsByHttp.ts";

const POLLERS = 2;
const POLL_MS = 2_000;
const CALM_POLL_MS = 400;
const ADDRESS = "10.9.3.1";
const MOVE_CHANCE = 0.15;

/** A poller of Eureka. */
interface Poller {
  readonly name: string;
  node: SimNode | undefined;
  /** The process that has told it what it has; undefined: it has nothing. */
  process: string | undefined;
  /** By application and instance. */
  have: Map<string, ReadInstance>;
}

export class HttpPollers {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #pollers: readonly Poller[];
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
    const number = environment.plan.hasHttpClients === true ? POLLERS : 0;
    this.#pollers = Array.from({ length: number }, (_, at) => {
      return { name: `p${at + 1}`, node: undefined, process: undefined, have: new Map() };
    });
  }

  start(): void {
    const { plan, scheduler, dice } = this.#environment;
    const isOver = () => this.#isOver;
    for (const poller of this.#pollers) repeatAtRandom(this.#environment, POLL_MS, () => this.#poll(poller), isOver);
    if (this.#pollers.length === 0) return;
    scheduler.after(plan.trafficMs + HEAL_MS + httpCalm(plan).afterMs, () => {
      const nodes = () => sessionsByHttp(this.#cluster);
      const list = () => {
        if (nodes().length > 0) this.#list(dice.pick(nodes()));
      };
      repeatAtRandom(this.#environment, CALM_POLL_MS, list, isOver);
    });
  }

  /** Asks every session for every list. */
  last(): void {
    this.#isOver = true;
    if (this.#pollers.length === 0) return;
    for (const node of sessionsByHttp(this.#cluster)) this.#list(node);
  }

  #list({ process, session }: SimNode): void {
    const { record } = this.#environment;
    if (process === undefined) return;
    process.gate.message(() => {
      for (const protocol of HTTP_PROTOCOLS) {
        for (const name of HTTP_SERVICES) {
          const words = HTTP_WORDS[protocol];
          const service = httpServiceKey(name);
          const listed = { kind: "httpListed", node: process.id, protocol, service } as const;
          session?.gateways?.ask(words.list(name, ADDRESS), (answer) =>
            record({ ...listed, list: words.listIn(answer) }),
          );
        }
      }
    });
  }

  #poll(poller: Poller): void {
    const { dice } = this.#environment;
    const sessions = sessionsByHttp(this.#cluster);
    if (poller.node?.isListening !== true || dice.chance(MOVE_CHANCE)) {
      poller.node = sessions.length === 0 ? undefined : dice.pick(sessions);
    }
    const { process, session } = poller.node ?? {};
    const gateways = session?.gateways;
    if (process === undefined || gateways === undefined) return;
    process.gate.message(() => {
      // Both are answered at once if the lists are known: what is between two answers may be a change.
      const told: (ReadApplications | undefined)[] = [];
      for (const path of ["/delta", ""] as const) {
        gateways.ask(readRequest(path, ADDRESS), (answer) => void told.push(applicationsIn(answer)));
      }
      const [changes, all] = told;
      if (changes === undefined || all === undefined) return;
      if (poller.process !== undefined) {
        this.#apply(poller, changes);
        const kept = { kept: fingerprint(poller.have.values()), whole: fingerprint(all.instances) };
        const hashes = { told: changes.hash, wholeHash: all.hash, keptHash: hashOf(poller.have.values()) };
        const isOther = poller.process !== process.id;
        this.#environment.record({
          ...{ kind: "httpChanges", poller: poller.name, node: process.id, isOther },
          ...{ ...kept, ...hashes },
        });
      }
      poller.process = process.id;
      poller.have = new Map(all.instances.map((instance) => [keyOf(instance), instance]));
    });
  }

  /** As Netflix' client does. */
  #apply({ have }: Poller, changes: ReadApplications): void {
    for (const instance of changes.instances) {
      if (instance.actionType === "DELETED") have.delete(keyOf(instance));
      else have.set(keyOf(instance), instance);
    }
  }
}

function keyOf({ app, instanceId }: ReadInstance): string {
  return `${app}/${instanceId}`;
}

/** The number of instances of each status that there is, in alphabetical order. */
function hashOf(instances: Iterable<ReadInstance>): string {
  const byStatus = Map.groupBy(instances, ({ status }) => status);
  return [...byStatus.keys()]
    .sort()
    .map((status) => `${status}_${byStatus.get(status)?.length}_`)
    .join("");
}

function fingerprint(instances: Iterable<ReadInstance>): string {
  return [...instances]
    .map((one) => `${keyOf(one)} ${one.status} ${one.token}`)
    .sort()
    .join(", ");
}
