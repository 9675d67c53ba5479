// l: clients that are slow, or silent: none of them is sent a list twice, or closed, for that alone.

import { Buffer } from "node:buffer";
import type { Attack } from "../attack.ts";
import type { AttackConnection } from "../attacker/attackConnection.ts";
import type { Attacker } from "../attacker/attacker.ts";
import { publishFrame, registIdOf, subscribeFrame } from "../attacker/frames.ts";
import { FrameTemplate } from "../attacker/frameTemplate.ts";

const LIST = "attack-slow-list";
const PUBLISHERS = 3_000;
const PAYLOAD = "p".repeat(290);

const READ_BYTES = 8 * 1024;

/** A subscriber that reads no faster than this, all the time. */
async function openReading(attacker: Attacker, bytesPerSecond: number): Promise<AttackConnection> {
  const connection = await attacker.open({
    buffer: Buffer.allocUnsafe(READ_BYTES),
    onBytes: (bytes, slow) => {
      setTimeout(() => slow.resume(), (bytes / bytesPerSecond) * 1_000);
      return false;
    },
  });
  await subscribe(connection, `1${bytesPerSecond}`);
  return connection;
}

/** A subscriber behind a line of this speed with room for everything: what was sent has left long before it arrives. */
async function openBehindLine(attacker: Attacker, bytesPerSecond: number): Promise<AttackConnection> {
  let arrivedMs = 0;
  const connection = await attacker.open({
    onBytes: (bytes) => {
      const nowMs = performance.now();
      arrivedMs = Math.max(arrivedMs, nowMs) + (bytes / bytesPerSecond) * 1_000;
      return true;
    },
    onPush: ({ id }, slow) => void setTimeout(() => slow.answerPush(id), arrivedMs - performance.now()),
  });
  await subscribe(connection, `2${bytesPerSecond}`);
  return connection;
}

function subscribe(connection: AttackConnection, number: string): Promise<void> {
  return connection.send(subscribeFrame({ service: LIST, registId: registIdOf(number.padStart(10, "9")) }));
}

export const slowLines: Attack = {
  letter: "l",
  name: "slow-lines",
  isLight: true,
  sends: "3,000 publishers of 300 bytes to subscribers behind 200 KB/s and 50 KB/s",
  expected: "the list is sent once, and no one is closed",
  full: 50_000,
  short: 100_000,
  secondsMax: 45,
  shortSecondsMax: 11,
  async strike(attacker) {
    const writer = await attacker.open();
    const template = new FrameTemplate((number) =>
      publishFrame({ service: LIST, registId: registIdOf(number), boxes: [`${number}${PAYLOAD}`] }),
    );
    await attacker.sendAll(writer, template, { count: PUBLISHERS });
    await attacker.answered(writer, PUBLISHERS);
    await attacker.pause(PUSHED_MS);
    const readers = [];
    for (const speed of [200_000, attacker.size]) {
      readers.push(await openReading(attacker, speed), await openBehindLine(attacker, speed));
    }
    while (!attacker.isOver) await attacker.pause(100);
    for (const [number, { pushes, isClosed, bytesRead }] of readers.entries()) {
      attacker.tally.note(`subscriber ${number}: ${pushes} pushes, ${(bytesRead / 1e6).toFixed(2)} MB`);
      if (isClosed) attacker.tally.fail("a subscriber behind a slow line was closed");
      if (pushes > 1) attacker.tally.fail(`a subscriber behind a slow line was sent its list ${pushes} times`);
      if (bytesRead === 0) attacker.tally.fail("a subscriber behind a slow line was sent nothing");
    }
  },
};

// The publishers come at once: then there is one list.
const PUSHED_MS = 1_500;
const LATE = "attack-late";
const LATE_MS = 2_500;
const CHANGE_MS = 4_000;

export const lateAnswers: Attack = {
  letter: "l",
  name: "late-answers",
  isLight: true,
  sends: "answers to pushes after 2.5 s, while the service changes each four seconds",
  expected: "one push for each change",
  full: 4,
  short: 2,
  secondsMax: 25,
  shortSecondsMax: 12,
  async strike(attacker) {
    const writer = await attacker.open();
    const publish = (version: number) =>
      writer.send(
        publishFrame({
          service: LATE,
          registId: registIdOf("0000000001"),
          version: BigInt(version),
          boxes: [`${version}`],
        }),
      );
    await publish(1);
    await attacker.pause(300);
    const reader = await attacker.open({
      onPush: ({ id }, connection) => void setTimeout(() => connection.answerPush(id), LATE_MS),
    });
    await reader.send(subscribeFrame({ service: LATE, registId: registIdOf("0000000002") }));
    for (let change = 1; change <= attacker.size; change++) {
      await attacker.pause(CHANGE_MS);
      if (change < attacker.size) await publish(change + 1);
    }
    attacker.tally.note(`${reader.pushes} pushes for ${attacker.size} lists`);
    if (reader.pushes !== attacker.size) attacker.tally.fail(`${reader.pushes} pushes for ${attacker.size} lists`);
    if (reader.isClosed) attacker.tally.fail("a client that answers late was closed");
  },
};

const SILENT_SERVICES = 300;
// Far fewer than services: what is under way to a client is bounded.
const UNANSWERED_MAX = 150;

export const silentReader: Attack = {
  letter: "l",
  name: "silent-reader",
  isLight: true,
  sends: "a subscriber of 300 services that answers one push and then no more",
  expected: "few pushes are under way to it, and it is not closed for that",
  full: SILENT_SERVICES,
  short: SILENT_SERVICES,
  async strike(attacker) {
    const writer = await attacker.open();
    const template = new FrameTemplate((number) =>
      publishFrame({ service: `attack-silent-${number}`, registId: registIdOf(number) }),
    );
    await attacker.sendAll(writer, template);
    await attacker.answered(writer, attacker.size);
    // One that has never answered is taken for a client that does not know how, and is not waited for.
    const onPush = ({ id }: { id: number }, connection: AttackConnection) => {
      if (connection.pushes === 1) connection.answerPush(id);
    };
    const reader = await attacker.open({ onPush });
    const subscriptions = new FrameTemplate((number) =>
      subscribeFrame({ service: `attack-silent-${number}`, registId: registIdOf(number) }),
    );
    await attacker.sendAll(reader, subscriptions, { count: 1 });
    await attacker.until(() => reader.pushes > 0);
    await attacker.pause(ANSWERED_MS);
    await attacker.sendAll(reader, subscriptions, { from: 1, count: attacker.size - 1 });
    await attacker.pause(TIMEOUT_MS);
    attacker.tally.note(`${reader.pushes} pushes before the first could time out`);
    if (reader.pushes > UNANSWERED_MAX) attacker.tally.fail(`${reader.pushes} pushes are under way to a silent client`);
    if (reader.isClosed) attacker.tally.fail("a client that does not answer was closed at once");
  },
};

const ANSWERED_MS = 200;
const TIMEOUT_MS = 1_500;
