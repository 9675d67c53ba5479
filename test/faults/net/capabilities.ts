// The abilities of this machine for the suite. A missing necessary one ends it; one that only the kernel lacks is left
// out and reported.

import { missingEtcd } from "../../store/etcd.ts";
import { missingPostgres } from "../../store/postgres.ts";
import { tryCommand } from "./command.ts";
import { runPrefix } from "./leftovers.ts";

export interface Capabilities {
  /** Why nothing can be run; empty if everything that is needed is there. */
  readonly missing: readonly string[];
  /** Why `tc netem` can't be used; undefined if it can. */
  readonly netemMissing: string | undefined;
}

const PACKAGES = "Debian: apt-get install -y --no-install-recommends iproute2 nftables postgresql etcd-server";

/** Looks, and tries in a namespace of its own, which is gone afterwards. */
export async function findCapabilities(): Promise<Capabilities> {
  const missing = await missingPrograms();
  if (missing.length > 0) return { missing, netemMissing: undefined };
  const probe = `${runPrefix(process.pid)}probe`;
  const inside = (...command: string[]) => tryCommand(["nsenter", `--net=/run/netns/${probe}`, "--", ...command]);
  try {
    const made = await tryCommand(["ip", "netns", "add", probe]);
    if (!made.isOk) return { missing: [`network namespaces (${made.output.trim()})`], netemMissing: undefined };
    const bridge = await tryCommand(["ip", "-n", probe, "link", "add", "br0", "type", "bridge"]);
    const veth = await tryCommand(["ip", "-n", probe, "link", "add", "v0", "type", "veth", "peer", "name", "v1"]);
    const filter = await inside(
      "nft",
      "table inet t { chain c { type filter hook input priority -300; numgen random mod 100 < 5 drop; }; }",
    );
    const failed = [
      { what: "a bridge", ...bridge },
      { what: "veth pairs", ...veth },
      { what: "nftables with numgen", ...filter },
    ].filter(({ isOk }) => !isOk);
    const netem = await inside("tc", "qdisc", "add", "dev", "v0", "root", "netem", "delay", "1ms");
    return {
      missing: failed.map(({ what, output }) => `${what} (${output.trim()})`),
      netemMissing: netem.isOk
        ? undefined
        : `this kernel has no netem ("${netem.output.trim().replace(/^Error: |\.$/g, "")}")`,
    };
  } finally {
    await tryCommand(["ip", "netns", "del", probe]);
  }
}

async function missingPrograms(): Promise<string[]> {
  if (process.platform !== "linux") return ["Linux"];
  if (process.getuid?.() !== 0) return ["root, to make network namespaces"];
  const missing: string[] = [];
  const programs = [
    ["ip", "-V"],
    ["nft", "--version"],
    ["tc", "-V"],
    ["nsenter", "--version"],
  ];
  for (const command of programs) {
    if (!(await tryCommand(command)).isOk) missing.push(`${command[0]} (${PACKAGES})`);
  }
  for (const store of [missingPostgres(), missingEtcd()])
    if (store !== undefined) missing.push(`${store}; ${PACKAGES}`);
  return missing;
}
