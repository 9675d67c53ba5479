// k: what reaches operators: configuration values, log lines, names, and what is on disk.

import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { encodeRequest } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import type { Attack } from "../attack.ts";
import type { Attacker } from "../attacker/attacker.ts";
import { publishFrame, registIdOf, subscribeFrame } from "../attacker/frames.ts";
import { NodeLink } from "../attacker/nodeLink.ts";

const VALUE_CHARS = 1_000_000;

export const configValues: Attack = {
  letter: "k",
  name: "config-values",
  sends: "configuration values of 1 MB by HTTP",
  expected: "refused beyond a count and a sum of bytes",
  full: 1_343,
  short: 300,
  secondsMax: 20,
  shortSecondsMax: 6,
  async strike(attacker) {
    const data = "c".repeat(VALUE_CHARS);
    for (let number = 0; number < attacker.size && !attacker.isOver; number++) {
      const body = JSON.stringify({ dataId: `attack-config-${number}`, group: "attack", instanceId: "attack", data });
      attacker.tally.bytesSent += body.length;
      const { host, metaHttpPort } = attacker.target;
      const answer = await fetch(`http://${host}:${metaHttpPort}/persistentData/put`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const { success, message } = (await answer.json()) as { success: boolean; message: string | null };
      attacker.tally.answered(success ? "success" : (message ?? `HTTP status ${answer.status}`));
    }
    if (attacker.tally.accepted > VALUES_MAX) attacker.tally.fail(`${attacker.tally.accepted} values were stored`);
  },
};

// Configuration is some hundred short values; so many of 1 MB are no configuration.
const VALUES_MAX = 128;
const LOG_LINES_MAX = 1_000;
const GARBAGE = [
  Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  Buffer.alloc(64, 0xff),
  frameOf("com.example.Unknown", Buffer.from("x")),
  frameOf("com.alipay.sofa.registry.core.model.PublisherRegister", Buffer.from("no Hessian")),
  Buffer.from(publishFrame({ service: "", registId: registIdOf("0000000000") })),
];

function frameOf(className: string, content: Uint8Array): Buffer {
  return Buffer.from(encodeRequest(BOLT_V1, { id: 1, timeoutMs: 1, codec: BOLT_CODEC.HESSIAN, className, content }));
}

export const garbage: Attack = {
  letter: "k",
  name: "garbage",
  sends: "connections that send what is no frame, or a frame with nothing in it that can be read",
  expected: "closed or refused, and logged a few times, not each time",
  full: 60_000,
  short: 15_000,
  async strike(attacker) {
    const sender = async (first: number) => {
      for (let number = first; number < attacker.size && !attacker.isOver; number += SENDERS) {
        const socket = await attacker.dial(attacker.target.boltPort);
        socket?.resume();
        socket?.end(GARBAGE[number % GARBAGE.length] ?? "");
        await attacker.until(() => socket?.destroyed ?? true);
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, (_, first) => sender(first)));
    attacker.tally.note(`${attacker.tally.connections} connections`);
  },
  async look({ server }) {
    const lines = server.log.filter((byte) => byte === NEWLINE).length;
    return lines > LOG_LINES_MAX ? [`${lines} lines were logged, ${server.logBytes} bytes`] : [];
  },
};

const SENDERS = 20;
const NEWLINE = 0x0a;
const CONTROLS = [
  "\u009b31mred",
  "\u202egnp.exe",
  "a\u2028b",
  "\u001b[2J",
  "a\u0000b",
  "\u007f",
  "\u0085next",
  "\u200fx",
];

// As UTF-8 that must not stand in a log: C1 controls, marks of direction, line separators. A line of the log ends in a
// line feed; no other control of ASCII is in it.
const RAW = [/\xc2[\x80-\x9f]/, /\xe2\x80[\x8e\x8f\xa8-\xae]/];

function hasControls(log: Buffer): boolean {
  return log.some((byte) => (byte < SPACE && byte !== NEWLINE) || byte === DELETE);
}

const SPACE = 0x20;
const DELETE = 0x7f;

export const controlCharacters: Attack = {
  letter: "k",
  name: "control-characters",
  isLight: true,
  sends: "names with U+009B, U+202E, escapes and line ends, from clients and from nodes",
  expected: "refused, or escaped in every log line",
  full: 20,
  short: 2,
  server: { hasNodePort: true, flags: ["--log-level=debug"] },
  async strike(attacker) {
    for (let round = 0; round < attacker.size && !attacker.isOver; round++) {
      for (const text of CONTROLS) await strikeWith(attacker, text);
    }
  },
  async look({ server }) {
    const log = server.log.toString("latin1");
    const failures = RAW.filter((raw) => raw.test(log)).map((raw) => `the log holds ${raw.source} as it is`);
    return hasControls(server.log) ? [...failures, "the log holds control characters of ASCII"] : failures;
  },
};

async function strikeWith(attacker: Attacker, text: string): Promise<void> {
  const connection = await attacker.open();
  const names = { service: `attack-${text}`, registId: registIdOf("0000000001") };
  await connection.send(publishFrame(names));
  await connection.send(subscribeFrame({ ...names, zone: text }));
  await connection.send(publishFrame({ service: "attack", registId: text, attributes: new Map([[text, text]]) }));
  await connection.send(frameOfOddClass(text));
  await attacker.pause(20);
  connection.close();
  const link = await NodeLink.open(attacker, { from: `attack-${text}.1`, roles: ["session"], link: "data" });
  link?.close();
}

/** Our own encoder writes no such name. */
function frameOfOddClass(text: string): Buffer {
  const bytes = Buffer.from(text);
  const frame = frameOf(`com.example.${"?".repeat(bytes.length)}`, Buffer.from("x"));
  bytes.copy(frame, frame.indexOf("?"));
  return frame;
}

const NODE_IDS = ["", "x".repeat(1_000), "y".repeat(60_000), "a b.1", "../../etc/passwd.1", "\u202enode.1", "<b>.1"];

export const nodeIds: Attack = {
  letter: "k",
  name: "node-ids",
  isLight: true,
  sends: "greetings of nodes whose id is empty, very long, or holds what no name may hold",
  expected: "refused with the reason",
  full: 3,
  short: 1,
  server: { hasNodePort: true },
  async strike(attacker) {
    for (let round = 0; round < attacker.size; round++) {
      for (const from of NODE_IDS) {
        const link = await NodeLink.open(attacker, { from, roles: ["session"], link: "data" });
        if (link?.isAccepted === true) attacker.tally.fail(`a node ${JSON.stringify(from.slice(0, 30))} was accepted`);
        link?.close();
      }
    }
  },
};

const DAMAGED = ["[]", '[{"leader":"nobody.1"}]', "not JSON", '{"slots":1}'];

export const damagedSlotTable: Attack = {
  letter: "k",
  name: "damaged-slot-table",
  isLight: true,
  sends: "nothing: the slot table's record on disk is damaged while the server is down",
  expected: "the server refuses to start and says why",
  full: 4,
  short: 2,
  secondsMax: 1,
  shortSecondsMax: 1,
  strike: async () => undefined,
  async look({ restart }) {
    const failures: string[] = [];
    for (const text of DAMAGED) {
      const outcome = await restart((dataDir) => damage(dataDir, text)).then(
        () => "the server is ready",
        (error: Error) => error.message,
      );
      if (!outcome.startsWith("the server ended")) failures.push(`${outcome} with the slot table ${text}`);
    }
    return failures;
  },
};

function damage(dataDir: string, text: string): void {
  const database = new DatabaseSync(join(dataDir, STORE_FILE));
  const slots = `{"epoch":"1","slots":${text}}`;
  const sql = "UPDATE record_version SET value = CAST(? AS BLOB) WHERE key = 'meta/slot-table' AND until IS NULL";
  database.prepare(sql).run(slots);
  database.close();
}

const STORE_FILE = "roster.db";
