// All attacks, in the order in which they are played.

import type { Attack } from "./attack.ts";
import { attributes, refusedAttributes } from "./attacks/attributes.ts";
import { boxes } from "./attacks/boxes.ts";
import { hashCollisions } from "./attacks/collisions.ts";
import { allConnections, fewDescriptors, silentNodes } from "./attacks/connections.ts";
import { idleSubscriptions, publishersThatLeave, servicesThatLeave, unfinishedFrames } from "./attacks/floods.ts";
import { foreignVersions } from "./attacks/foreignVersions.ts";
import { dribbledRequests, mutatedRequests } from "./attacks/gateways.ts";
import { gzipZones, listTooLarge } from "./attacks/largeLists.ts";
import { nothing } from "./attacks/nothing.ts";
import { configValues, controlCharacters, damagedSlotTable, garbage, nodeIds } from "./attacks/operators.ts";
import { payloadByReference, payloadFromManyAddresses } from "./attacks/payload.ts";
import { lateAnswers, silentReader, slowLines } from "./attacks/slowReaders.ts";
import { strangers } from "./attacks/strangers.ts";
import { unregisters } from "./attacks/unregisters.ts";

export const ATTACKS: readonly Attack[] = [
  // Light ones, which are played in groups: the longest first.
  nothing,
  silentNodes,
  slowLines,
  dribbledRequests,
  lateAnswers,
  silentReader,
  allConnections,
  fewDescriptors,
  strangers,
  controlCharacters,
  nodeIds,
  foreignVersions,
  damagedSlotTable,
  payloadByReference,
  payloadFromManyAddresses,
  boxes,
  attributes,
  refusedAttributes,
  listTooLarge,
  gzipZones,
  hashCollisions,
  unregisters,
  unfinishedFrames,
  idleSubscriptions,
  servicesThatLeave,
  publishersThatLeave,
  configValues,
  garbage,
  mutatedRequests,
];
