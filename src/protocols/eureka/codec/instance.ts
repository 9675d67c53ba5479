// An instance in Eureka's words (InstanceInfo of eureka-client 2.0.6), whatever form it was written in.

export const STATUSES = ["UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN"] as const;
export type Status = (typeof STATUSES)[number];

export const ACTION_TYPES = ["ADDED", "MODIFIED", "DELETED"] as const;
export type ActionType = (typeof ACTION_TYPES)[number];

export interface EurekaPort {
  readonly number: number;
  readonly isEnabled: boolean;
}

export const DATA_CENTERS = ["MyOwn", "Amazon", "Netflix"] as const;

export interface DataCenterInfo {
  readonly name: (typeof DATA_CENTERS)[number];
  /** Of Amazon only. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Durations in seconds, times in ms. */
export interface LeaseInfo {
  readonly renewalIntervalInSecs: number;
  readonly durationInSecs: number;
  readonly registrationTimestamp: number;
  readonly lastRenewalTimestamp: number;
  readonly evictionTimestamp: number;
  readonly serviceUpTimestamp: number;
}

/** The texts of an instance that may be missing, in the order in which the real server writes them. */
export const URL_FIELDS = [
  "homePageUrl",
  "statusPageUrl",
  "healthCheckUrl",
  "secureHealthCheckUrl",
  "vipAddress",
  "secureVipAddress",
] as const;
export type UrlField = (typeof URL_FIELDS)[number];

export interface EurekaInstance {
  readonly instanceId: string;
  readonly hostName: string;
  /** In upper case. */
  readonly app: string;
  readonly appGroupName: string | undefined;
  readonly ipAddr: string;
  readonly sid: string | undefined;
  readonly status: Status;
  readonly overriddenStatus: Status;
  readonly port: EurekaPort;
  readonly securePort: EurekaPort;
  readonly countryId: number;
  readonly dataCenterInfo: DataCenterInfo;
  readonly leaseInfo: LeaseInfo;
  readonly metadata: ReadonlyMap<string, string>;
  readonly urls: ReadonlyMap<UrlField, string>;
  readonly isCoordinatingDiscoveryServer: boolean;
  /** Times in ms. */
  readonly lastUpdatedTimestamp: number;
  readonly lastDirtyTimestamp: number;
  readonly actionType: ActionType;
  readonly asgName: string | undefined;
  readonly life?: Life;
}

/** The instance that a request or a word is about. */
export type Named = Pick<EurekaInstance, "app" | "instanceId">;

/** The part of an instance that servers alone know, and no body has. Times in ms. */
export interface Life {
  /** The time of its registration as a new one; the later ones followed on that. */
  readonly bornMs: number;
  /** The time of an operator's last word about the status; 0: there was none. */
  readonly operatorMs: number;
}

// The values that the real server has for what a client leaves out.
export const DEFAULTS = {
  port: 7_001,
  securePort: 7_002,
  countryId: 1,
  renewalIntervalInSecs: 30,
  durationInSecs: 90,
} as const;

export function isStatus(text: string): text is Status {
  return (STATUSES as readonly string[]).includes(text);
}

/** The names of an instance's virtual host, of which a service may have several. */
export function vipsOf(address: string | undefined): readonly string[] {
  return address === undefined || address === "" ? [] : address.split(",");
}
