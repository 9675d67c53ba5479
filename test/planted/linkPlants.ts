// Bugs in the links between nodes.

import type { Plant } from "./plantedBug.ts";

export const LINK_PLANTS: readonly Plant[] = [
  {
    name: "a silent link is never closed",
    file: "src/cluster/links/link.ts",
    find: "if (silentMs >= silenceMs && isJudging) return",
    replace: "if (silentMs >= Number.MAX_VALUE && isJudging) return",
    scenario: "data-leader-vanishes",
  },
  {
    name: "the earlier link of a node that dials again is kept",
    file: "src/cluster/links/linkAcceptor.ts",
    find: 'this.#links.get(keyOf(peer))?.close("the same node has made this link anew");',
    replace: "",
    rules: ["links:"],
    isCluster: true,
    firstSeed: 7,
  },
  {
    name: "a link that replaces another is reported before the end of that one",
    file: "src/cluster/links/linkAcceptor.ts",
    find: `    this.#links.get(keyOf(peer))?.close("the same node has made this link anew");
    this.#links.set(keyOf(peer), link);
    this.#environment.log.info("a link was accepted", { ...peer, address: link.remoteAddress });
    this.#events.up(peer);
`,
    replace: `    const before = this.#links.get(keyOf(peer));
    this.#events.up(peer);
    before?.close("the same node has made this link anew");
    this.#links.set(keyOf(peer), link);
`,
    rules: ["links:"],
    isCluster: true,
    firstSeed: 7,
  },
  {
    name: "the wait before the next dial only grows",
    file: "src/cluster/links/linkDialer.ts",
    find: "this.#retryMs = RETRY_MS_MIN;",
    replace: "this.#retryMs += 0;",
    scenario: "link-is-made-again-at-once",
  },
  {
    name: "the wait before the next dial grows without end",
    file: "src/cluster/links/linkDialer.ts",
    find: "this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);",
    replace: "this.#retryMs *= 2;",
    scenario: "meta-is-away-for-minutes",
  },
  {
    name: "a failed dial is not repeated",
    file: "src/cluster/links/linkDialer.ts",
    find: "if (this.#isClosed) return;\n    this.#report(reason, peer);",
    replace: "if (this.#isClosed || peer === undefined) return;\n    this.#report(reason, peer);",
    rules: ["7"],
    isCluster: true,
  },
  {
    name: "a later run at an address is taken for the one that was meant",
    file: "src/cluster/links/linkDialer.ts",
    find: "this.#isStale = to !== undefined && from !== to;",
    replace: "this.#isStale = false;",
    rules: ["bug", "links:", "7"],
    isCluster: true,
  },
  {
    name: "a link that is wanted again ends all the same",
    file: "src/cluster/links/dialledLinks.ts",
    find: "if (wanted.get(id) === kept.address) this.#wantAgain(kept);",
    replace: "if (wanted.get(id) === kept.address) continue;",
    rules: ["quiet:", "followers", "links:", "7"],
    isCluster: true,
    firstSeed: 4,
  },
  {
    name: "a link that is not wanted any more is kept",
    file: "src/cluster/links/dialledLinks.ts",
    find: "this.#kept.delete(id);\n    kept.dialer.close();",
    replace: "this.#kept.delete(id);",
    rules: ["links:", "followers", "quiet:"],
    isCluster: true,
    firstSeed: 8,
  },
  {
    name: "the dialling side sends no heartbeats",
    file: "src/cluster/links/link.ts",
    find: "      this.#write([encodeHeartbeat(DIALECT, ++this.#heartbeats, NODE_CODEC)]);\n",
    replace: "",
    rules: ["settled:", "quiet:", "7"],
    isCluster: true,
    firstSeed: 8,
  },
  {
    name: "a link lost is not told to the session",
    file: "src/cluster/links/linkDialer.ts",
    find: "if (peer !== undefined) this.#events.down(peer);",
    replace: 'if (peer !== undefined && reason !== "the connection was closed") this.#events.down(peer);',
    rules: ["links:", "quiet:", "7"],
    isCluster: true,
  },
  {
    name: "a greeting without a nonce is believed in a cluster with a secret",
    file: "src/cluster/links/acceptedGreeting.ts",
    find: "return secret.isOptional ? this.#judge(hello)",
    replace: "return secret.secrets.length > 0 ? this.#judge(hello)",
    rules: ["strangers:"],
    isCluster: true,
    firstSeed: 6,
  },
  {
    name: "any proof is taken",
    file: "src/cluster/links/clusterSecret.ts",
    find: "if (isSame(proofOf(secret, each, end, greeting), proof)) proven = each;",
    replace: "if (proof.length > 0) proven = each;",
    scenario: "strangers",
  },
];
