// The store's records as the keeper of identities and policies asks for them: with callbacks, where the stores have
// promises.

import { RegistryError } from "../../base/errors.ts";
import type { AccessStore } from "../../meta/accessKeeper.ts";
import { ACCESS_EPOCH_RECORD, ACCESS_PREFIX } from "../../meta/accessRecords.ts";
import { keyAlone, keysWith } from "../../records/keys.ts";
import { readAll } from "../../records/readAll.ts";
import type { Records } from "../../records/records.ts";

// Far above the bounds of identities and policies.
const RECORDS_MAX = 100_000;

/** `failed` is called for a bug: the node must end. */
export function accessStoreOf(store: Pick<Records, "range" | "commit">, failed: (error: unknown) => void): AccessStore {
  const answer = <Answer>(asked: Promise<Answer>, answered: (answer: Answer | RegistryError) => void) =>
    void asked.catch(refusalIn).then(answered).catch(failed);
  return {
    readEpoch: (answered) => answer(epochRevision(store), answered),
    readAll: (answered) => answer(allRecords(store), answered),
    commit: (commit, answered) => answer(store.commit(commit), answered),
  };
}

async function epochRevision(store: Pick<Records, "range">): Promise<bigint> {
  const page = await store.range(keyAlone(ACCESS_EPOCH_RECORD.prefix));
  return page.kind === "page" ? (page.records[0]?.revision ?? 0n) : 0n;
}

async function allRecords(store: Pick<Records, "range">) {
  const { records } = await readAll(store, keysWith(ACCESS_PREFIX), RECORDS_MAX);
  return records;
}

function refusalIn(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  throw error;
}
