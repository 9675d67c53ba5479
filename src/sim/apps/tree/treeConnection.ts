// One connection of a client of the tree, as ZooKeeper's own clients hold one: it begins or continues a session, sends
// pings, expects the answers in order, and gives up a server that it has not heard for two thirds of the session.

import type { Cancel } from "../../../base/ports.ts";
import { FrameDecoder } from "../../../encoding/jute/frames.ts";
import { JuteReader } from "../../../encoding/jute/reader.ts";
import { frameHead, JuteWriter } from "../../../encoding/jute/writer.ts";
import { OPERATION, XID } from "../../../protocols/zookeeper/codec/operations.ts";
import type { SimEnvironment } from "../../cluster/environment.ts";
import type { SimNode } from "../../cluster/simNode.ts";
import { Wire } from "../../network/wire.ts";
import type { Write } from "./treeRecords.ts";

/** A session as its client knows it; id 0: it has none. */
export interface KnownSession {
  readonly id: number;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly code: number;
  readonly zxid: number;
  readonly body: JuteReader;
}

export interface Fired {
  readonly event: number;
  readonly path: string;
  readonly zxid: number;
}

export interface TreeConnectionEvents {
  /** The answer to the greeting: the session, with id 0 if the old one has ended. */
  readonly connected: (session: KnownSession) => void;
  readonly answered: (sentMs: number, zxid: number) => void;
  readonly fired: (fired: Fired) => void;
  /** The connection is over; everything that waited was told so. */
  readonly lost: () => void;
  readonly wrong: (what: string) => void;
}

interface Asked {
  readonly xid: number;
  readonly sentMs: number;
  /** Undefined: the connection was lost before the answer. */
  readonly done: (answer: Answer | undefined) => void;
}

const FRAME_BYTES_MAX = 1_048_576;
const CONNECT_MS = 2_500;
const NOTICE_MS = 100;

export class TreeConnection {
  readonly #environment: SimEnvironment;
  readonly #events: TreeConnectionEvents;
  readonly #wire: Wire;
  readonly #frames = new FrameDecoder(FRAME_BYTES_MAX);
  readonly #timeoutMs: number;
  #asked: Asked[] = [];
  #xid = 0;
  #isConnected = false;
  #hasEnded = false;
  #heardMs: number;
  #cancelTick: Cancel = () => undefined;

  constructor(
    environment: SimEnvironment,
    { session, process }: SimNode,
    known: { readonly session: KnownSession; readonly zxid: number; readonly address: string },
    events: TreeConnectionEvents,
  ) {
    this.#environment = environment;
    this.#events = events;
    this.#timeoutMs = known.session.timeoutMs;
    const { scheduler, dice, plan } = environment;
    this.#heardMs = scheduler.nowMs;
    this.#wire = new Wire(
      {
        ...{ scheduler, dice: dice.fork(), weather: plan.weather },
        serverLost: () => process?.gate.message(() => session?.forget(this.#wire)),
        buffered: () => undefined,
        slowed: () => undefined,
      },
      { client: known.address, server: "10.255.0.1:2181" },
    );
    this.#wire.use({
      received: (chunk) => this.#received(chunk),
      drained: () => undefined,
      closed: () => this.#end(),
    });
    session?.acceptTree(this.#wire);
    const { id, password, timeoutMs } = known.session;
    const greeting = new JuteWriter().int(0).long(BigInt(known.zxid)).int(timeoutMs).long(BigInt(id)).buffer(password);
    this.#send(greeting.bool(false).done());
    this.#tick();
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.#hasEnded;
  }

  /** The number of requests without an answer, pings among them. */
  get waiting(): number {
    return this.#asked.length;
  }

  ask(type: number, write: Write, done: Asked["done"], fixedXid?: number): void {
    if (this.#hasEnded) return done(undefined);
    const xid = fixedXid ?? ++this.#xid;
    this.#asked.push({ xid, sentMs: this.#environment.scheduler.nowMs, done });
    const writer = new JuteWriter().int(xid).int(type);
    write(writer);
    this.#send(writer.done());
  }

  /** It breaks; both sides are told, the server a little later, unless `isSilent`. */
  break(isSilent: boolean): void {
    const { dice } = this.#environment;
    if (isSilent) this.#wire.fallSilent();
    else this.#wire.cut({ clientMs: dice.below(NOTICE_MS), serverMs: dice.below(NOTICE_MS) });
  }

  /** The client's process ends. */
  die(isSilent: boolean): void {
    this.#wire.die("client");
    this.break(isSilent);
    this.#giveUp();
  }

  #tick(): void {
    const { scheduler } = this.#environment;
    const silentMs = scheduler.nowMs - this.#heardMs;
    const patienceMs = this.#isConnected ? (this.#timeoutMs * 2) / 3 : CONNECT_MS;
    if (silentMs >= patienceMs) {
      this.#wire.clientEnd.close();
      return this.#end();
    }
    if (this.#isConnected)
      this.ask(
        OPERATION.ping,
        () => undefined,
        () => undefined,
        XID.ping,
      );
    const waitMs = Math.min(this.#timeoutMs / 4, patienceMs - silentMs);
    this.#cancelTick = scheduler.after(Math.max(1, Math.ceil(waitMs)), () => this.#tick());
  }

  #send(frame: Uint8Array): void {
    this.#wire.clientEnd.write(frameHead(frame.length), frame);
  }

  #received(chunk: Uint8Array): void {
    this.#heardMs = this.#environment.scheduler.nowMs;
    this.#frames.push(chunk);
    for (;;) {
      const frame = this.#hasEnded ? undefined : this.#frames.next();
      if (frame === undefined) return;
      if (this.#isConnected) this.#take(new JuteReader(frame));
      else this.#greeted(new JuteReader(frame));
    }
  }

  #greeted(from: JuteReader): void {
    from.int();
    const timeoutMs = from.int();
    const id = Number(from.long());
    const password = from.buffer()?.slice() ?? new Uint8Array(0);
    this.#isConnected = true;
    this.#events.connected({ id, password, timeoutMs });
  }

  #take(body: JuteReader): void {
    const [xid, zxid, code] = [body.int(), Number(body.long()), body.int()];
    if (xid === XID.watchEvent) {
      const event = body.int();
      body.int();
      return this.#events.fired({ event, path: body.string(), zxid });
    }
    const asked = this.#asked.shift();
    if (asked?.xid !== xid) return this.#events.wrong(`an answer to ${xid}, and ${asked?.xid} is next`);
    this.#events.answered(asked.sentMs, zxid);
    asked.done({ code, zxid, body });
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#giveUp();
    this.#events.lost();
  }

  #giveUp(): void {
    this.#hasEnded = true;
    this.#cancelTick();
    const asked = this.#asked;
    this.#asked = [];
    for (const { done } of asked) done(undefined);
  }
}
