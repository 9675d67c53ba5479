// `node bench/micro/store.ts [count]`: what publications cost in memory and time, kept as objects, packed, and packed
// with payload differences. Stand-alone, since it needs no server. For each variant one process fills 256 slots with
// 1,000 services of `count / 1000` publications, reads them and then changes them at random: memory is what the
// process has grown by after a warm-up, with full collections before and after; rates are for a second of the main
// thread's CPU, net of making publications. Another process does the same changes in a single slot, several times
// over, and takes for each call the shortest of its times: a long one that is left belongs to the call and not to the
// machine's other work.

import { execFileSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PackedMemory } from "../../src/data/packed/packedStore.ts";
import { PlainMemory } from "../../src/data/packed/plainStore.ts";
import type { PublicationMemory, ServicePublications } from "../../src/data/packed/publicationStore.ts";
import { clientId, hostNumberOf, nodeId, type ServiceKey } from "../../src/model/ids.ts";
import type { Publication } from "../../src/model/publication.ts";
import { makeServiceKey } from "../../src/model/serviceKey.ts";
import { slotOf } from "../../src/model/slot.ts";
import { hostRandom } from "../../src/transport/random.ts";

const VARIANTS: Readonly<Record<string, () => PublicationMemory>> = {
  plain: () => new PlainMemory(),
  packed: () => new PackedMemory({ payloadDifference: false }, hostRandom),
  "packed, differences": () => new PackedMemory({ payloadDifference: true }, hostRandom),
};

const COUNT_DEFAULT = 1_000_000;
const WARM_UP = 5_000;
const WARM_UP_ROUNDS = 10;
const CHANGES_MAX = 250_000;
const PAUSES_COUNT_MAX = 100_000;
const PAUSES_RUNS = 3;
const READS = 200_000;
const BATCH = 1_000;
// The young generation would grow with the garbage of the benchmark itself, by 100 MiB and whatever is measured.
const NODE_OPTIONS = ["--expose-gc", "--max-semi-space-size=16"];
const SETTLE_MS = 200;

const SERVICES = 1_000;
const SLOTS = 256;
const PER_CLIENT = 10;
const PAYLOAD_BYTES = 150;
const SESSION = nodeId("session-1.6f1c2a9b");
const NO_ATTRIBUTES = new Map<string, string>();
const ENCODER = new TextEncoder();

const KEYS: readonly ServiceKey[] = Array.from({ length: SERVICES }, (_, at) =>
  makeServiceKey({ name: `com.example.trade.facade.OrderQueryFacade${at}:1.0:DEFAULT`, namespace: "", group: "" }),
);

/** 32 bits that look random and are always the same for the same number. */
function scrambled(number: number): number {
  let h = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function registIdOf(number: number): string {
  const word = (at: number): string =>
    scrambled(number * 4 + at + 1)
      .toString(16)
      .padStart(8, "0");
  const [first, second, third, fourth] = [word(0), word(1), word(2), word(3)];
  return flat(`${first}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${fourth}`);
}

/** A joined text is kept in its pieces until somebody looks into it; one from a decoder is not. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** The publication of this number, as a decoder would make it: no object is shared with an earlier one. */
function publicationOf(number: number, { version = 1, longer = 0 } = {}): Publication {
  const client = Math.floor(number / PER_CLIENT);
  const ip = `10.${(client >> 16) & 0xff}.${(client >> 8) & 0xff}.${client & 0xff}`;
  const startMs = 1_763_800_000_000 + (scrambled(client) % 86_400_000);
  const address = `${ip}:${12_200 + (number % 7)}?v=4.0&_SERIALIZETYPE=hessian2&_WEIGHT=100&app_name=orders`;
  const payload = `${address}&startTime=${startMs}&_TIMEOUT=3000&zone=cell-1`;
  return {
    serviceKey: KEYS[number % SERVICES] as ServiceKey,
    registId: registIdOf(number),
    version: BigInt(version),
    registeredMs: startMs + version,
    owner: { session: SESSION, client: clientId(flat(`${ip}:40123_10.0.0.1:9600#${client}`)) },
    zone: "cell-1",
    appName: flat(`app-${client % 100}`),
    attributes: NO_ATTRIBUTES,
    payload: ENCODER.encode(payload.padEnd(PAYLOAD_BYTES + longer, "-")),
  };
}

/** All services, each in the store of its slot. */
function servicesOf(memory: PublicationMemory, slots: number): ServicePublications[] {
  const stores = Array.from({ length: slots }, () => memory.store());
  return KEYS.map((key) => (stores[slotOf(key, slots)] ?? memory.store()).service(key));
}

/** A number of calls, each with a publication that is made before. */
interface Phase {
  readonly name: string;
  readonly calls: number;
  make(at: number): Publication;
  call(service: ServicePublications, publication: Publication): void;
}

function phasesFor(count: number): readonly Phase[] {
  const calls = Math.min(count, CHANGES_MAX);
  const any = (at: number): number => scrambled(at) % count;
  const longer = (at: number): number => scrambled(at + 7) % 60;
  const set = (service: ServicePublications, publication: Publication): void => service.set(publication);
  const again = (service: ServicePublications, publication: Publication): void => {
    service.delete(publication.registId);
    service.set(publication);
  };
  return [
    { name: "set new", calls: count, make: publicationOf, call: set },
    { name: "renew", calls, make: (at) => publicationOf(any(at), { version: 2 }), call: set },
    { name: "replace, other length", calls, make: (at) => publicationOf(any(at), { longer: longer(at) }), call: set },
    { name: "delete and set", calls, make: (at) => publicationOf(any(at)), call: again },
  ];
}

/** In batches: the calls of one, for which everything is ready. */
function run({ calls, make, call }: Phase, services: ServicePublications[], time: (batch: () => void) => void): void {
  for (let start = 0; start < calls; start += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, calls - start) }, (_, at) => make(start + at));
    const targets = batch.map(({ serviceKey }) => services[KEY_NUMBERS.get(serviceKey) ?? 0] as ServicePublications);
    time(() => {
      for (const [at, publication] of batch.entries()) call(targets[at] as ServicePublications, publication);
    });
  }
}

