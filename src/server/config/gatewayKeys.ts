// The configuration keys of the protocols; part of the table in table.ts.

import { GATEWAYS } from "../gateways.ts";

type Keys = (typeof GATEWAYS)[number]["configKeys"];

/** What all members of a union have. */
type All<U> = (U extends unknown ? (member: U) => void : never) extends (all: infer I) => void ? I : never;

export const GATEWAY_KEYS: All<Keys> = Object.assign({}, ...GATEWAYS.map(({ configKeys }) => configKeys));

/** The keys of the ports at which protocols listen. */
export type GatewayPortKey = Extract<keyof All<Keys>, `${string}-port`>;

/** They, in the order of the list of protocols. */
export const GATEWAY_PORT_KEYS = Object.keys(GATEWAY_KEYS).filter((key): key is GatewayPortKey =>
  key.endsWith("-port"),
);
