import fc from "fast-check";
import {
  ACTION_TYPES,
  DATA_CENTERS,
  type DataCenterInfo,
  type EurekaInstance,
  STATUSES,
  URL_FIELDS,
  type UrlField,
} from "../codec/instance.ts";

/** An instance as a usual client registers it. */
export function anEurekaInstance(changes: Partial<EurekaInstance> = {}): EurekaInstance {
  return {
    instanceId: "10.0.0.1:orders:8080",
    hostName: "orders-1.local",
    app: "ORDERS",
    appGroupName: undefined,
    ipAddr: "10.0.0.1",
    sid: undefined,
    status: "UP",
    overriddenStatus: "UNKNOWN",
    port: { number: 8_080, isEnabled: true },
    securePort: { number: 443, isEnabled: false },
    countryId: 1,
    dataCenterInfo: { name: "MyOwn", metadata: new Map() },
    leaseInfo: {
      renewalIntervalInSecs: 30,
      durationInSecs: 90,
      registrationTimestamp: 1_000,
      lastRenewalTimestamp: 1_000,
      evictionTimestamp: 0,
      serviceUpTimestamp: 1_000,
    },
    metadata: new Map([["color", "blue"]]),
    urls: new Map([["vipAddress", "orders"]]),
    isCoordinatingDiscoveryServer: false,
    lastUpdatedTimestamp: 1_000,
    lastDirtyTimestamp: 990,
    actionType: "ADDED",
    asgName: undefined,
    ...changes,
  };
}

function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

/** A text as a client may choose it; of the characters that XML can't hold none. */
const text = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom("<&>\"'", "é\u{1f600}", "a b", "__proto__", "constructor", "@enabled", "1"),
);
const name = text.filter((value) => value.trim() !== "");
const timeMs = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const seconds = fc.integer({ min: 1, max: 0x7fff_ffff });
const port = record({ number: fc.integer({ min: 0, max: 0xffff }), isEnabled: fc.boolean() });
const optionalName = fc.option(name, { nil: undefined });

const entries = fc
  .array(
    fc.tuple(
      name.filter((key) => key !== "@class"),
      text,
    ),
    { maxLength: 5 },
  )
  .map((pairs) => new Map(pairs));

const dataCenterInfo: fc.Arbitrary<DataCenterInfo> = fc
  .tuple(fc.constantFrom(...DATA_CENTERS), entries)
  .map(([kind, metadata]) => ({ name: kind, metadata: kind === "Amazon" ? metadata : new Map() }));

const urls = fc
  .array(fc.tuple(fc.constantFrom<UrlField>(...URL_FIELDS), name), { maxLength: 6 })
  .map((pairs) => new Map(pairs));

/** Any instance that can be written and read. */
export const eurekaInstances: fc.Arbitrary<EurekaInstance> = record({
  instanceId: name,
  hostName: name,
  app: name.map((value) => value.toUpperCase()),
  appGroupName: fc.option(
    name.map((value) => value.toUpperCase()),
    { nil: undefined },
  ),
  ipAddr: name,
  sid: fc.option(
    name.filter((value) => value !== "na" && value !== "unknown"),
    { nil: undefined },
  ),
  status: fc.constantFrom(...STATUSES),
  overriddenStatus: fc.constantFrom(...STATUSES),
  port,
  securePort: port,
  countryId: fc.integer({ min: 0, max: 0x7fff_ffff }),
  dataCenterInfo,
  leaseInfo: record({
    renewalIntervalInSecs: seconds,
    durationInSecs: seconds,
    registrationTimestamp: timeMs,
    lastRenewalTimestamp: timeMs,
    evictionTimestamp: timeMs,
    serviceUpTimestamp: timeMs,
  }),
  metadata: entries,
  urls,
  isCoordinatingDiscoveryServer: fc.boolean(),
  lastUpdatedTimestamp: timeMs,
  lastDirtyTimestamp: timeMs,
  actionType: fc.constantFrom(...ACTION_TYPES),
  asgName: optionalName,
});
