import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Account, Budget, CHARGE, type ChargeKind, unlimitedBudget } from "./budget.ts";

const MIB = 1024 * 1024;
const NEVER = Number.MAX_SAFE_INTEGER;
const budgetOf = (bytesMax: number, clientBytesMax = NEVER) =>
  new Budget({ bytesMax, clientBytesMax, workPerSecondMax: NEVER });

/** Takes as much as it gets. */
function fill(account: Account): number {
  while (account.charge(CHARGE.frames, MIB) === undefined);
  return account.heldBytes / MIB;
}

test("one address alone fills half, others half of what is left, and a newcomer always finds room", () => {
  const budget = budgetOf(120 * MIB);
  const first = budget.open("1");
  assert.equal(fill(first), 60);
  const second = budget.open("2");
  assert.equal(fill(second), 30);
  first.release(CHARGE.frames, 30 * MIB);
  assert.equal(fill(second), 45, "what one lets go the other can have, but for as much as it has itself");
  for (let address = 3; address < 8; address++) fill(budget.open(`${address}`));
  assert.equal(budget.open("9").charge(CHARGE.registrations, 100_000), undefined);
});

test("the refusal says who has too much, how much that is, and what the bound is", () => {
  const client = budgetOf(100 * MIB, 10 * MIB).open("a");
  client.charge(CHARGE.frames, 9 * MIB);
  const refused = client.charge(CHARGE.frames, 2 * MIB);
  assert.deepEqual(
    { code: refused?.code, ...refused?.details },
    { code: "CLIENT_BYTES_EXHAUSTED", heldBytes: 9 * MIB, bytes: 2 * MIB, bytesMax: 10 * MIB },
  );
  const budget = budgetOf(10 * MIB);
  assert.equal(budget.open("a").charge(CHARGE.frames, 6 * MIB)?.code, "ADDRESS_BYTES_EXHAUSTED");
  assert.equal(budget.open("a").charge(CHARGE.frames, 11 * MIB)?.code, "NODE_BYTES_EXHAUSTED");
  assert.deepEqual(
    (["client", "address", "node"] as const).map((level) => budget.refusals(level)),
    [0, 1, 1],
  );
});

test("what does not grow is taken, however full the node is", () => {
  const budget = budgetOf(12 * MIB, 6 * MIB);
  const client = budget.open("a");
  client.charge(CHARGE.registrations, 6 * MIB);
  for (const address of ["b", "c", "d"]) fill(budget.open(address));
  assert.ok(client.charge(CHARGE.registrations, 1) !== undefined);
  const before = { account: client, bytes: MIB };
  assert.equal(client.replace(CHARGE.registrations, MIB, before), undefined);
  const returned = budget.open("a");
  assert.equal(returned.replace(CHARGE.registrations, MIB, before), undefined, "a return from the same address");
  assert.equal(client.heldBytes + returned.heldBytes, 6 * MIB);
});

test("an address is forgotten when its last connection is over and nothing is held for it", () => {
  const budget = unlimitedBudget();
  const [one, other] = [budget.open("a"), budget.open("a")];
  one.charge(CHARGE.registrations, 10);
  one.close();
  other.close();
  other.close();
  assert.equal(budget.addresses, 1);
  one.release(CHARGE.registrations, 10);
  assert.equal(budget.addresses, 0);
});

test("what a connection that is long over gives back does not forget those that came from its address since", () => {
  const budget = budgetOf(1_000);
  const gone = budget.open("10.0.0.7");
  gone.close();
  const present = budget.open("10.0.0.7");
  gone.release(CHARGE.subscriptions, 0);
  assert.equal(budget.addresses, 1);
  assert.equal(present.charge(CHARGE.registrations, 400), undefined);
  const next = budget.open("10.0.0.7").charge(CHARGE.registrations, 400);
  assert.equal(next?.code, "ADDRESS_BYTES_EXHAUSTED", "both have one share");
});

