// Processes that do not know the cluster's secret and try to be nodes of it, all the time: with the code of real nodes,
// one without a secret, one with a wrong one, and one under the id of a node that runs. They dial every meta node and
// every data node. Nothing that they hear may ever reach a role of theirs.

import { noMetrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import { LINK_TIMES } from "../../cluster/links/link.ts";
import { NodeNetwork } from "../../cluster/links/nodeNetwork.ts";
import type { MemberAddress } from "../../cluster/messages/membership.ts";
import { addressOf } from "../network/machineNetwork.ts";
import type { NodeEnvironment } from "./simNode.ts";
import { emptyDisk, SimProcess } from "./simProcess.ts";
import { simSecret } from "./simSecret.ts";

const WRONG = "what the strangers take for the secret";
// They learn of new runs of the data nodes this often.
const LOOK_MS = 2_000;

interface Stranger {
  /** Its own name, or that of the node that it claims to be. */
  readonly name: string;
  readonly secret: string | undefined;
}

export class Strangers {
  readonly #environment: NodeEnvironment;
  readonly #dataNodes: () => readonly MemberAddress[];
  readonly #claimed: string;

  /** `claimed` is the name of a node whose first run one of them claims to be. */
  constructor(environment: NodeEnvironment, claimed: string, dataNodes: () => readonly MemberAddress[]) {
    this.#environment = environment;
    this.#dataNodes = dataNodes;
    this.#claimed = claimed;
  }

  start(): void {
    const strangers: readonly Stranger[] = [
      { name: "x1", secret: undefined },
      { name: "x2", secret: WRONG },
      { name: this.#claimed, secret: undefined },
      { name: this.#claimed, secret: WRONG },
    ];
    for (const [at, stranger] of strangers.entries()) this.#start(`x${at + 1}`, stranger);
  }

  #start(machine: string, { name, secret }: Stranger): void {
    const { scheduler, network, dice, record, metaAddresses, clusterName, plan } = this.#environment;
    const clock = { offsetMs: 0, drift: 0 };
    const process = new SimProcess(scheduler, { machine, disk: emptyDisk(name), run: 1, clock });
    const links = new NodeNetwork(
      {
        id: process.id,
        clusterName,
        slotCount: plan.meta.slotCount,
        address: addressOf(machine),
        roles: ["data", "session"],
        metaAddresses,
      },
      {
        ...process.time,
        local: process.local,
        times: LINK_TIMES,
        random: dice.fork(),
        metrics: noMetrics,
        log: SILENT,
        failed: (error) => record({ kind: "bug", where: machine, what: String(error) }),
        dial: (address, outcome) => network.dial(process, address, outcome),
        ...(secret !== undefined && { secret: simSecret(secret) }),
      },
    );
    const heard = ({ kind }: { readonly kind: string }) => record({ kind: "strangerHeard", machine, what: kind });
    links.attach({ data: heard, session: heard });
    links.begin();
    const dialData = () => {
      const others = this.#dataNodes().filter(({ id }) => id !== process.id);
      links.sessionOutput.linkData(others);
      links.dataOutput.linkLeaders(others);
      scheduler.after(LOOK_MS, dialData);
    };
    dialData();
  }
}

const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
