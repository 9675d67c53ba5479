// Everything that nodes can be connected by: one port for each kind of link.

import type { MemberToMeta, MetaToMember } from "../../messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../../messages/replication.ts";
import type { DataToSession, SessionToData } from "../../messages/sessionData.ts";
import type { NetworkProcess, NodeNetwork } from "../network/nodeNetwork.ts";
import { Port } from "../network/port.ts";

export class Ports {
  readonly dataToMeta: Port<MemberToMeta, MetaToMember>;
  readonly sessionToMeta: Port<MemberToMeta, MetaToMember>;
  readonly sessionToData: Port<SessionToData, DataToSession>;
  readonly followerToLeader: Port<FollowerToLeader, LeaderToFollower>;

  constructor(network: NodeNetwork) {
    this.dataToMeta = new Port(network);
    this.sessionToMeta = new Port(network);
    this.sessionToData = new Port(network);
    this.followerToLeader = new Port(network);
  }

  /** A process is gone, and its links with it. */
  died(process: NetworkProcess, isSilent: boolean): void {
    this.dataToMeta.died(process, isSilent);
    this.sessionToMeta.died(process, isSilent);
    this.sessionToData.died(process, isSilent);
    this.followerToLeader.died(process, isSilent);
  }
}
