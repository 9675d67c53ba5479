// The changes of entries that single requests and transactions make. Each works on a draft, and says whether it was
// made; `undefined` is that it was.

import { equalBytes } from "../../../base/bytes.ts";
import type { Draft } from "./draft.ts";
import type { Entry } from "./entries.ts";

/** The value that a change puts. */
export interface Given {
  readonly key: string;
  readonly value: Uint8Array;
  readonly flags: string;
}

/** The reason why a change is not made, in Consul's words. */
export type NotMade = string | undefined;

/** Puts a value; one that is there already changes nothing. */
export function set(draft: Draft, given: Given): NotMade {
  const known = draft.entry(given.key);
  write(draft, known, { ...given, session: known?.session ?? "", lockIndex: known?.lockIndex ?? 0 });
  return undefined;
}

/** Puts a value if the entry has this index; 0: if there is none. */
export function compareAndSet(draft: Draft, given: Given, index: bigint): NotMade {
  const known = draft.entry(given.key);
  if ((known?.modifyIndex ?? 0n) !== index) return `failed to set key "${given.key}", index is stale`;
  return set(draft, given);
}

/** Locks an entry for a session, and puts its value. `isDelayed`: the lock's last holder has ended just now. */
export function lock(
  draft: Draft,
  given: Given,
  { session, isDelayed }: { session: string; isDelayed: boolean },
): NotMade {
  if (session === "") return "missing session";
  if (draft.session(session) === undefined) return `invalid session "${session}"`;
  const known = draft.entry(given.key);
  const holder = known?.session ?? "";
  if (holder !== "" && holder !== session) return `failed to lock key "${given.key}", lock is already held`;
  if (holder === "" && isDelayed) return `failed to lock key "${given.key}" due to lock delay`;
  const lockIndex = (known?.lockIndex ?? 0) + (holder === session ? 0 : 1);
  write(draft, known, { ...given, session, lockIndex });
  return undefined;
}

/** Gives a lock back, and puts the value. */
export function unlock(draft: Draft, given: Given, session: string): NotMade {
  if (session === "") return "missing session";
  const known = draft.entry(given.key);
  if (known === undefined || known.session !== session)
    return `failed to unlock key "${given.key}", lock isn't held, or is held by another session`;
  write(draft, known, { ...given, session: "", lockIndex: known.lockIndex });
  return undefined;
}

/** Removes an entry if it has this index. */
export function compareAndDelete(draft: Draft, key: string, index: bigint): NotMade {
  const known = draft.entry(key);
  if ((known?.modifyIndex ?? 0n) !== index) return `failed to delete key "${key}", index is stale`;
  draft.delete(key);
  return undefined;
}

/** Ends a session: its locks are released or their entries deleted, as it has said. */
export function endSession(
  draft: Draft,
  id: string,
  { keys, keysMax }: { keys: Iterable<string>; keysMax: number },
): void {
  const session = draft.session(id);
  draft.deleteSession(id);
  for (const key of keys) {
    if (draft.size >= keysMax) return;
    giveUp(draft, key, { id, isDeleted: session?.behavior === "delete", delayMs: session?.lockDelayMs ?? 0 });
  }
}

/** Takes the lock of a key from a session that is gone. */
export function giveUp(
  draft: Draft,
  key: string,
  { id, isDeleted, delayMs }: { id: string; isDeleted: boolean; delayMs: number },
): void {
  const entry = draft.entry(key);
  if (entry?.session !== id) return;
  if (isDeleted) draft.delete(key);
  else draft.put({ ...entry, session: "", delayMs });
}

const UNKNOWN = { createIndex: 0n, modifyIndex: 0n } as const;

function write(draft: Draft, known: Entry | undefined, next: Given & Pick<Entry, "session" | "lockIndex">): void {
  const isSame =
    known !== undefined &&
    known.flags === next.flags &&
    known.session === next.session &&
    known.lockIndex === next.lockIndex &&
    equalBytes(known.value, next.value);
  if (!isSame)
    draft.put({
      ...UNKNOWN,
      ...(known && { createIndex: known.createIndex, modifyIndex: known.modifyIndex }),
      ...next,
      delayMs: 0,
    });
}
