// `npm run attack`: the real server under each attack of test/attack, beside well-behaved clients. It must stay below
// its memory budget, answer the clients in time, and close none of them.
//
//   --short        smaller attacks, one round of each: what CI runs; one that is only too slow gets two more tries
//   --only NAME    only attacks with this letter, or whose name contains it; may be repeated
//   --memory MIB   the server's budget; 1024 if nothing is said
//   --stop MIB     an attack is ended when the server has taken so much; 3072 if nothing is said
//   --first        server and clients come before all else on the machine, for one that is not idle; needs root
//   --table        prints the table in Markdown at the end
//   --list         names the attacks

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ATTACKS } from "../test/attack/all.ts";
import type { Attack } from "../test/attack/attack.ts";
import { type AttackResult, lineOf, tableOf } from "../test/attack/result.ts";
import { play, type TrialOptions } from "../test/attack/trial.ts";

const MIB = 1024 * 1024;

// A real attacker has a machine of its own. Here it must not be the one who takes the processors from the clients.
const USUAL = { server: 0, honest: 0, attacker: 10 };
const FIRST = { server: -10, honest: -15, attacker: -5 };

const LIGHT_AT_ONCE = 4;
// In a round of the short form the slowest of some sixty pushes decides, and a busy neighbour of the machine is enough
// for that. A server that is slow by itself is slow each time: idle-subscriptions took more than 300 ms each time when
// it was.
const SHORT_TRIES = 3;

const { values: flags } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    memory: { type: "string", default: "1024" },
    stop: { type: "string", default: "3072" },
    first: { type: "boolean", default: false },
    table: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const chosen = ATTACKS.filter(isChosen);
  if (flags.list || chosen.length === 0) {
    for (const { letter, name, sends, expected } of ATTACKS) console.log(`${letter}  ${name}: ${sends} -> ${expected}`);
    return flags.list ? 0 : 1;
  }
  if (process.platform !== "linux") {
    console.log("attacks: left out: they need Linux, whose /proc says what the server has in memory");
    return process.env["CI"] === "true" ? 1 : 0;
  }
  const dir = mkdtempSync(join(tmpdir(), "roster-attacks-"));
  const startMs = performance.now();
  const results: AttackResult[] = [];
  let broken = 0;
  for (const attacks of groupsOf(chosen)) {
    const ends = await play(attacks, optionsIn(dir));
    for (const [at, first] of ends.entries()) {
      const end = await againIfSlow(attacks[at], first, dir);
      if (end instanceof Error) broken++;
      else results.push(end);
      console.log(end instanceof Error ? `FAIL          ${attacks[at]?.name}: ${end.message}` : lineOf(end));
    }
  }
  const passed = results.filter(({ failures }) => failures.length === 0).length;
  const failed = results.length - passed + broken;
  if (flags.table) console.log(`\n${tableOf(results)}`);
  console.log(`\n${passed} passed, ${failed} failed, ${((performance.now() - startMs) / 1_000).toFixed(0)} s`);
  if (failed === 0) rmSync(dir, { recursive: true, force: true });
  return failed === 0 ? 0 : 1;
}

/** Plays an attack of the short form again, alone, while nothing is wrong with it but times. */
async function againIfSlow(
  attack: Attack | undefined,
  first: AttackResult | Error,
  dir: string,
): Promise<AttackResult | Error> {
  let end = first;
  for (let tries = 1; tries < SHORT_TRIES && flags.short && attack !== undefined; tries++) {
    if (end instanceof Error || !end.isOnlySlow) break;
    console.log(`AGAIN ${lineOf(end)}`);
    end = (await play([attack], optionsIn(join(dir, `again-${tries}`))))[0] ?? end;
  }
  return end;
}

function optionsIn(dir: string): TrialOptions {
  const niceness = flags.first ? FIRST : USUAL;
  const memory = { memoryBytesMax: Number(flags.memory) * MIB, stopBytes: Number(flags.stop) * MIB };
  return { isFull: !flags.short, dir, niceness, ...memory };
}

/** Light attacks side by side, so many that two processors have time left; then the others, each alone. */
function groupsOf(attacks: readonly Attack[]): Attack[][] {
  const light = attacks.filter(({ isLight = false }) => isLight);
  const groups: Attack[][] = [];
  for (let at = 0; at < light.length; at += LIGHT_AT_ONCE) groups.push(light.slice(at, at + LIGHT_AT_ONCE));
  const heavy = attacks.filter(({ isLight = false }) => !isLight);
  return [...groups, ...heavy.map((attack) => [attack])];
}

function isChosen({ letter, name }: Attack): boolean {
  return (
    flags.only.length === 0 || flags.only.some((only) => only === letter || (only.length > 1 && name.includes(only)))
  );
}
