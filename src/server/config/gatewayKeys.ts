// The configuration keys of the protocols; part of the table in table.ts.

import { GATEWAYS } from "../gateways.ts";

type Keys = (typeof GATEWAYS)[number]["configKeys"];

/** The common part of all members of a union. */
type All<U> = (U extends unknown ? (member: U) => void : never) extends (all: infer I) => void ? I : never;

export const GATEWAY_KEYS: All<Keys> = Object.assign({}, ...GATEWAYS.map(({ configKeys }) => configKeys));

/** The keys of the ports at which protocols listen. */
export type GatewayPortKey = Extract<keyof All<Keys>, `${string}-port`>;

/** These keys, in the order of the list of protocols. */
export const GATEWAY_PORT_KEYS = Object.keys(GATEWAY_KEYS).filter((key): key is GatewayPortKey =>
  key.endsWith("-port"),
);
