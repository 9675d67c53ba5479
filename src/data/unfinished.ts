// Everything that a data node still waits for, or keeps only for a while. None of it is left soon after the last
// change, once all nodes are well: anything left waits for an event that will not come, or was forgotten.

import type { RuleView } from "../cluster/ruleView.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { RestartHold } from "./restartHold.ts";
import type { Sessions } from "./sessions.ts";
import type { SharedMemory } from "./slotContents.ts";
import type { FollowedSlot, Slots } from "./slots.ts";

/** The parts of a data node that may wait for something. */
export interface DataParts {
  readonly slots: Slots;
  readonly sessions: Sessions;
  readonly hold: RestartHold;
  readonly memory: SharedMemory;
  readonly rules: RuleView;
  /** The time at which the next remains of a session end. */
  readonly departuresMs: number;
  /** The sessions that watch the catalogue. */
  readonly watchers: Iterable<string>;
  /** The sessions that wait for the registrations at an address. */
  readonly addressAskers: Iterable<string>;
  /** The sessions that wait for answers of other sessions to a survey. */
  readonly surveyAskers: Iterable<string>;
}

/** Everything that a data node waits for, in words; nothing of it is left once all nodes are well. */
export function* unfinished(parts: DataParts): Generator<string> {
  const { slots, sessions, hold, departuresMs, watchers, addressAskers, surveyAskers } = parts;
  if (departuresMs < Number.POSITIVE_INFINITY) yield "something that sessions left behind is kept for a while";
  const known = new Set<string>(sessions.known());
  for (const session of watchers) if (!known.has(session)) yield `${session}, which is gone, is told of the catalogue`;
  for (const session of addressAskers) yield `${session} waits for the registrations at an address`;
  for (const session of surveyAskers) yield `${session} waits for other sessions' answers to a survey`;
  for (const slot of slots.led()) {
    if (hold.heldIn(slot.contents.slot) > 0) yield `services of slot ${slot.contents.slot} are held back`;
    yield* ofLed(slot, known);
  }
  for (const slot of slots.followed()) yield* ofFollowed(slot);
}

/** Remains after the last client has gone and the last removal is forgotten: there should be none. */
export function* leftovers({ slots, memory }: DataParts): Generator<string> {
  const { datums, publications, tombstones } = memory;
  const counts = { services: datums, "services with publications": publications.services, removals: tombstones.size };
  for (const [what, count] of Object.entries(counts)) if (count !== 0) yield `${count} ${what} are remembered`;
  for (const kept of [...slots.led(), ...slots.followed()]) {
    const { slot, publishers } = kept.contents;
    if (publishers !== 0) yield `slot ${slot} counts ${publishers} publishers`;
    for (const session of kept.contents.owners()) yield `${session} answers for something in slot ${slot}`;
  }
}

function* ofLed({ contents, isServing, wanted }: LedSlot, known: ReadonlySet<string>): Generator<string> {
  if (!isServing) yield `slot ${contents.slot} is led and not served`;
  for (const session of wanted.keys()) yield `slot ${contents.slot} wants something of ${session}`;
  for (const { serviceKey, interest } of contents.datums.values()) {
    for (const [session] of interest.waiting()) yield `${session} waits for the list of ${serviceKey}`;
    for (const session of interest.sessions()) {
      if (!known.has(session)) yield `${session}, which is gone, is told of ${serviceKey}`;
    }
  }
}

function* ofFollowed({ contents, isInSync, isAsking }: FollowedSlot): Generator<string> {
  if (isAsking) yield `the copy of slot ${contents.slot} is on its way`;
  else if (!isInSync) yield `slot ${contents.slot} is followed and not in sync`;
}
