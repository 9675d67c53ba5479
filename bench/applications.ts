// `node bench/applications.ts [interfaces] [applications] [instances]`: what it takes to register every interface of
// every instance, and what it takes to register each instance once for its application, which describes its interfaces
// in a revision. Meta, data and session are a process each. One consumer of all interfaces then starts, and at last one
// instance is deployed anew.

import { connect, type Socket } from "node:net";
import { BoltDecoder } from "../src/encoding/bolt/decoder.ts";
import { encodeRequest } from "../src/encoding/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1, type BoltFrame } from "../src/encoding/bolt/frame.ts";
import { decodeMessage, encodeMessage } from "../src/protocols/sofa/codec/codec.ts";
import { ABSENT_MAP, type SofaMessage } from "../src/protocols/sofa/codec/messages.ts";
import { addressText, INSTANCE_BYTES, instanceText } from "./instances.ts";
import { headline } from "./machine.ts";
import { table } from "./micro/cost.ts";
import { rssBytes } from "./processes/usage.ts";
import { answerFrame } from "./protocols/sofa/answers.ts";
import { rosterCluster } from "./targets/roster.ts";
import type { RunningTarget } from "./targets/target.ts";

const FRAME_BYTES_MAX = 256 * 1024 * 1024;
const CONNECTIONS = 50;
const OPEN_MAX = 200;
const ASKED_MAX = 20;
const MIB = 1024 * 1024;

interface Size {
  readonly interfaces: number;
  readonly applications: number;
  readonly instances: number;
}

/** A client's connection: requests one after another up to a window, and the bytes of the pushes to it. */
class Client {
  readonly #socket: Socket;
  readonly #open = new Map<number, (frame: BoltFrame) => void>();
  #requests = 0;
  #resume: () => void = () => undefined;
  pushes = 0;
  pushBytes = 0;
  readonly pushed = new Set<string>();

  constructor(port: number) {
    const decoder = new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX });
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => decoder.push(chunk, (frame) => this.#heard(frame)));
  }

  /** Sends when there is room, and resolves when it was sent; `answered` resolves with the answer. */
  async send(message: SofaMessage): Promise<{ readonly answered: Promise<BoltFrame> }> {
    while (this.#open.size >= OPEN_MAX) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    const id = ++this.#requests;
    const { promise, resolve } = Promise.withResolvers<BoltFrame>();
    this.#open.set(id, resolve);
    this.#socket.write(encodeRequest(BOLT_V1, { id, timeoutMs: 3_000, ...encodeMessage("protobuf", message) }));
    return { answered: promise };
  }

  close(): void {
    this.#socket.destroy();
  }

  #checkTaken({ className, content }: BoltFrame): void {
    if (!className.endsWith("RegisterResponsePb")) return;
    const answer = decodeMessage("protobuf", className, content);
    if (answer.kind !== "registerResponse" || !answer.success) throw new Error(`refused: ${JSON.stringify(answer)}`);
  }

  #heard(frame: BoltFrame): void {
    if (frame.command === "heartbeat") return;
    if (frame.kind !== "response") {
      this.pushes++;
      this.pushBytes += frame.content.length;
      this.#socket.write(answerFrame("protobuf", frame.id));
      return;
    }
    if (frame.status !== BOLT_STATUS.SUCCESS) throw new Error(`answered with status ${frame.status}`);
    this.#checkTaken(frame);
    this.#open.get(frame.id)?.(frame);
    this.#open.delete(frame.id);
    this.#resume();
  }
}

const interfaceName = (at: number) => `com.example.bench.Service${String(at).padStart(5, "0")}:1.0@DEFAULT`;
const applicationName = (at: number) => `bench-application-${String(at).padStart(3, "0")}`;
const revisionOf = (application: number) =>
  `${String(application).padStart(4, "0")}${"0123456789abcdef".repeat(2).slice(4)}`;

let registrations = 0;

function base(dataId: string, registId: string, version = 1n) {
  const absent = { instanceId: null, zone: null, processId: null, clientId: null, dataInfoId: null, ip: null };
  const named = { appName: "bench", dataId, group: "SOFA", registId, port: null, eventType: "REGISTER" };
  return { ...absent, ...named, version, timestamp: 1n, attributes: ABSENT_MAP };
}

function publisher(dataId: string, text: string, revision?: string): SofaMessage {
  const registId = `00000000-0000-4000-8000-${String(registrations++).padStart(12, "0")}`;
  const attributes = revision === undefined ? ABSENT_MAP : new Map([["!Revision", revision]]);
  const box = { utf8: Buffer.from(text), units: text.length };
  return { kind: "publisherRegister", ...base(dataId, registId), attributes, dataList: [box] };
}

function subscriber(dataId: string): SofaMessage {
  const registId = `00000000-0000-4000-9000-${String(registrations++).padStart(12, "0")}`;
  return {
    kind: "subscriberRegister",
    ...base(dataId, registId),
    scope: "dataCenter",
    acceptEncoding: null,
    acceptMulti: false,
  };
}

/** What the address of an interface says beside host and port, once for each interface of a revision. */
const PARAMS = new Map(
  ["rpcVer=50803", "serialization=hessian2", "weight=100", "timeout=3000", "appName=bench", "v=4.0", "p=1"].map(
    (pair) => {
      const [key = "", value = ""] = pair.split("=");
      return [key, { values: [value] }];
    },
  ),
);

function metaRegister(application: number, interfaces: number): SofaMessage {
  const names = Array.from({ length: interfaces }, (_, at) => interfaceName(at));
  const services = new Map(names.map((name) => [name, { id: name, params: PARAMS }]));
  const [name, revision] = [applicationName(application), revisionOf(application)];
  return { kind: "metaRegister", application: name, revision, clientVersion: "bench", baseParams: new Map(), services };
}

