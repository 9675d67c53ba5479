// No node goes back: the slot table and the membership that a node reports to use only become newer.

import { compareMembers, type Heartbeat } from "../../cluster/messages/membership.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";

export class Epochs implements Checker {
  readonly #heartbeats = new Map<string, Heartbeat>();
  readonly #tables = new Map<string, bigint>();

  see(fact: Fact): Finding | undefined {
    if (fact.kind === "asked" && "epoch" in fact.message)
      return this.#table(`session ${fact.from}`, fact.message.epoch);
    if (fact.kind !== "heartbeat") return undefined;
    const { message, from } = fact;
    const key = `${message.role} ${from}`;
    const before = this.#heartbeats.get(key);
    this.#heartbeats.set(key, message);
    if (before !== undefined && compareMembers(message.members, before.members) < 0) {
      const [now, then] = [message.members, before.members].map(({ epoch, serial }) => `${epoch}/${serial}`);
      return back(`${key} goes by members ${now} after ${then}`);
    }
    return this.#table(key, message.tableEpoch);
  }

  #table(key: string, epoch: bigint): Finding | undefined {
    const before = this.#tables.get(key) ?? 0n;
    this.#tables.set(key, epoch);
    return epoch < before ? back(`${key} goes by table ${epoch} after ${before}`) : undefined;
  }
}

function back(text: string): Finding {
  return { rule: "epochs: nobody goes back", service: undefined, text };
}