test("whatever is charged, moved and released: nothing is negative, sums agree, bounds hold for what grows", () => {
  const step = fc.record({
    client: fc.nat(5),
    other: fc.nat(5),
    kind: fc.constantFrom(CHARGE.registrations, CHARGE.subscriptions),
    bytes: fc.nat(40),
    isRelease: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const budget = budgetOf(200, 80);
      const accounts = Array.from({ length: 6 }, (_, at) => budget.open(`address-${at % 3}`));
      const holdings: { account: Account; kind: ChargeKind; bytes: number }[] = [];
      for (const { client, other, kind, bytes, isRelease } of steps) {
        const account = accounts[client] as Account;
        const at = holdings.findIndex((holding) => holding.kind === kind && holding.account === accounts[other]);
        const before = at < 0 ? undefined : holdings[at];
        if (isRelease) {
          if (before === undefined) continue;
          before.account.release(kind, before.bytes);
          holdings.splice(at, 1);
          continue;
        }
        const heldBytes = budget.heldBytes;
        if (account.replace(kind, bytes, before) !== undefined) {
          assert.equal(budget.heldBytes, heldBytes, "a refusal takes nothing");
          assert.ok(before === undefined || bytes > before.bytes || before.account !== account);
          continue;
        }
        if (before !== undefined) holdings.splice(at, 1);
        holdings.push({ account, kind, bytes });
        assert.ok(budget.heldBytes <= 200);
      }
      const sum = (of: typeof holdings) => of.reduce((total, { bytes }) => total + bytes, 0);
      for (const account of accounts) {
        assert.equal(account.heldBytes, sum(holdings.filter((holding) => holding.account === account)));
        assert.ok(account.heldBytes <= 80);
      }
      assert.equal(budget.heldBytes, sum(holdings));
      assert.equal(budget.heldOf(CHARGE.registrations) + budget.heldOf(CHARGE.subscriptions), sum(holdings));
      for (const { account, kind, bytes } of holdings) account.release(kind, bytes);
      for (const account of accounts) account.close();
      assert.deepEqual([budget.heldBytes, budget.addresses], [0, 0]);
    }),
  );
});

function taken(account: Account, wanted: number, nowMs: number): number {
  let count = 0;
  for (let at = 0; at < wanted; at++) if (account.work(nowMs) === undefined) count++;
  return count;
}

test("one address that floods takes four fifths of a second's registrations, and others find what they need", () => {
  const budget = new Budget({ bytesMax: NEVER, clientBytesMax: NEVER, workPerSecondMax: 1_000 });
  const [flooder, honest, third] = [budget.open("1"), budget.open("2"), budget.open("3")];
  const most = taken(flooder, 5_000, 0);
  assert.ok(most > 700 && most <= 800, `${most}`);
  assert.equal(taken(honest, 100, 500), 100);
  assert.equal(taken(third, 20, 900), 20);
  assert.equal(taken(flooder, 10, 900), 0, "the one that took most is refused first");
  assert.equal(taken(flooder, 5_000, 1_000), most, "a new second, and what was not used is not saved up");
  assert.match(String(flooder.work(1_999)?.message), /^OVERLOADED.*perSecondMax=1000/);
});

test("one address that floods by requests of their own gets no more, and is forgotten a second later", () => {
  const budget = new Budget({ bytesMax: NEVER, clientBytesMax: NEVER, workPerSecondMax: 1_000 });
  const ask = (address: string, nowMs: number) => {
    const account = budget.open(address);
    const refusal = account.work(nowMs);
    account.close();
    return refusal === undefined;
  };
  const taken = Array.from({ length: 2_000 }, (_, at) => ask(`[2001:db8::${at.toString(16)}]`, 0)).filter(Boolean);
  assert.equal(taken.length, 800);
  assert.ok(ask("10.0.0.2", 500), "another address finds what it needs");
  assert.deepEqual([budget.addresses, budget.remembered], [0, 2]);
  assert.ok(ask("10.0.0.3", 1_500));
  assert.equal(budget.remembered, 1);
});

test("a client that floods leaves something to the others of its address", () => {
  const budget = new Budget({ bytesMax: NEVER, clientBytesMax: NEVER, workPerSecondMax: 1_000 });
  const [flooder, neighbour] = [budget.open("nat"), budget.open("nat")];
  taken(flooder, 5_000, 0);
  assert.ok(taken(neighbour, 100, 0) > 10);
});

test("what is larger than a second's work is taken from a client that has done nothing else", () => {
  const budget = new Budget({ bytesMax: NEVER, clientBytesMax: NEVER, workPerSecondMax: 80 });
  const client = budget.open("a");
  assert.equal(client.work(0, 1_000), undefined);
  assert.equal(taken(budget.open("b"), 10, 0), 10);
});

test("other bounds count from then on, and what is held beyond them stays", () => {
  const budget = new Budget({ bytesMax: 120 * MIB, clientBytesMax: 60 * MIB, workPerSecondMax: 1_000 });
  const client = budget.open("1");
  assert.equal(fill(client), 60);
  const idle = taken(client, 5_000, 0);
  budget.changeLimits({ bytesMax: 120 * MIB, clientBytesMax: 10 * MIB, workPerSecondMax: 10 });
  assert.equal(client.charge(CHARGE.frames, 1)?.code, "CLIENT_BYTES_EXHAUSTED");
  assert.equal(client.replace(CHARGE.frames, MIB, { account: client, bytes: MIB }), undefined);
  assert.equal(client.heldBytes, 60 * MIB);
  assert.ok(idle > 100 && taken(budget.open("2"), 100, 500) <= 10, "in the present second, too");
  assert.ok(taken(client, 100, 2_000) <= 10);
  budget.changeLimits({ bytesMax: 120 * MIB, clientBytesMax: 60 * MIB, workPerSecondMax: 1_000 });
  assert.ok(taken(client, 5_000, 4_000) > 100);
});
