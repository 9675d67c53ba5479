// All connections between nodes: one port for each kind of link.

import type { MemberToMeta, MetaToMember } from "../../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../../cluster/messages/replication.ts";
import type { DataToSession, SessionToData } from "../../cluster/messages/sessionData.ts";
import type { NetworkProcess, NodeNetwork } from "../network/nodeNetwork.ts";
import { asBytes } from "../network/nodeWords.ts";
import { Port } from "../network/port.ts";

export class Ports {
  readonly dataToMeta: Port<MemberToMeta, MetaToMember>;
  readonly sessionToMeta: Port<MemberToMeta, MetaToMember>;
  readonly sessionToData: Port<SessionToData, DataToSession>;
  readonly followerToLeader: Port<FollowerToLeader, LeaderToFollower>;

  constructor(network: NodeNetwork) {
    const meta = { toListener: asBytes("roster.MemberToMeta"), toDialer: asBytes("roster.MetaToMember") };
    this.dataToMeta = new Port(network, meta);
    this.sessionToMeta = new Port(network, meta);
    this.sessionToData = new Port(network, {
      toListener: asBytes("roster.SessionToData"),
      toDialer: asBytes("roster.DataToSession"),
    });
    this.followerToLeader = new Port(network, {
      toListener: asBytes("roster.FollowerToLeader"),
      toDialer: asBytes("roster.LeaderToFollower"),
    });
  }

  /** A process is gone, and its links with it. */
  died(process: NetworkProcess, isSilent: boolean): void {
    this.dataToMeta.died(process, isSilent);
    this.sessionToMeta.died(process, isSilent);
    this.sessionToData.died(process, isSilent);
    this.followerToLeader.died(process, isSilent);
  }
}
