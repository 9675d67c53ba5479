// One exchange with etcd's JSON gateway: a POST, and the answers that come back. Nothing here tries twice.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { EtcdFailure, EtcdRefusal } from "./failure.ts";
import type { EtcdTarget } from "./target.ts";

/** Connections at a time; more calls wait for one. */
const CONNECTIONS_MAX = 8;

/** A connection that is not established by then has no server behind it. */
const CONNECT_MS = 1_000;

// Firewalls forget connections that are silent for minutes.
const KEEP_ALIVE_MS = 10_000;

/** An answer is larger only if another program writes our records. */
const ANSWER_BYTES_MAX = 512 * 1024 * 1024;

/** A JSON object of a request or an answer. */
export type Json = Readonly<Record<string, unknown>>;

export interface Post {
  readonly url: string;
  /** The body, JSON. */
  readonly text: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

export class Exchange {
  readonly #tls: EtcdTarget["tls"];
  readonly #agent: HttpAgent | HttpsAgent;

  constructor({ tls, endpoints }: EtcdTarget) {
    this.#tls = tls;
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX, maxFreeSockets: CONNECTIONS_MAX };
    const isTls = endpoints[0]?.startsWith("https:") === true;
    this.#agent = isTls ? new HttpsAgent({ ...options, ...tls }) : new HttpAgent(options);
  }

  /** Posts, and reads the one answer. */
  async call(post: Post): Promise<Json> {
    const response = await this.#send(post, this.#agent);
    const text = await textOf(response);
    const answer = parsed(text.split("\n", 1)[0] ?? "", response);
    if (response.statusCode === 200) return answer;
    throw refusalOf(answer);
  }

  /** Posts, and hands on each answer until the stream ends. It does not take the place of a call. */
  async stream(post: Post, read: (answer: Json) => void): Promise<never> {
    const response = await this.#send(post, false);
    if (response.statusCode !== 200) throw refusalOf(parsed(await textOf(response), response));
    await readLines(response, (line) => {
      const answer = parsed(line, response);
      if (!isObject(answer["result"])) throw refusalOf(isObject(answer["error"]) ? answer["error"] : answer);
      read(answer["result"]);
    });
    throw new EtcdFailure("etcd has ended the stream");
  }

  close(): void {
    this.#agent.destroy();
  }

  #send({ url, text, token, signal }: Post, agent: HttpAgent | HttpsAgent | false): Promise<IncomingMessage> {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      ...(token !== undefined && { authorization: token }),
    };
    const isTls = url.startsWith("https:");
    const options = { method: "POST", headers, signal, agent, ...(isTls && this.#tls) };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (isTls ? httpsRequest : httpRequest)(url, options, resolve);
    request.on("error", reject);
    request.on("socket", (socket) => {
      if (!socket.connecting) return;
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      const timer = setTimeout(() => request.destroy(new EtcdFailure(UNREACHED)), CONNECT_MS);
      for (const event of ["connect", "close"]) socket.once(event, () => clearTimeout(timer));
    });
    request.end(text);
    return promise;
  }
}

const UNREACHED = `no connection within ${CONNECT_MS} ms`;
const UNREACHED_CODES = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

/** Whether the request did not reach a server, and so was not carried out. */
export function isUnreached(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnreached);
  if (error instanceof EtcdFailure) return error.message === UNREACHED;
  return error instanceof Error && "code" in error && UNREACHED_CODES.includes(String(error.code));
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string, { statusCode }: IncomingMessage): Json {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new EtcdFailure(`the answer is not etcd's: ${statusCode} ${text.slice(0, 100)}`);
  }
  if (!isObject(answer)) throw new EtcdFailure("the answer is not etcd's");
  return answer;
}

function refusalOf(answer: Json): EtcdRefusal {
  const code = answer["code"] ?? answer["grpc_code"];
  const reason = answer["message"] ?? answer["error"] ?? "no reason";
  return new EtcdRefusal(typeof code === "number" ? code : 2, String(reason));
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes = checkedBytes(bytes + part.length);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

async function readLines(response: IncomingMessage, read: (line: string) => void): Promise<void> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = part.indexOf(0x0a); at >= 0; at = part.indexOf(0x0a, from)) {
      const line = Buffer.concat([...parts, part.subarray(from, at)]).toString();
      parts = [];
      bytes = 0;
      from = at + 1;
      if (line !== "") read(line);
    }
    bytes = checkedBytes(bytes + part.length - from);
    parts.push(part.subarray(from));
  }
}

function checkedBytes(bytes: number): number {
  if (bytes > ANSWER_BYTES_MAX) throw new EtcdFailure(`the answer has more than ${ANSWER_BYTES_MAX} bytes`);
  return bytes;
}
