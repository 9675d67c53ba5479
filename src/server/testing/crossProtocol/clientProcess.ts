// A process of its own with clients that register instances, to be killed with all of them. Its argument is a JSON
// text; it writes a line when all of them are registered.

import type { RunningServer } from "../../start.ts";
import { REGISTRARS } from "./registrars.ts";
import type { Wanted } from "./wanted.ts";

/** The argument. */
export interface ClientProcess {
  readonly ports: RunningServer["ports"];
  readonly service: string;
  /** The names of registrars, with the instance of each. */
  readonly clients: readonly (readonly [name: string, wanted: Wanted])[];
}

const { ports, service, clients }: ClientProcess = JSON.parse(process.argv[2] ?? "");
for (const [name, wanted] of clients) {
  const client = await REGISTRARS.find((each) => each.name === name)?.connect({ ports }, service);
  await client?.apply(wanted);
}
process.stdout.write("registered\n");
