import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deadlines } from "./deadlines.ts";

type Command =
  | { kind: "set"; key: number; atMs: number }
  | { kind: "delete"; key: number }
  | { kind: "take"; nowMs: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key: fc.nat(8), atMs: fc.nat(100) }),
  fc.record({ kind: fc.constant("delete" as const), key: fc.nat(8) }),
  fc.record({ kind: fc.constant("take" as const), nowMs: fc.nat(100) }),
);

test("keys come out soonest first, as from a plain sorted list", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const deadlines = new Deadlines<number>();
      let oracle: { key: number; atMs: number }[] = [];
      for (const step of commands) {
        if (step.kind !== "take") oracle = oracle.filter(({ key }) => key !== step.key);
        if (step.kind === "set") {
          deadlines.set(step.key, step.atMs);
          oracle.push({ key: step.key, atMs: step.atMs });
          oracle.sort((a, b) => a.atMs - b.atMs);
        } else if (step.kind === "delete") {
          deadlines.delete(step.key);
        } else {
          const [first] = oracle;
          const isDue = first !== undefined && first.atMs <= step.nowMs;
          if (isDue) oracle.shift();
          assert.equal(deadlines.take(step.nowMs), isDue ? first.key : undefined);
        }
        assert.equal(deadlines.size, oracle.length);
        assert.equal(deadlines.nextMs(), oracle[0]?.atMs ?? Number.POSITIVE_INFINITY);
      }
    }),
  );
});
