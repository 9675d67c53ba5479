// The evidence for an attack when it is over.

import type { TallyReport } from "./attacker/tally.ts";
import type { HonestReport } from "./honest/honestClients.ts";
import type { ServerProcess } from "./server/serverProcess.ts";

export interface Scene {
  readonly server: ServerProcess;
  readonly tally: TallyReport;
  readonly honest: HonestReport;
  /** Where the server keeps its data and its log. */
  readonly dir: string;
  /** Ends the server in order, does something to what it left behind, and starts it again. Rejects if it refuses. */
  restart(between?: (dataDir: string) => void): Promise<ServerProcess>;
}
