// The addresses of a rule, as operators take them out again: of a list, or of a block with more than they name.

import { AddressBlocks, isBlock } from "./addressBlock.ts";
import type { RuleMatch } from "./rule.ts";

/** Conditions from which addresses were taken out. */
export interface TakenOut {
  /** The conditions without them; undefined if the rule names no address any more. */
  readonly match: RuleMatch | undefined;
  /** The addresses and blocks that the rule no longer names. */
  readonly removed: readonly string[];
  /** The addresses and blocks that are exceptions now, since the rule names blocks around them, or no addresses. */
  readonly excepted: readonly string[];
}

/**
 * Conditions that hold for none of the taken addresses and blocks, and for all others as before. `same`: they hold for
 * none of them already. For a rule without blocks it takes as long as the rule has addresses, however many are taken.
 */
export function withoutAddresses(match: RuleMatch, taken: AddressList): TakenOut | "same" {
  const { addresses, exceptAddresses = [] } = match;
  const kept = addresses?.filter((address) => !taken.contains(address));
  const removed = addresses?.filter((address) => taken.contains(address)) ?? [];
  if (kept?.length === 0) return { match: undefined, removed, excepted: [] };
  const named = kept && new AddressList(kept);
  const excepted = exceptionsFor(taken, { named, already: new AddressList(exceptAddresses) });
  if (removed.length === 0 && excepted.length === 0) return "same";
  const exceptions = new AddressList(excepted);
  // An exception has no meaning outside of what the rule names, nor within a larger exception.
  const earlier = exceptAddresses.filter(
    (address) => named?.touches(address) !== false && !exceptions.contains(address),
  );
  const { addresses: _, exceptAddresses: __, ...others } = match;
  const left = [...earlier, ...excepted];
  const rest = { ...others, ...(kept && { addresses: kept }), ...(left.length > 0 && { exceptAddresses: left }) };
  return { match: rest, removed, excepted };
}

interface Named {
  /** The addresses that the rule keeps; undefined: it is for all. */
  readonly named: AddressList | undefined;
  readonly already: AddressList;
}

/** The addresses that are taken out of a block, or of a rule for all. */
function exceptionsFor(taken: AddressList, { named, already }: Named): readonly string[] {
  if (named?.hasBlocks === false) return [];
  return [...taken.all].filter((address) => named?.contains(address) !== false && !already.contains(address));
}

/** Addresses and blocks (`readAddressOrBlock`), asked whether another one is within them. */
export class AddressList {
  readonly all: ReadonlySet<string>;
  readonly hasBlocks: boolean;
  readonly #blocks: AddressBlocks;

  constructor(addresses: Iterable<string>) {
    this.all = new Set(addresses);
    const blocks = [...this.all].filter(isBlock);
    this.hasBlocks = blocks.length > 0;
    this.#blocks = new AddressBlocks(blocks);
  }

  /** Whether the address, or every address of the block, is one of these. */
  contains(address: string): boolean {
    return this.all.has(address) || (this.hasBlocks && this.#blocks.contains(address));
  }

  /** Whether the address, or some address of the block, is one of these. */
  touches(address: string): boolean {
    if (this.contains(address)) return true;
    if (!isBlock(address)) return false;
    const block = new AddressBlocks([address]);
    return [...this.all].some((each) => block.contains(each));
  }
}