const KEY_NUMBERS = new Map(KEYS.map((key, at) => [key, at]));

/** Calls for each second of the main thread. */
class Rate {
  calls = 0;
  #microseconds = 0;

  time(batch: () => void): void {
    const before = process.threadCpuUsage();
    batch();
    const { user, system } = process.threadCpuUsage(before);
    this.#microseconds += user + system;
  }

  get shown(): string {
    return `${(this.calls / this.#microseconds).toFixed(2)} M/s`;
  }
}

function rateOf(phase: Phase, services: ServicePublications[]): string {
  const rate = new Rate();
  rate.calls = phase.calls;
  run(phase, services, (batch) => rate.time(batch));
  return rate.shown;
}

/** Reads at random, with the keys made first. */
function rateOfReads(
  { reads, count }: { reads: number; count: number },
  services: readonly ServicePublications[],
  read: (service: ServicePublications, registId: string) => unknown,
): string {
  const rate = new Rate();
  for (; rate.calls < reads; rate.calls += BATCH) {
    const numbers = Array.from({ length: BATCH }, (_, at) => scrambled(rate.calls + at) % count);
    const keys = numbers.map(registIdOf);
    const targets = numbers.map((number) => services[number % SERVICES] as ServicePublications);
    rate.time(() => {
      for (let at = 0; at < BATCH; at++) sink.push(read(targets[at] as ServicePublications, keys[at] as string));
    });
    sink.length = 0;
  }
  return rate.shown;
}

function rateOfIteration(
  services: readonly ServicePublications[],
  all: (service: ServicePublications) => Iterable<unknown>,
): string {
  const rate = new Rate();
  for (const service of services) {
    rate.time(() => {
      for (const one of all(service)) sink.push(one);
    });
    rate.calls += sink.length;
    sink.length = 0;
  }
  return rate.shown;
}

/** Publications gone over in search of those at one host. */
function rateOfSearch(services: readonly ServicePublications[]): string {
  const rate = new Rate();
  const hosts = new Set([hostNumberOf(clientId("10.0.5.7:1"))]);
  for (const service of services) {
    rate.time(() => {
      const search = service.searchAt(hosts);
      while (!search.isDone) sink.push(search.next(service.size));
    });
    rate.calls += service.size;
    sink.length = 0;
  }
  return rate.shown;
}

// Values read go here; otherwise the compiler would see that they are not used.
const sink: unknown[] = [];

