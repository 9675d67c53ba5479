// Everything that a meta node keeps for members that are gone: there should be none.

import type { Configs } from "./configs.ts";
import type { Membership } from "./membership.ts";
import type { SlotKeeper } from "./slotKeeper.ts";

/** The parts of a meta node that keep something for members. */
export interface MetaParts {
  readonly configs: Configs;
  readonly membership: Membership;
  readonly slots: SlotKeeper;
}

/** Everything kept for members that are gone, in words. */
export function* unfinished({ configs, membership, slots }: MetaParts): Generator<string> {
  for (const { member } of configs.watchers()) {
    if (!membership.isKnown(member)) yield `${member.id}, which is gone, is told of values`;
  }
  for (const id of slots.reporters()) {
    if (!membership.isKnown({ id, role: "data" })) yield `${id}, which is gone, has reports`;
  }
}

/** The same when no client is left. */
export function* leftovers({ configs }: MetaParts): Generator<string> {
  for (const { member } of configs.watchers()) yield `${member.id} watches values for nobody`;
}
