// Configuration: what clients store, read and listen to, with their namespaces, and the locks beside them.

import { md5 } from "../../../base/md5.ts";
import type { NacosEnvironment } from "../environment.ts";
import { isFirstSession } from "../firstSession.ts";
import type { NacosPart } from "../part.ts";
import { ConfigListeners } from "./configListeners.ts";
import { ConfigStore } from "./configStore.ts";
import { ConfigWriter } from "./configWriter.ts";
import { FuzzyWatches } from "./fuzzyWatches.ts";
import { ConfigHistory } from "./history.ts";
import { configRoutes } from "./http/configRoutes.ts";
import { Locks } from "./locks.ts";
import { LongPolls } from "./longPolls.ts";
import { Namespaces } from "./namespaces.ts";
import { Pushes } from "./pushes.ts";
import { configRequests } from "./requests.ts";

/** The part for configuration. */
export function openConfig(environment: NacosEnvironment): NacosPart {
  const { config, records, access, log, node, budget } = environment;
  const { nowMs } = node;
  const store = new ConfigStore(environment);
  const history = new ConfigHistory({ records, log, nowMs, isSweeper: () => isFirstSession(environment) });
  const limits = { contentBytesMax: config.nacosConfigBytesMax, configsMax: config.nacosConfigsMax };
  const writer = new ConfigWriter({ store, history, nowMs, limits });
  const pushes = new Pushes(nowMs);
  const listeners = new ConfigListeners({ pushes, store, nowMs });
  const fuzzy = new FuzzyWatches(store, pushes);
  const polls = new LongPolls(store, budget);
  const locks = new Locks(store, nowMs);
  const namespaces = new Namespaces(store);
  store.listen((keys) => {
    listeners.changed(keys);
    fuzzy.changed(keys);
    polls.changed(keys);
  });
  return {
    requests: configRequests({ store, writer, listeners, fuzzy, locks }),
    routes: configRoutes({
      store,
      writer,
      history,
      listeners,
      polls,
      namespaces,
      access,
      nowMs,
      publishBytesMax: publishBytesMax(limits),
      newId: idMaker(environment),
    }),
    ended: (client) => {
      listeners.ended(client);
      fuzzy.ended(client);
      pushes.ended(client);
    },
    drained: (client) => pushes.drained(client),
    check: (atMs) => {
      store.check(atMs);
      history.check(atMs);
      listeners.check(atMs);
      locks.check(atMs, () => isFirstSession(environment));
      polls.check(atMs);
      pushes.check(atMs);
    },
  };
}

/** In a form each byte of a content may take three, and the other parameters take something, too. */
function publishBytesMax({ contentBytesMax }: { readonly contentBytesMax: number }): number {
  return 3 * contentBytesMax + 64 * 1024;
}

/** Names in the form of a UUID. They are no secrets. */
function idMaker({ node }: NacosEnvironment): () => string {
  let made = 0;
  return () => {
    const digest = md5(new TextEncoder().encode(`${node.id} ${node.nowMs()} ${made++}`));
    return digest.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
}