async function settled(client: Client, lists: number): Promise<void> {
  for (let before = -1; client.pushes < lists || client.pushBytes !== before; ) {
    before = client.pushBytes;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

interface Result {
  readonly publications: number;
  readonly seconds: number;
  readonly memory: ReadonlyMap<string, number>;
  readonly startBytes: number;
  readonly deployBytes: number;
}

async function sendAll(clients: readonly Client[], messages: Iterable<SofaMessage>): Promise<void> {
  let at = 0;
  const answers = new Set<Promise<unknown>>();
  for (const message of messages) {
    const client = clients[at++ % clients.length];
    const sent = await client?.send(message);
    if (sent !== undefined && at % OPEN_MAX === 0) answers.add(sent.answered);
    if (answers.size > CONNECTIONS) await Promise.all(answers).then(() => answers.clear());
  }
  await Promise.all(answers);
}

async function measure(size: Size, isByApplication: boolean): Promise<Result> {
  const { interfaces, applications, instances } = size;
  const target = rosterCluster(new URL("..", import.meta.url).pathname);
  await target.prepare();
  const server: RunningTarget = await target.start();
  const { port } = server.address;
  const before = new Map(server.processes.map(({ name, pid }) => [name, rssBytes(pid)]));
  const clients = Array.from({ length: CONNECTIONS }, () => new Client(port));
  const beganMs = performance.now();
  function* publishers(): Generator<SofaMessage> {
    for (let application = 0; application < applications; application++) {
      for (let instance = 0; instance < instances; instance++)
        yield* ofInstance(application * instances + instance, application);
    }
  }
  function* ofInstance(number: number, application: number): Generator<SofaMessage> {
    if (isByApplication)
      return yield publisher(applicationName(application), addressText(number), revisionOf(application));
    for (let at = 0; at < interfaces; at++) {
      const service = { workload: "ap", number: at };
      yield publisher(interfaceName(at), instanceText({ service, number, revision: 0 }));
    }
  }
  if (isByApplication) {
    for (let application = 0; application < applications; application++) {
      const { answered } = (await clients[0]?.send(metaRegister(application, interfaces))) ?? {};
      await answered;
    }
  }
  await sendAll(clients, publishers());
  const publications = registrations;
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const seconds = (performance.now() - beganMs) / 1_000 - 5;
  const memory = new Map(server.processes.map(({ name, pid }) => [name, rssBytes(pid) - (before.get(name) ?? 0)]));

  const consumer = new Client(port);
  let startBytes = 0;
  const lists = isByApplication ? applications : interfaces;
  if (isByApplication) {
    const serviceIds = Array.from({ length: interfaces }, (_, at) => interfaceName(at));
    startBytes += await bytesOf(consumer, { kind: "serviceAppMappingRequest", serviceIds });
    const ids = Array.from({ length: applications }, (_, at) => revisionOf(at));
    for (let at = 0; at < ids.length; at += ASKED_MAX) {
      startBytes += await bytesOf(consumer, { kind: "getRevisionsRequest", revisions: ids.slice(at, at + ASKED_MAX) });
    }
  }
  const names = Array.from({ length: lists }, (_, at) => (isByApplication ? applicationName(at) : interfaceName(at)));
  for (const name of names) await (await consumer.send(subscriber(name))).answered;
  await settled(consumer, lists);
  startBytes += consumer.pushBytes;
  consumer.pushBytes = 0;
  consumer.pushes = 0;
  await sendAll(clients, [...ofInstance(applications * instances, 0)]);
  await settled(consumer, isByApplication ? 1 : interfaces);
  const deployBytes = consumer.pushBytes;
  for (const client of [...clients, consumer]) client.close();
  await server.stop();
  return { publications, seconds, memory, startBytes, deployBytes };
}

async function bytesOf(client: Client, message: SofaMessage): Promise<number> {
  const { answered } = await client.send(message);
  return (await answered).content.length;
}

const [interfaces = 1_000, applications = 50, instances = 20] = process.argv.slice(2).map(Number);
const size = { interfaces, applications, instances };
const results: Result[] = [];
for (const isByApplication of [false, true]) {
  registrations = 0;
  results.push(await measure(size, isByApplication));
}
const [byInterface, byApplication] = results;
if (byInterface === undefined || byApplication === undefined) throw new Error("both were measured");

function row(name: string, of: (result: Result) => number, unit: string, digits = 0): string[] {
  const [before, after] = [byInterface, byApplication].map((result) => (result === undefined ? 0 : of(result)));
  const text = (value = 0) => `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
  return [name, text(before), text(after), `${((before ?? 0) / Math.max(after ?? 0, 1e-9)).toFixed(1)}`];
}
console.log(`${headline(new URL("..", import.meta.url).pathname, "node bench/applications.ts")}\n`);
console.log(
  `${interfaces} interfaces, ${applications} applications that offer all of them, ${instances} instances each, ${INSTANCE_BYTES} bytes an address\n`,
);
console.log(
  table(
    ["", "by interface", "by application", "times less"],
    [
      row("publications", ({ publications }) => publications, ""),
      row("registered in", ({ seconds }) => seconds, "s", 1),
      ...["session", "data", "meta"].map((name) =>
        row(`${name}: RSS more`, ({ memory }) => (memory.get(name) ?? 0) / MIB, "MiB", 1),
      ),
      row("a consumer of everything starts", ({ startBytes }) => startBytes / MIB, "MiB", 2),
      row("one instance is deployed", ({ deployBytes }) => deployBytes / 1024, "KiB", 1),
    ],
  ),
);
process.exit(0);
