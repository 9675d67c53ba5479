// The services whose instances clients register by HTTP. They are kept by heartbeats, and judged as such, too.

import type { ServiceKey } from "../model/ids.ts";
import { leaseService } from "./leaseServices.ts";

/** Behind those of clients without a protocol. */
const FIRST = 3;
const SERVICES = 2;

/** The name of one of these services, by the number of a client of it. */
export function httpServiceName(client: number): string {
  return `beats${FIRST + (client % SERVICES)}`;
}

/** All of these services. */
export const HTTP_SERVICES: readonly string[] = Array.from({ length: SERVICES }, (_, at) => httpServiceName(at));

/** The key of a service, by its name. */
export function httpServiceKey(name: string): ServiceKey {
  return leaseService(Number(name.slice("beats".length)));
}

/** A registration as its client and operators want it. */
export interface HttpState {
  readonly token: string;
  /** An operator has taken it out of service. */
  readonly isOut: boolean;
}

export const HTTP_PROTOCOLS = ["eureka"] as const;
export type HttpProtocol = (typeof HTTP_PROTOCOLS)[number];

/** A registration as a protocol lists it: its token, and the status if that is not the usual one. */
export function httpEntry(_protocol: HttpProtocol, { token, isOut }: HttpState): string | undefined {
  return isOut ? `${token}!` : token;
}
