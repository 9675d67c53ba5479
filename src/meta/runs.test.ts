import assert from "node:assert/strict";
import { test } from "node:test";
import { type NodeId, nodeId } from "../model/ids.ts";
import { Runs } from "./runs.ts";

const [A, B, C] = [nodeId("d1.a"), nodeId("d1.b"), nodeId("d1.c")];

/** The knowledge about processes: the time at which each was last heard, and which ones have a link. */
function scene() {
  const heard = new Map<NodeId, number>();
  const linked = new Set<NodeId>();
  const runs = new Runs();
  const signs = { heardMs: (run: NodeId) => heard.get(run) ?? 0, hasLink: (run: NodeId) => linked.has(run) };
  /** A process with a link speaks. */
  const speaks = (run: NodeId, nowMs: number) => {
    const admission = runs.admit(run, signs, nowMs);
    if (admission.kind === "admitted") {
      heard.set(run, nowMs);
      linked.add(run);
    }
    return admission.kind === "admitted" && admission.replaced !== undefined
      ? `for ${admission.replaced}`
      : admission.kind;
  };
  return { runs, speaks, linked, heard };
}

test("a name stands for the run that came first, and for others by theirs", () => {
  const { runs, speaks } = scene();
  assert.equal(runs.current("d1"), undefined);
  assert.deepEqual([speaks(A, 0), speaks(A, 1), speaks(nodeId("d2.a"), 1)], ["admitted", "admitted", "admitted"]);
  assert.deepEqual([runs.current("d1"), runs.current("d2")], [A, "d2.a"]);
});

test("a run without a link, or silent for three seconds, is replaced at once, and never comes back", () => {
  const unlinked = scene();
  unlinked.speaks(A, 0);
  unlinked.linked.delete(A);
  assert.equal(unlinked.speaks(B, 1), `for ${A}`);
  assert.deepEqual([unlinked.runs.current("d1"), unlinked.speaks(A, 2)], [B, "refused"]);
  const silent = scene();
  silent.speaks(A, 0);
  assert.equal(silent.speaks(B, 2_999), "waits");
  assert.equal(silent.speaks(B, 3_000), `for ${A}`);
});

test("of two that speak the later one is refused, when the first has spoken a second after it came", () => {
  const { speaks } = scene();
  speaks(A, 0);
  assert.equal(speaks(B, 500), "waits");
  speaks(A, 1_500);
  assert.equal(speaks(B, 1_600), "waits", "its last words may have come late");
  speaks(A, 1_501);
  assert.equal(speaks(B, 1_600), "refused");
  assert.equal(speaks(C, 1_600), "waits", "each has its own time");
});

test("a run that has ended leaves its name to whoever comes next, and may come again itself", () => {
  const { runs, speaks } = scene();
  speaks(A, 0);
  runs.ended(B);
  assert.equal(runs.current("d1"), A);
  runs.ended(A);
  assert.equal(runs.current("d1"), undefined);
  assert.deepEqual([speaks(A, 1), runs.current("d1")], ["admitted", A]);
});

test("eight rivals for a name are told apart; a ninth waits for as long as it likes", () => {
  const { speaks } = scene();
  speaks(A, 0);
  const rivals = Array.from({ length: 9 }, (_, at) => nodeId(`d1.r${at}`));
  for (const rival of rivals) assert.equal(speaks(rival, 500), "waits");
  speaks(A, 2_000);
  assert.deepEqual(
    rivals.map((rival) => speaks(rival, 2_001)),
    [...Array(8).fill("refused"), "waits"],
  );
});

test("ten thousand runs that were replaced are remembered", () => {
  const { runs, speaks } = scene();
  runs.replaced(nodeId("x.1"));
  runs.replaced(nodeId("y.1"));
  for (let at = 0; at < 9_999; at++) runs.replaced(nodeId(`z.${at}`));
  assert.deepEqual([speaks(nodeId("x.1"), 0), speaks(nodeId("y.1"), 0)], ["admitted", "refused"]);
});
