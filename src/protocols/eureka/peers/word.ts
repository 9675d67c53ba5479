// A word of a client about its instance, as one server of Eureka tells it to another.

import type { EurekaInstance, Named, Status } from "../codec/instance.ts";
import { instanceJson } from "../codec/writeJson.ts";

/** `status`: the one that an operator has set, or has left. */
export type Word = Named &
  (
    | { readonly action: "Register" | "Heartbeat" | "Cancel" }
    | { readonly action: "StatusUpdate" | "DeleteStatusOverride"; readonly status: Status }
  );

/** `earlier` with a later word about the same instance, and without those that it makes needless. */
export function followedBy(earlier: readonly Word[], word: Word): readonly Word[] {
  const left = earlier.filter(({ action }) => !supersedes(word.action, action));
  const isNeedless = word.action === "Heartbeat" && left.some(({ action }) => action === "Register");
  return isNeedless ? left : [...left, word];
}

function supersedes(later: Word["action"], action: Word["action"]): boolean {
  switch (later) {
    case "Heartbeat":
      return action === "Heartbeat";
    case "Register":
      return action === "Register" || action === "Heartbeat" || action === "Cancel";
    case "Cancel":
      return true;
    default:
      return action === "StatusUpdate" || action === "DeleteStatusOverride";
  }
}

/**
 * The word in the form of a batch, with the instance as it is listed now; undefined if it is not listed and the word
 * says nothing without it.
 */
export function wordJson(word: Word, instance: EurekaInstance | undefined): string | undefined {
  const { action, app, instanceId } = word;
  const named = { appName: app, id: instanceId, action };
  if (action === "Cancel") return JSON.stringify(named);
  if (instance === undefined) return undefined;
  const { lastDirtyTimestamp, overriddenStatus } = instance;
  const status = "status" in word ? word.status : instance.status;
  const text = JSON.stringify({ ...named, lastDirtyTimestamp, overriddenStatus, status });
  return action === "Register" ? `${text.slice(0, -1)},"instanceInfo":${instanceJson(instance)}}` : text;
}
