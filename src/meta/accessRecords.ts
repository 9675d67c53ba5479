// Identities and policies as records: one for each, and one for the epoch of them all, which every change demands and
// replaces.

import { fieldsOf as fieldsIn, readIdentity, readPolicy } from "../access/accessJson.ts";
import { type AccessChange, AccessSet } from "../access/accessSet.ts";
import type { Identity } from "../access/identity.ts";
import type { Policy } from "../access/policy.ts";
import { NO_VERSION } from "../model/version.ts";
import type { Operation, StoredRecord } from "../records/records.ts";
import {
  Damage,
  decodeRecord,
  encodeRecord,
  keyOf,
  keyPart,
  type RecordCodec,
  recordsOf,
  versionIn,
} from "./metaRecords.ts";

/** The prefix of all of them. */
export const ACCESS_PREFIX = "meta/access/";

const RESTORE = "restore a backup";

const IDENTITY_RECORDS: RecordCodec<Identity> = {
  prefix: `${ACCESS_PREFIX}identity/`,
  nameOf: ({ name }) => keyPart(name),
  toJson: (identity) => identity,
  fromJson(json) {
    const identity = readIdentity(json);
    if (identity === undefined) throw new Damage("it is no identity");
    return identity;
  },
  advice: `${RESTORE}; or stop the meta nodes, delete this record, start them and set the identity again`,
};

const POLICY_RECORDS: RecordCodec<Policy> = {
  prefix: `${ACCESS_PREFIX}policy/`,
  nameOf: ({ name }) => keyPart(name),
  toJson: (policy) => policy,
  fromJson(json) {
    const policy = readPolicy(json);
    if (policy === undefined) throw new Damage("it is no policy");
    return policy;
  },
  advice: `${RESTORE}; or stop the meta nodes, delete this record, start them and set the policy again`,
};

/** The epoch of all identities and policies: each change of them gives it a new one. */
export const ACCESS_EPOCH_RECORD: RecordCodec<bigint> = {
  prefix: `${ACCESS_PREFIX}epoch`,
  nameOf: () => "",
  toJson: (epoch) => ({ epoch: String(epoch) }),
  fromJson: (json) => versionIn({ epoch: fieldsIn(json)["epoch"] }),
  advice: `${RESTORE}; or stop the meta nodes, delete this record and start them: all nodes are told everything anew`,
};

/** The identities and policies among the records of the role meta. Throws STORE_DAMAGED. */
export function accessIn(records: readonly StoredRecord[]): AccessSet {
  const [stored] = recordsOf(ACCESS_EPOCH_RECORD, records);
  const epoch = stored === undefined ? NO_VERSION : decodeRecord(ACCESS_EPOCH_RECORD, stored);
  const all = <Value>(codec: RecordCodec<Value>) =>
    recordsOf(codec, records).map((record) => decodeRecord(codec, record));
  return new AccessSet(epoch, all(IDENTITY_RECORDS), all(POLICY_RECORDS));
}

/** The operations that save a change under its new epoch. */
export function operationsOf(change: AccessChange, epoch: bigint): Operation[] {
  const put = <Value>(codec: RecordCodec<Value>, values: readonly Value[]): Operation[] =>
    values.map((value) => ({ kind: "put", key: keyOf(codec, value), value: encodeRecord(codec, value) }));
  const remove = <Value>(codec: RecordCodec<Value>, names: readonly string[]): Operation[] =>
    names.map((name) => ({ kind: "delete", key: keyOf(codec, { name } as Value) }));
  return [
    ...put(ACCESS_EPOCH_RECORD, [epoch]),
    ...put(IDENTITY_RECORDS, change.identities),
    ...put(POLICY_RECORDS, change.policies),
    ...remove(IDENTITY_RECORDS, change.identitiesGone),
    ...remove(POLICY_RECORDS, change.policiesGone),
  ];
}
