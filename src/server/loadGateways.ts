// The protocols of a node, with their code loaded.

import type { Gateway, GatewayCode } from "../protocols/kit/gateway.ts";
import type { Config } from "./config/table.ts";
import { GATEWAYS } from "./gateways.ts";
import type { GatewayMetrics } from "./metrics.ts";

/** Any protocol that a node with this configuration can serve. */
export type ServedGateway = Gateway<Config, GatewayMetrics>;

/** A protocol whose code is loaded. */
export interface LoadedGateway extends Pick<ServedGateway, "name"> {
  readonly code: GatewayCode<Config, GatewayMetrics>;
}

/** Loads the code of the protocols: of all, unless some are named. */
export async function loadGateways(gateways: readonly ServedGateway[] = GATEWAYS): Promise<LoadedGateway[]> {
  return Promise.all(gateways.map(async (gateway) => ({ name: gateway.name, code: await gateway.load() })));
}
