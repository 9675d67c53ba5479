// A node without the store, with meta nodes that the test plays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import { AccessFollower } from "./accessFollower.ts";
import { NO_CHANGE } from "./accessSet.ts";
import { AccessView, writeTold } from "./accessTold.ts";
import type { Identity } from "./identity.ts";

const nothing = () => undefined;

function identity(name: string): Identity {
  const secret = `sha256:${"t".repeat(43)}`;
  return { name, kind: "token", roles: [], secret, about: "", setBy: "", setMs: 0 };
}

/** A follower, its questions, and the answers that the nodes give: undefined for one that does not answer. */
function scene(answers: (to: string, epoch: string) => string | undefined) {
  const view = new AccessView();
  const asked: string[] = [];
  const follower = new AccessFollower(
    {
      ask(to, { asked: { parameters } }, outcome) {
        asked.push(`${to} ${parameters}`);
        const body = answers(to, parameters);
        outcome(body === undefined ? { kind: "unreachable", reason: "" } : { kind: "answered", status: 200, body });
      },
      metaNodes: () => [nodeId("m1.a"), nodeId("m2.a")],
      timers: { after: () => nothing },
      changed: nothing,
    },
    view,
  );
  /** Asks once, and says whether a meta node has answered. */
  const refresh = () => {
    let isAnswered: boolean | undefined;
    follower.refresh((answered) => {
      isAnswered = answered;
    });
    return isAnswered;
  };
  return { follower, view, asked, refresh };
}

test("a node asks the leader with the epoch that it has, and takes what it lacks", () => {
  const { refresh, view, asked } = scene((_, epoch) =>
    epoch === "0" ? writeTold({ epoch: 7n, change: { ...NO_CHANGE, identities: [identity("ci")] } }) : "null",
  );
  assert.equal(refresh(), true);
  assert.equal(view.set.identity("ci")?.name, "ci");
  assert.equal(refresh(), true);
  assert.deepEqual(asked, ["leader 0", "leader 7"]);
});

test("while no meta node leads, another one tells what it knows", () => {
  const { refresh, view, asked } = scene((to) =>
    to === "m2.a" ? writeTold({ epoch: 7n, change: { ...NO_CHANGE, identities: [identity("ci")] } }) : undefined,
  );
  assert.equal(refresh(), true);
  assert.deepEqual(asked, ["leader 0", "m1.a 0", "m2.a 0"]);
  assert.equal(view.set.epoch, 7n);
});

test("a node that hears nothing keeps what it has", () => {
  let answer: string | undefined = writeTold({ epoch: 7n, change: { ...NO_CHANGE, identities: [identity("ci")] } });
  const { refresh, view } = scene(() => answer);
  refresh();
  answer = undefined;
  assert.equal(refresh(), false);
  assert.equal(view.set.identity("ci")?.name, "ci");
});

test("a change of a set that the node does not have has it ask for everything", () => {
  const { refresh, view, asked } = scene((_, epoch) =>
    epoch === "7"
      ? writeTold({ epoch: 9n, base: 8n, change: { ...NO_CHANGE, identities: [identity("late")] } })
      : writeTold({ epoch: asked.length > 1 ? 9n : 7n, change: { ...NO_CHANGE, identities: [identity("ci")] } }),
  );
  refresh();
  refresh();
  assert.deepEqual(asked, ["leader 0", "leader 7", "leader 0"]);
  assert.equal(view.set.epoch, 9n);
});

test("an earlier epoch, and an answer that is none, change nothing", () => {
  const answers = [
    writeTold({ epoch: 7n, change: { ...NO_CHANGE, identities: [identity("ci")] } }),
    writeTold({ epoch: 6n, change: NO_CHANGE }),
    "[]",
  ];
  const { refresh, view } = scene(() => answers.shift());
  for (let at = 0; at < 3; at++) refresh();
  assert.equal(view.set.identity("ci")?.name, "ci");
});
