// The common part of worlds of every size.

import type { Weather } from "./network/byteStream.ts";
import type { LinkWeather } from "./network/machineNetwork.ts";
import type { Plan } from "./plan.ts";
import type { Dice } from "./random.ts";

// (this - the epoch of versions) << 15 is 2^53: from here on a version does not fit a JavaScript number.
export const LARGE_VERSIONS_MS = 1_821_149_906_944;
export const YEAR_MS = 31_536_000_000;
export const START_MS = 1_767_225_600_000;

export const STILL: LinkWeather = { delayMs: 0, spikeMs: 0, spikeChance: 0, splitChance: 0, noticeMs: 0 };

export function drawWeather(dice: Dice): Weather {
  return {
    delayMs: dice.between(0, 4),
    spikeMs: dice.between(5, 120),
    spikeChance: dice.chance(0.5) ? 0.02 : 0,
    splitChance: dice.chance(0.5) ? 0.3 : 0.02,
  };
}

export function drawConfig(dice: Dice): Plan["config"] {
  return {
    dataCenter: "DefaultDataCenter",
    zone: "Z1",
    frameBytesMax: 16 * 1024 * 1024,
    registrationBytesMax: 4 * 1024 * 1024,
    clientProbeMs: 5_000,
    clientIdleMs: 20_000,
    clientMuteIdleMs: 45_000,
    clientOutputBytesMax: 8 * 1024 * 1024,
    clientReturnGraceMs: 1_000,
    clientRegistrationsMax: 10_000,
    memoryBytesMax: 1024 * 1024 * 1024,
    clientBytesMax: 64 * 1024 * 1024,
    registrationsPerSecondMax: 100_000,
    pushTimeoutMs: dice.pick([500, 2_000]),
    pushRetriesMax: dice.pick([0, 3]),
    pushWindowMaxMs: dice.pick([0, 1_000]),
    pushCompress: dice.chance(0.5),
    pushCompressBytesMin: dice.pick([0, 4_096]),
    pushEncodings: ["zstd", "gzip"],
    sofaInvalidForeverZones: [],
    sofaInvalidForeverZonesExcept: [],
    sessionLeaseMs: dice.pick([10_000, 30_000]),
    versionScanIntervalMs: dice.pick([2_000, 5_000]),
    digestIntervalMs: dice.pick([3_000, 6_000]),
    operatorLogEntries: dice.pick([0, 3, 30]),
    payloadDifference: true,
    tombstoneMs: 180_000,
    serviceBytesMax: 16 * 1024 * 1024,
    emptyServicesMax: 100_000,
    dataBytesMax: 1024 * 1024 * 1024,
    restartHoldMs: dice.pick([8_000, 15_000]),
    lossProtectionPercent: 100,
    lossProtectionPublishersMin: 3,
    lossProtectionMaxMs: 30_000,
  };
}
