// The registrations of every workload: services with names of one length, and instances of exactly 150 bytes, so that a
// registration can be written into a template and a list's length tells its number of instances.

import { Buffer } from "node:buffer";

/** A workload's services are numbered; its name keeps those of different workloads apart. */
export interface Service {
  /** Two characters. */
  readonly workload: string;
  readonly number: number;
}

/** One address of one service. */
export interface Instance {
  readonly service: Service;
  /** Unique in the workload, below INSTANCES_MAX. */
  readonly number: number;
  /** Counts up when the instance registers again with something else to say; part of its payload. */
  readonly revision: number;
}

/** The bytes of an instance's address and settings: what SOFARPC's take. */
export const INSTANCE_BYTES = 150;

const OCTET_VALUES = 150;
/** So many addresses can be told apart. */
export const INSTANCES_MAX = OCTET_VALUES ** 3;

/** The name of a service, 45 characters. */
export function serviceText({ workload, number }: Service): string {
  return `com.example.bench.${workload}.Service${String(number).padStart(5, "0")}:1.0@DEFAULT`;
}

/** `ip:port`, 21 characters. */
export function addressText(number: number): string {
  return `${ipText(number)}:12200`;
}

/** An address, 15 characters. */
export function ipText(number: number): string {
  const high = 100 + (Math.floor(number / OCTET_VALUES ** 2) % OCTET_VALUES);
  const middle = 100 + (Math.floor(number / OCTET_VALUES) % OCTET_VALUES);
  return `${10}.${high}.${middle}.${100 + (number % OCTET_VALUES)}`;
}

/** Address and settings: 150 ASCII characters. Of two instances address and start differ, as they do in life. */
export function instanceText({ number, revision }: Instance): string {
  const settings = "rpcVer=50803&serialization=hessian2&weight=100&timeout=3000&appName=bench&v=4.0&p=1";
  // A deployment takes ten minutes, and its instances come up in any order.
  const startMs = 1_700_000_000_000 + revision * 1_000_003 + ((number * 2_654_435_761) % 600_000);
  return `${addressText(number)}?${settings}&startTime=${startMs}`.padEnd(INSTANCE_BYTES, "&language=java");
}

// A driver that registers instances twice in one server, in two runs, must not meet its own.
const RUN = Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");

/** A UUID for an instance's registration, the same for all its revisions. */
export function registIdText({ service, number }: Instance): string {
  return `${RUN}-${hex(service.number & 0xffff, 4)}-4${hex(number & 0xfff, 3)}-8bc4-${hex(number, 12)}`;
}

/** The numbers from 0 to `count - 1` as instances, dealt out to the services in turn. */
export function dealInstances(workload: string, count: number, services: number): Instance[] {
  return Array.from({ length: count }, (_, number) => ({
    service: { workload, number: number % services },
    number,
    revision: 0,
  }));
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
