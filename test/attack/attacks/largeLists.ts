// d, e: lists that are too large for their readers, and one that is encoded again and again.

import type { Attack } from "../attack.ts";
import { publishFrame, referringFrame, registIdOf, subscribeFrame } from "../attacker/frames.ts";
import { FrameTemplate } from "../attacker/frameTemplate.ts";

const LIST = "attack-list";
const BOX = "x".repeat(32 * 1024);

export const listTooLarge: Attack = {
  letter: "d",
  name: "list-too-large",
  sends: "six payloads of 16 MiB and many of 4 MiB into one service with 20 honest subscribers",
  expected: "refused when the list is full; every subscriber reads on",
  full: 60,
  short: 16,
  readers: { service: LIST, count: 20 },
  async strike(attacker) {
    const template = (count: number) =>
      new FrameTemplate((number) =>
        referringFrame({ service: LIST, registId: registIdOf(number) }, { box: BOX, count }),
      );
    const connections = await Promise.all(
      ["127.0.0.1", "127.0.2.1", "127.0.2.2"].map((localAddress) => attacker.open({ localAddress })),
    );
    const [first] = connections;
    if (first === undefined) return;
    await attacker.sendAll(first, template(511), { count: 6 });
    await attacker.answered(first, 6);
    for (let frame = 0; frame < attacker.size && !attacker.isOver; frame++) {
      const connection = connections[frame % connections.length] ?? first;
      await attacker.sendAll(connection, template(127), { from: 6 + frame, count: 1 });
      await attacker.pause(20);
    }
    await attacker.until(() => connections.reduce((sum, { answers }) => sum + answers, 0) >= 6 + attacker.size);
  },
};

const WIDE = "attack-zones";
const PAYLOAD = "dubbo://10.0.0.1:20880/com.example.Service?timeout=3000&".repeat(5);

export const gzipZones: Attack = {
  letter: "e",
  name: "gzip-zones",
  sends: "gzip subscriptions from as many zones to one list of thousands, and a write each second",
  expected: "the list is compressed once for all zones, and pushed in turns",
  full: 300,
  short: 150,
  async strike(attacker) {
    const publishers = attacker.isFull ? 10_000 : 4_000;
    const template = new FrameTemplate((number) =>
      publishFrame({ service: WIDE, registId: registIdOf(number), boxes: [`${PAYLOAD}${number}`] }),
    );
    const writer = await attacker.open();
    await attacker.sendAll(writer, template, { count: publishers });
    await attacker.answered(writer, publishers);
    const reader = await attacker.open();
    for (let zone = 0; zone < attacker.size; zone++) {
      const how = { form: "protobuf", acceptEncoding: "gzip", zone: `zone-${zone}` } as const;
      await reader.send(subscribeFrame({ id: zone, service: WIDE, registId: `a77ac4e1-${zone}`, ...how }));
    }
    await attacker.until(() => reader.pushes >= attacker.size);
    for (let write = 2; !attacker.isOver; write++) {
      const boxes = [`${PAYLOAD}changed ${write}`];
      const registId = registIdOf("0000000000");
      await writer.send(publishFrame({ service: WIDE, registId, version: BigInt(write), boxes }));
      await attacker.pause(Math.min(1_000, attacker.leftMs));
    }
    attacker.tally.note(`${(reader.bytesRead / 1e6).toFixed(0)} MB pushed`);
  },
};
