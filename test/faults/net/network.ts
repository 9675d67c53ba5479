// A network of the suite's own: one namespace for each host, all on one bridge, which lives in a namespace too. Nothing
// of it is visible outside, and nothing outside can be reached from it.

import { runCommand, tryCommand } from "./command.ts";
import { type NetworkFault, rulesetOf } from "./rules.ts";

export interface NetworkOptions {
  /** Begins the names of all namespaces. */
  readonly prefix: string;
  /** The third number of all addresses: 10.231.`subnet`.x. */
  readonly subnet: number;
  readonly hosts: readonly string[];
}

const NETNS_DIR = "/run/netns";
// Above the loopback-like .1 and below the broadcast .255.
const FIRST_HOST = 11;

export class Network {
  readonly addresses: ReadonlyMap<string, string>;
  readonly #prefix: string;
  #faults: readonly NetworkFault[] = [];
  // Rules are set one after the other, in the order in which they were asked for.
  #applying: Promise<void> = Promise.resolve();
  #dirty = new Set<string>();

  private constructor({ prefix, subnet, hosts }: NetworkOptions) {
    this.#prefix = prefix;
    this.addresses = new Map(hosts.map((host, at) => [host, `10.231.${subnet}.${FIRST_HOST + at}`]));
  }

  /** A network that another process has made. */
  static existing(options: NetworkOptions): Network {
    return new Network(options);
  }

  static async create(options: NetworkOptions): Promise<Network> {
    const network = new Network(options);
    await network.#build();
    return network;
  }

  get hosts(): readonly string[] {
    return [...this.addresses.keys()];
  }

  address(host: string): string {
    const address = this.addresses.get(host);
    if (address === undefined) throw new Error(`there is no host ${host} in this network`);
    return address;
  }

  /** A command as it runs on that host; the process is the command's own, so its id can be signalled. */
  on(host: string, command: readonly string[]): readonly string[] {
    return ["nsenter", `--net=${NETNS_DIR}/${this.#namespace(host)}`, "--", ...command];
  }

  /** Nothing passes between these two groups. */
  cut(some: readonly string[], others: readonly string[]): Promise<void> {
    const pairs = some.flatMap((a) => others.filter((b) => b !== a).map((b) => [a, b] as const));
    return this.add(...pairs.flatMap(([a, b]) => [drop(a, b), drop(b, a)]));
  }

  /** Packets from `from` do not arrive at `to`; the other direction is whole. */
  cutOneWay(from: readonly string[], to: readonly string[]): Promise<void> {
    return this.add(...from.flatMap((a) => to.filter((b) => b !== a).map((b) => drop(a, b))));
  }

  add(...faults: readonly NetworkFault[]): Promise<void> {
    this.#faults = [...this.#faults, ...faults];
    return this.#apply(faults);
  }

  /** The network is whole again. */
  heal(): Promise<void> {
    const gone = this.#faults;
    this.#faults = [];
    return this.#apply(gone);
  }

  /** Adds delay and loss with `tc netem` to all that these hosts send. Rejects where the kernel has none. */
  async netem(hosts: readonly string[], setting: readonly string[]): Promise<void> {
    for (const host of hosts) {
      await runCommand(this.on(host, ["tc", "qdisc", "replace", "dev", "eth0", "root", "netem", ...setting]));
    }
  }

  async clearNetem(hosts: readonly string[]): Promise<void> {
    for (const host of hosts) await tryCommand(this.on(host, ["tc", "qdisc", "del", "dev", "eth0", "root"]));
  }

  #namespace(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  async #apply(changed: readonly NetworkFault[]): Promise<void> {
    for (const { to } of changed) this.#dirty.add(to);
    const before = this.#applying;
    const done = (async () => {
      await before;
      const hosts = [...this.#dirty];
      this.#dirty.clear();
      await Promise.all(
        hosts.map((host) =>
          runCommand(this.on(host, ["nft", "-f", "-"]), rulesetOf(host, this.#faults, this.addresses)),
        ),
      );
    })();
    // A failure is thrown to the caller that asked for this change, not to the next one.
    this.#applying = done.catch(() => undefined);
    await done;
  }

  async #build(): Promise<void> {
    const hub = this.#namespace("hub");
    await runCommand(["ip", "netns", "add", hub]);
    await runCommand(["ip", "-n", hub, "-batch", "-"], "link add br0 type bridge\nlink set br0 up\n");
    for (const [host, address] of this.addresses) {
      const own = this.#namespace(host);
      await runCommand(["ip", "netns", "add", own]);
      // Interface names have 15 characters at most; the last number of the address is as good as the host's name.
      const port = `p${address.split(".").at(-1)}`;
      await runCommand(
        ["ip", "-n", hub, "-batch", "-"],
        `link add ${port} type veth peer name eth0 netns ${own}\nlink set ${port} master br0 up\n`,
      );
      await runCommand(
        ["ip", "-n", own, "-batch", "-"],
        `link set lo up\naddr add ${address}/24 dev eth0\nlink set eth0 up\n`,
      );
    }
  }
}

function drop(from: string, to: string): NetworkFault {
  return { kind: "drop", from, to };
}
