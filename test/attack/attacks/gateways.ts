// m: the ports of the other protocols. Honest are SOFARegistry's clients, who must feel nothing of it.

import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import type { Socket } from "node:net";
import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker/attacker.ts";
import type { Scene } from "../scene.ts";
import type { GatewayPorts } from "../target.ts";
import { mutated } from "./mutation.ts";

type GatewayName = keyof GatewayPorts;

/** The first bytes of a client, by the port that takes them; the first ones of a port are one message. */
const FIRST_BYTES: readonly (readonly [GatewayName, Buffer])[] = [
  ["eureka", http("GET /eureka/apps HTTP/1.1")],
  ["eureka", http("POST /eureka/apps/ORDERS HTTP/1.1", '{"instance":{"instanceId":"a","app":"ORDERS"}}')],
  ["eureka", http("PUT /eureka/apps/ORDERS/a?status=UP HTTP/1.1")],
  ["nacos", http("POST /nacos/v1/ns/instance?serviceName=orders&ip=10.0.0.1&port=80 HTTP/1.1")],
  ["nacos", http("GET /nacos/v1/ns/instance/list?serviceName=orders&clusters=a,b HTTP/1.1")],
  ["nacos", http("PUT /nacos/v1/ns/instance/beat?serviceName=orders&beat=%7B%22ip%22%3A%22a%22%7D HTTP/1.1")],
  ["nacos", http("GET /nacos/v1/cs/configs?dataId=a&group=b HTTP/1.1")],
  ["consul", http("PUT /v1/agent/service/register HTTP/1.1", '{"Name":"orders","Port":80,"Check":{"TTL":"5s"}}')],
  ["consul", http("GET /v1/health/service/orders?filter=Service.Port%3D%3D80&index=1&wait=1s HTTP/1.1")],
  ["consul", http("PUT /v1/kv/some/key?cas=0&flags=1 HTTP/1.1", "value")],
  ["consul", http("PUT /v1/txn HTTP/1.1", '[{"KV":{"Verb":"set","Key":"a","Value":"YQ=="}}]')],
  ["nacosGrpc", grpcCall("ServerCheckRequest", "{}")],
  ["nacosGrpc", grpcCall("InstanceRequest", '{"serviceName":"orders","type":"registerInstance","instance":{}}')],
  ["zookeeper", zooKeeperConnect()],
  ["zookeeper", Buffer.concat([zooKeeperConnect(), zooKeeperRequest(8, zooKeeperPath("/"), Buffer.of(1))])],
  ["zookeeper", Buffer.concat([zooKeeperConnect(), zooKeeperRequest(1, zooKeeperPath("/a"), zooKeeperCreated())])],
  ["zookeeper", Buffer.from("stat")],
  ["dns", framed(dnsQuery("orders.service.consul"))],
];

const PORTS: readonly GatewayName[] = ["eureka", "nacos", "consul", "nacosGrpc", "zookeeper", "dns"];

const DRIBBLE_MS = 500;
// ZooKeeper's port, like the real one, waits the longest for the first bytes of a client.
const CLOSED_MS_MAX = 40_000;

export const dribbledRequests: Attack = {
  letter: "m",
  name: "dribbled-requests",
  isLight: true,
  sends: "to each port of the other protocols, connections whose first request comes byte by byte",
  expected: "closed when the request is not there in time",
  full: 300,
  short: 50,
  secondsMax: 60,
  shortSecondsMax: 8,
  async strike(attacker) {
    const dribbles = PORTS.map((name) => dribble(attacker, name));
    const open = (await Promise.all(dribbles)).flat();
    attacker.tally.note(`${open.length} of ${attacker.size * PORTS.length} are open`);
    // The short form is over before.
    if (attacker.isFull && open.length > 0) attacker.tally.fail(`${open.length} connections are still open`);
  },
};

/** Connects to a port and sends slowly; returns the connections that are open in the end. */
async function dribble(attacker: Attacker, name: GatewayName): Promise<readonly Socket[]> {
  const bytes = FIRST_BYTES.find(([port]) => port === name)?.[1] ?? Buffer.alloc(0);
  const sockets: Socket[] = [];
  for (let count = 0; count < attacker.size && !attacker.isOver; count++) {
    const socket = await attacker.dial(attacker.target.gateways[name]);
    if (socket !== undefined) sockets.push(socket.resume());
  }
  const startMs = performance.now();
  const isOpen = ({ destroyed }: Socket) => !destroyed;
  for (let sent = 0; sockets.some(isOpen) && !attacker.isOver; sent++) {
    // The last byte never comes.
    const next = bytes.subarray(sent, sent + 1);
    if (sent < bytes.length - 1) for (const socket of sockets) if (isOpen(socket)) socket.write(next);
    await attacker.pause(DRIBBLE_MS);
    if (performance.now() - startMs > CLOSED_MS_MAX) break;
  }
  return sockets.filter(isOpen);
}

const SENDERS = 12;
const ANSWER_MS = 30;
// Enough for the first of each kind; the rest is counted, not logged.
const LOG_LINES_MAX = 2_000;