/** The collector gives memory back in the background. */
async function rssAfterGc(): Promise<number> {
  for (let run = 0; run < 4; run++) {
    globalThis.gc?.();
    await sleep(SETTLE_MS);
  }
  return process.memoryUsage.rss();
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

type Figures = Record<string, string>;

function readAll(services: readonly ServicePublications[], reads: number, count: number): Figures {
  const size = { reads, count };
  return {
    get: rateOfReads(size, services, (service, registId) => service.get(registId)),
    registration: rateOfReads(size, services, (service, registId) => service.registration(registId)),
    values: rateOfIteration(services, (service) => service.values()),
    registrations: rateOfIteration(services, (service) => service.registrations()),
    "search for a host": rateOfSearch(services),
  };
}

/** Compiles what is measured later, without taking much memory. */
function warmUp(makeMemory: () => PublicationMemory): void {
  const services = servicesOf(makeMemory(), SLOTS);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const phase of phasesFor(WARM_UP)) rateOf(phase, services);
    readAll(services, WARM_UP, WARM_UP);
    for (const service of services) service.clear();
  }
}

async function measure(makeMemory: () => PublicationMemory, count: number): Promise<Figures> {
  warmUp(makeMemory);
  const rssBefore = await rssAfterGc();
  const memory = makeMemory();
  const services = servicesOf(memory, SLOTS);
  const [inserting, ...changing] = phasesFor(count);
  const inserted = rateOf(inserting as Phase, services);
  const rss = await rssAfterGc();
  const figures: Figures = {
    "RSS growth, each": `${((rss - rssBefore) / count).toFixed(0)} B`,
    "off the heap, each": `${(memory.bytes / count).toFixed(0)} B`,
    "RSS of the process": mebibytes(rss),
    "set new": inserted,
    ...readAll(services, READS, count),
  };
  for (const phase of changing) figures[phase.name] = rateOf(phase, services);
  figures["RSS after these changes"] = mebibytes(await rssAfterGc());
  figures["off the heap after these changes"] = mebibytes(memory.bytes);
  return figures;
}

/** The longest calls in one slot that holds it all. */
function measurePauses(makeMemory: () => PublicationMemory, countWanted: number): Figures {
  const count = Math.min(countWanted, PAUSES_COUNT_MAX);
  const phases = phasesFor(count);
  const shortest = phases.map(({ calls }) => new Float64Array(calls).fill(Number.POSITIVE_INFINITY));
  for (let pass = 0; pass < PAUSES_RUNS; pass++) {
    const services = servicesOf(makeMemory(), 1);
    for (const [at, phase] of phases.entries()) {
      const times = shortest[at] as Float64Array;
      let next = 0;
      const call = (service: ServicePublications, publication: Publication): void => {
        const before = performance.now();
        phase.call(service, publication);
        const ms = performance.now() - before;
        if (ms < (times[next] as number)) times[next] = ms;
        next++;
      };
      run({ ...phase, call }, services, (batch) => batch());
    }
  }
  const longest = (times: Float64Array): string => `${times.reduce((a, b) => Math.max(a, b)).toFixed(2)} ms`;
  return Object.fromEntries(
    phases.map(({ name }, at) => [`longest ${name}`, longest(shortest[at] as Float64Array)] as const),
  );
}

/** A Markdown table with a column for each variant. */
function table(results: readonly (readonly [variant: string, figures: Figures])[]): string {
  const names = Object.keys(results[0]?.[1] ?? {});
  const rows = names.map((name) => [name, ...results.map(([, figures]) => figures[name])]);
  const lines = [["", ...results.map(([variant]) => variant)], ["---", ...results.map(() => "---")], ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const MODES = { all: measure, pauses: measurePauses } as const;

const [mode, variant = "", given] = process.argv.slice(2);
const makeMemory = VARIANTS[variant];
if (makeMemory !== undefined && (mode === "all" || mode === "pauses")) {
  process.stdout.write(JSON.stringify(await MODES[mode](makeMemory, Number(given))));
} else {
  const count = Number(mode ?? COUNT_DEFAULT);
  const load = loadavg()[0]?.toFixed(2);
  console.log(`${count} publications, Node ${process.version}, ${cpus()[0]?.model}, load ${load}\n`);
  const figuresOf = (name: string, mode: string): Figures => {
    const args = [...NODE_OPTIONS, fileURLToPath(import.meta.url), mode, name, String(count)];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  };
  const variants = Object.keys(VARIANTS);
  console.log(table(variants.map((name) => [name, { ...figuresOf(name, "all"), ...figuresOf(name, "pauses") }])));
}
