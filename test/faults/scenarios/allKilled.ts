// Everything is killed at once: all that is left are the clients, and the disks with the sizes of the services. Clients
// come back over seconds, so a list that is shown too early lacks some. A failure explains itself by the numbers on the
// disks and the times at which publishers were back.

import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DATAS, NODES } from "../cluster/cluster.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill, USUAL_CHURN } from "./steps.ts";

// Starting nine processes on a small machine, and everything that clients then say again.
const ALL_BACK_MS = 30_000;
// Some registrations have been taken back and published anew when all is killed. The last one of the start is older
// than the 20 to 50 ms that a size needs to be on the disk: its publisher would not be waited for.
const CHURN_MS = 3_000;

export const ALL_KILLED: Scenario = {
  name: "all-killed",
  about: "kill -9 of all nine processes at once, started again",
  lane: 1,
  isAlone: true,
  hasJava: true,
  run: async (stage) => {
    stage.startChurn(USUAL_CHURN);
    await stage.pause(CHURN_MS);
    const sinceMs = await kill(stage, ...NODES);
    const listed = publishersOf(stage);
    await stage.stopChurn();
    stage.explain(explanation(stage, listed, sinceMs));
    const started = comeBack(stage, ...NODES);
    await stage.changesAreShown({ sinceMs, limitMs: ALL_BACK_MS });
    await started;
  },
};

/** The published registrations of each service, by the clients' own accounts. */
function publishersOf({ fleet, workload }: Stage): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    workload.services.map(({ name }) => {
      const living = fleet.records.ofService(name).filter((each) => fleet.records.isLiving(each));
      return [name, new Set(living.map((each) => each.name))];
    }),
  );
}

/** What tells why a list was short: a line for each service, made when the scenario is over. */
function explanation(
  stage: Stage,
  listed: ReadonlyMap<string, ReadonlySet<string>>,
  sinceMs: number,
): () => readonly string[] {
  const disks = DATAS.map((data) => [data, sizesOnDisk(join(stage.cluster.diskOf(data), "data"))] as const);
  return () =>
    [...publishersOf(stage)].map(([service, back]) => {
      const before = listed.get(service) ?? new Set();
      const known = disks.map(([data, sizes]) => `${data} ${sizes.get(service) ?? "none"}`).join(", ");
      const added = [...back].filter((name) => !before.has(name)).join(" ");
      const times = [...back].map((name) => `${name} ${connectedAgain(stage, name, sinceMs)}`).join(", ");
      return `${service}: ${before.size} publishers at the kill, on disk ${known}; new [${added}]; connected ${times}`;
    });
}

/** When the registration's client had a connection again, after the kill. */
function connectedAgain({ fleet }: Stage, registration: string, sinceMs: number): string {
  const client = fleet.records.registrations.get(registration)?.client;
  const back = fleet
    .history()
    .find((event) => event.kind === "connected" && event.client === client && event.t > sinceMs);
  return back === undefined ? "never" : `${((back.t - sinceMs) / 1_000).toFixed(2)} s`;
}

/** The numbers of publishers by service that a node reads at its next start. The files stay as they are. */
function sizesOnDisk(dataDir: string): ReadonlyMap<string, number> {
  const copy = mkdtempSync(join(tmpdir(), "roster-sizes-"));
  try {
    for (const file of ["roster.db", "roster.db-wal"]) {
      if (existsSync(join(dataDir, file))) cpSync(join(dataDir, file), join(copy, file));
    }
    const database = new DatabaseSync(join(copy, "roster.db"));
    const rows = database.prepare("SELECT data_info_id_json AS key, publishers FROM service_size").all();
    database.close();
    return new Map(rows.map(({ key, publishers }) => [serviceOf(String(key)), Number(publishers)]));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The name that the suite knows a service by. */
function serviceOf(keyJson: string): string {
  const key: unknown = JSON.parse(keyJson);
  return String(key).split("#@#")[0] ?? "";
}
