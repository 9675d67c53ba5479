// The connections between the nodes of a cluster: each is made whenever both ends run and nothing blocks it, and lost
// with either end.

import type { MemberToMeta, MetaToMember } from "../../messages/membership.ts";
import type { DataToSession, SessionToData } from "../../messages/sessionData.ts";
import type { NodeId } from "../../model/ids.ts";
import { Link } from "../network/link.ts";
import type { DataNode } from "./dataNode.ts";
import type { SimEnvironment } from "./environment.ts";
import type { MetaNode } from "./metaNode.ts";
import type { SessionNode } from "./sessionNode.ts";

interface Cable {
  readonly name: string;
  readonly link: { connect(): void; cut(): void; died(end: "a" | "b"): void; readonly isUp: boolean };
  readonly ends: readonly [{ readonly isRunning: boolean }, { readonly isRunning: boolean }];
  readonly fact: { readonly session: string; readonly data: string } | undefined;
  isBlocked: boolean;
}

// A node tries again about so often.
const CONNECT_MS = 300;

export class Links {
  readonly #environment: SimEnvironment;
  readonly #cables: Cable[] = [];
  readonly #data = new Map<string, Link<DataToSession, SessionToData>>();
  readonly #meta = new Map<string, Link<MetaToMember, MemberToMeta>>();

  constructor(environment: SimEnvironment) {
    this.#environment = environment;
  }

  joinData(session: SessionNode, data: DataNode): void {
    const link = new Link<DataToSession, SessionToData>(this.#linkEnvironment(), {
      a: {
        up: (isFresh) => session.step({ kind: "dataUp", node: data.id, isFresh }),
        down: () => session.step({ kind: "dataDown", node: data.id }),
        received: (message) => session.step({ kind: "fromData", from: data.id, message }),
      },
      b: {
        up: (isFresh) => data.step({ kind: "sessionUp", session: session.id, isFresh }),
        down: () => data.step({ kind: "sessionDown", session: session.id }),
        received: (message) => data.step({ kind: "received", from: session.id, message }),
      },
    });
    this.#data.set(`${session.id} ${data.id}`, link);
    const fact = { session: session.id, data: data.id };
    this.#cables.push({ name: `${session.id} ${data.id}`, link, ends: [session, data], fact, isBlocked: false });
  }

  joinMeta(member: SessionNode | DataNode, role: "session" | "data", meta: MetaNode): void {
    const { id } = member;
    const none = () => undefined;
    const link = new Link<MetaToMember, MemberToMeta>(this.#linkEnvironment(), {
      a: { up: none, down: none, received: (message) => toMember(member, message) },
      b: { up: none, down: none, received: (message) => meta.step({ kind: "received", from: { id, role }, message }) },
    });
    this.#meta.set(`${role} ${id}`, link);
    this.#cables.push({ name: `${role} ${id} meta`, link, ends: [member, meta], fact: undefined, isBlocked: false });
  }

  /** False if it is lost at once. */
  toData(session: NodeId, data: NodeId, message: SessionToData): boolean {
    return this.#data.get(`${session} ${data}`)?.toB(message) ?? false;
  }

  toSession(data: NodeId, session: NodeId, message: DataToSession): void {
    this.#data.get(`${session} ${data}`)?.toA(message);
  }

  toMeta(role: "session" | "data", id: NodeId, message: MemberToMeta): void {
    this.#meta.get(`${role} ${id}`)?.toB(message);
  }

  toMember(role: "session" | "data", id: NodeId, message: MetaToMember): void {
    this.#meta.get(`${role} ${id}`)?.toA(message);
  }

  /** The process of `end` is gone. */
  died(end: object): void {
    for (const cable of this.#cables) {
      if (!cable.ends.some((other) => other === end)) continue;
      this.#noteLost(cable);
      cable.link.died(cable.ends[0] === end ? "a" : "b");
    }
  }

  /** Connects what can be connected: at once, or each when its turn comes. */
  connect(isAtOnce: boolean): void {
    for (const cable of this.#cables) this.#connectSoon(cable, isAtOnce ? 0 : this.#environment.dice.below(CONNECT_MS));
  }

  /** Cuts one link for a while. */
  cutOne(durationMs: number): void {
    const { dice, scheduler, record } = this.#environment;
    const cable = dice.pick(this.#cables);
    if (cable.isBlocked || !cable.link.isUp) return;
    record({ kind: "fault", what: `link ${cable.name} is cut for ${durationMs} ms` });
    this.#noteLost(cable);
    cable.isBlocked = true;
    cable.link.cut();
    scheduler.after(durationMs, () => {
      cable.isBlocked = false;
      this.#connectSoon(cable, dice.below(CONNECT_MS));
    });
  }

  #connectSoon(cable: Cable, delayMs: number): void {
    const connect = () => {
      const [a, b] = cable.ends;
      if (cable.isBlocked || cable.link.isUp || !a.isRunning || !b.isRunning) return;
      if (cable.fact !== undefined) this.#environment.record({ kind: "linkMade", ...cable.fact });
      cable.link.connect();
    };
    if (delayMs === 0) connect();
    else this.#environment.scheduler.after(delayMs, connect);
  }

  #noteLost({ link, fact }: Cable): void {
    if (link.isUp && fact !== undefined) this.#environment.record({ kind: "linkLost", ...fact });
  }

  #linkEnvironment() {
    const { scheduler, dice, plan } = this.#environment;
    return { scheduler, dice: dice.fork(), weather: plan.linkWeather };
  }
}

function toMember(member: SessionNode | DataNode, message: MetaToMember): void {
  if ("accept" in member) member.step({ kind: "fromMeta", message });
  else if (message.kind === "slotTable") member.step({ kind: "slotTable", table: message.table });
}
