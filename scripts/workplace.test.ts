import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { faultsIn } from "./faults.ts";
import { tempTree } from "./tempTree.ts";
import { testsNear, Workplace } from "./workplace.ts";

const AGE = "export function isAdult(age: number): boolean {\n  return age >= 18 && age < 200;\n}\n";
const COUNT = `export function count(to: number): number {
  let n = 0;
  if (to < 0) {
    to = 1;
  }
  while (n < to) n++;
  return n;
}
`;
const NEVER = "export let n = 0;\nn--;\n";

function testOf(file: string, imported: string, assertion: string): string {
  const lines = [
    'import assert from "node:assert/strict";',
    'import { test } from "node:test";',
    `import { ${imported} } from "./${file}";`,
    `test("it", () => assert.equal(${assertion}));`,
  ];
  return lines.join("\n");
}

function treeWith(assertion: string): string {
  return tempTree({
    "package.json": '{ "type": "module" }',
    "src/people/age.ts": AGE,
    "src/people/age.test.ts": testOf("age.ts", "isAdult", assertion),
    "src/people/count.ts": COUNT,
    "src/people/count.test.ts": testOf("count.ts", "count", "count(3), 3"),
    "src/people/never.ts": NEVER,
    "src/untested/age.ts": AGE,
  });
}

function workplaceOf(root: string, limitMsMin = 60_000): Workplace {
  const workplace = new Workplace(root, limitMsMin);
  after(() => workplace.remove());
  return workplace;
}

/** The fault that puts `by` into the file. */
function faultIn(path: string, text: string, by: string) {
  const fault = faultsIn([{ path, text }]).find((each) => each.by === by);
  assert.ok(fault);
  return fault;
}

test("a fault is found if a test fails, and survives if all pass", async () => {
  const fault = faultIn("src/people/age.ts", AGE, ">");
  assert.equal(await workplaceOf(treeWith("isAdult(18), true")).try(fault), "found");
  assert.equal(await workplaceOf(treeWith("isAdult(30), true")).try(fault), "survived");
});

test("a fault that makes a test run for ever is found", async () => {
  const fault = faultIn("src/people/count.ts", COUNT, "n--");
  assert.equal(await workplaceOf(treeWith("isAdult(30), true"), 500).try(fault), "hung");
});

test("the working files are never touched, and the copy is whole again after each fault", async () => {
  const root = treeWith("isAdult(18), true");
  const workplace = workplaceOf(root);
  const fault = faultIn("src/people/age.ts", AGE, ">");
  assert.equal(await workplace.try(fault), "found");
  assert.equal(await workplace.try({ ...fault, by: ">=" }), "survived");
  assert.equal(readFileSync(join(root, fault.path), "utf8"), AGE);
});

test("a place to which no test near comes is said to be unreached, and no test is run for it", async () => {
  const workplace = workplaceOf(treeWith("isAdult(18), true"), 500);
  assert.equal(await workplace.try(faultIn("src/untested/age.ts", AGE, ">")), "unreached", "no test is near");
  assert.equal(await workplace.try(faultIn("src/people/never.ts", NEVER, "n++")), "unreached", "none loads it");
  const { path } = faultIn("src/people/count.ts", COUNT, "n--");
  const start = COUNT.indexOf("to = 1");
  assert.equal(await workplace.try({ path, start, end: start + 1, by: "!" }), "unreached", "none comes to the line");
});

test("the right side of a condition is reached by a test in which the left side decides", async () => {
  const fault = faultIn("src/people/age.ts", AGE, "||");
  assert.equal(await workplaceOf(treeWith("isAdult(17), false")).try(fault), "found");
});

test("a test that only passes while nobody looks where it comes to is run for every fault", async () => {
  const assertion = 'isAdult(18) && process.env["NODE_V8_COVERAGE"] === undefined, true';
  const fault = faultIn("src/people/age.ts", AGE, ">");
  assert.equal(await workplaceOf(treeWith(assertion)).try(fault), "found");
});

test("tests that fail by themselves are not taken for a find", async () => {
  const fault = faultIn("src/people/age.ts", AGE, ">");
  await assert.rejects(
    workplaceOf(treeWith("isAdult(18), false")).try(fault),
    /age\.test\.ts fails with nothing planted/,
  );
});

test("the nearest tests are those of the folder, below it, and around it up to its layer's", () => {
  const root = tempTree({
    "src/data/packed/cell.ts": "",
    "src/data/packed/cell.test.ts": "",
    "src/data/packed/deep/a.test.ts": "",
    "src/data/data.test.ts": "",
    "src/data/other/b.test.ts": "",
    "src/top.test.ts": "",
  });
  const near = ["src/data/packed/cell.test.ts", "src/data/packed/deep/a.test.ts", "src/data/data.test.ts"];
  assert.deepEqual(testsNear(root, "src/data/packed/cell.ts").toSorted(), near.toSorted());
});

test("tests of a folder that need a server are near too, by its name", () => {
  const root = tempTree({
    "src/store/postgres/lease.ts": "",
    "src/store/postgres/lease.test.ts": "",
    "test/store/postgresOutage.test.ts": "",
    "test/store/server.test.ts": "",
    "test/store/postgres.ts": "",
  });
  const near = ["src/store/postgres/lease.test.ts", "test/store/postgresOutage.test.ts"];
  assert.deepEqual(testsNear(root, "src/store/postgres/lease.ts"), near);
});
