// The bound of one service's list. Sessions refuse publications that would outgrow it by their own holdings; the leader
// knows the listed publications of all sessions, and takes none that would outgrow it: earlier ones stay. The session
// is told, and keeps the unlisted publication, to send it again later.

import type { Unlisted } from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import { listBytesOf, mayAdd } from "../model/listBytes.ts";
import { compareStamps, type Publication } from "../model/publication.ts";
import type { Datum } from "./datum.ts";

/**
 * The session's answer for a publication that can't be listed, or undefined if it can. A publication that does not grow
 * may always replace its earlier state: a client that comes back finds its place.
 */
export function outgrowing(
  datum: Datum,
  publication: Publication,
  { from, bytesMax }: { from: NodeId | undefined; bytesMax: number },
): Unlisted | undefined {
  const bytes = datum.listBytes;
  if (bytes + mayAdd(publication.payload) <= bytesMax) return undefined;
  const { serviceKey, registId, version, registeredMs } = publication;
  const grownBytes = listBytesOf(publication.payload) - datum.listBytesOf(registId);
  if (grownBytes <= 0 || bytes + grownBytes <= bytesMax) return undefined;
  const live = datum.registration(registId);
  const known = live ?? datum.tombstoneFor(publication);
  if (known !== undefined && compareStamps(publication, known) <= 0) return undefined;
  const isTheirs = live !== undefined && live.owner.session === from;
  const listed = isTheirs ? { listed: { version: live.version, registeredMs: live.registeredMs } } : {};
  return { serviceKey, registId, stamp: { version, registeredMs }, ...listed, bytes, bytesMax };
}
