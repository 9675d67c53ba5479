// A protocol without clients, through which tests reach the records that a node gives to its protocols.

import { defined } from "../../base/assert.ts";
import type { Gateway } from "../../protocols/kit/gateway.ts";
import type { GatewayRecords } from "../../records/gatewayRecords.ts";
import type { RunningServer } from "../start.ts";
import type { TestNodes } from "./testNodes.ts";

/** The records of the nodes that were started with `gateway`, in that order. */
export class RecordsGateway {
  readonly opened: GatewayRecords[] = [];
  readonly gateway: Gateway<unknown> = {
    name: "probe",
    configKeys: {},
    errors: {},
    metrics: {},
    load: async () => ({
      open: ({ records }) => {
        this.opened.push(records);
        return { listeners: [] };
      },
    }),
  };

  /** Starts a session, and returns it with its records. */
  async session(
    nodes: TestNodes,
    changes: Parameters<TestNodes["start"]>[1],
  ): Promise<{ readonly server: RunningServer; readonly records: GatewayRecords }> {
    const server = await nodes.start(["session"], changes);
    return { server, records: defined(this.opened.at(-1), "a session opens its protocols") };
  }
}