export const mutatedRequests: Attack = {
  letter: "m",
  name: "mutated-requests",
  sends: "to each port of the other protocols, requests in which bytes are changed, left out or doubled, by seed",
  expected: "refused or answered; the ports go on serving, and the log stays small",
  full: 200_000,
  short: 6_000,
  secondsMax: 120,
  shortSecondsMax: 8,
  async strike(attacker) {
    const sender = async (first: number) => {
      for (let seed = first; seed < attacker.size && !attacker.isOver; seed += SENDERS)
        await sendMutated(attacker, seed);
    };
    const datagrams = createSocket("udp4");
    datagrams.on("error", () => undefined);
    for (let seed = 0; seed < attacker.size / 10; seed++) {
      const query = mutated(dnsQuery(`orders${seed}.service.consul`), seed);
      datagrams.send(query, attacker.target.gateways.dns, attacker.target.host);
      if (seed % 100 === 0) await attacker.pause(1);
    }
    await Promise.all(Array.from({ length: SENDERS }, (_, first) => sender(first)));
    datagrams.close();
    attacker.tally.note(`${attacker.tally.connections} connections`);
  },
  look: lookAtGateways,
};

async function sendMutated(attacker: Attacker, seed: number): Promise<void> {
  const [name, bytes] = FIRST_BYTES[seed % FIRST_BYTES.length] ?? ["dns", Buffer.alloc(0)];
  const socket = await attacker.dial(attacker.target.gateways[name]);
  if (socket === undefined) return;
  const heard = new Promise<void>((resolve) => {
    socket.once("data", () => resolve()).once("close", () => resolve());
    setTimeout(resolve, ANSWER_MS);
  });
  socket.write(mutated(bytes, seed));
  await heard;
  socket.destroy();
}

/** The ports answer after the attack as before. */
async function lookAtGateways({ server }: Scene): Promise<readonly string[]> {
  const { host, gateways } = server.target;
  const urls = [
    `http://${host}:${gateways.eureka}/eureka/apps`,
    `http://${host}:${gateways.nacos}/nacos/v1/ns/service/list?pageNo=1&pageSize=1`,
    `http://${host}:${gateways.consul}/v1/catalog/services`,
  ];
  const answers = urls.map(async (url) => {
    const status = await fetch(url, { headers: { connection: "close" } }).then(
      (answer) => answer.status,
      (error: unknown) => String(error),
    );
    return status === 200 ? [] : [`${url} is answered ${status}`];
  });
  const lines = server.log.filter((byte) => byte === NEWLINE).length;
  const logged = lines > LOG_LINES_MAX ? [`${lines} lines were logged, ${server.logBytes} bytes`] : [];
  return [...(await Promise.all(answers)).flat(), ...logged];
}

const NEWLINE = 0x0a;

function http(line: string, body = ""): Buffer {
  const head = `${line}\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return Buffer.from(`${head}\r\n${body}`);
}

/** An HTTP/2 connection with one gRPC call, the payload in Nacos' envelope. */
function grpcCall(type: string, json: string): Buffer {
  const field = (tag: number, bytes: Buffer) => Buffer.concat([Buffer.of(tag, bytes.length), bytes]);
  const metadata = field(0x12, field(0x1a, Buffer.from(type)));
  const payload = Buffer.concat([metadata, field(0x1a, field(0x12, Buffer.from(json)))]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(payload.length, 1);
  // POST, http, then :path and content-type by their indexes in the static table, with plain values.
  const plain = (index: readonly number[], value: string) =>
    Buffer.concat([Buffer.of(...index, value.length), Buffer.from(value)]);
  const headers = [Buffer.of(0x83, 0x86), plain([0x04], "/Request/request"), plain([0x0f, 0x10], "application/grpc")];
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    http2Frame({ type: 4, flags: 0, stream: 0 }, Buffer.alloc(0)),
    http2Frame({ type: 1, flags: 4, stream: 1 }, Buffer.concat(headers)),
    http2Frame({ type: 0, flags: 1, stream: 1 }, Buffer.concat([prefix, payload])),
  ]);
}

function http2Frame({ type, flags, stream }: { type: number; flags: number; stream: number }, body: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

function zooKeeperConnect(): Buffer {
  const body = Buffer.alloc(45);
  body.writeInt32BE(30_000, 12);
  body.writeInt32BE(16, 24);
  return sized(body);
}

function zooKeeperRequest(type: number, ...parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(1, 0);
  head.writeInt32BE(type, 4);
  return sized(Buffer.concat([head, ...parts]));
}

function zooKeeperPath(path: string): Buffer {
  return sized(Buffer.from(path));
}

/** The data, the ACL `world:anyone` with all permissions, and the flags of a node that is created. */
function zooKeeperCreated(): Buffer {
  const one = Buffer.of(0, 0, 0, 1);
  const all = Buffer.of(0, 0, 0, 31);
  const acl = Buffer.concat([one, all, sized(Buffer.from("world")), sized(Buffer.from("anyone"))]);
  return Buffer.concat([sized(Buffer.from("data")), acl, Buffer.alloc(4)]);
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function dnsQuery(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const head = Buffer.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  return Buffer.concat([head, ...labels, Buffer.of(0, 0, 33, 0, 1)]);
}

function framed(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}
