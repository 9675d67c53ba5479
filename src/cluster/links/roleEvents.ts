// The events that the links of a process deliver to its roles, and the messages and links that the roles ask for. Each
// type is a subset of the role's own events or outputs: this layer imports no role.

import type { NodeId } from "../../model/ids.ts";
import type { Member, MemberAddress, MemberToMeta, MetaToMember } from "../messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../messages/replication.ts";
import type { DataToSession, SessionToData } from "../messages/sessionData.ts";

/** Events from the meta nodes, for both kinds of members. */
export type MemberEvent = { readonly kind: "metaUp" } | { readonly kind: "fromMeta"; readonly message: MetaToMember };

/** Events from members, for the role meta. */
export type MetaLinkEvent =
  | { readonly kind: "received"; readonly from: Member; readonly message: MemberToMeta }
  | { readonly kind: "memberUp"; readonly member: Member }
  | { readonly kind: "memberDown"; readonly member: Member };

/** Events from sessions, leaders and followers, for the role data. */
export type DataLinkEvent =
  | MemberEvent
  | { readonly kind: "fromSession"; readonly from: NodeId; readonly message: SessionToData }
  | { readonly kind: "sessionUp"; readonly session: NodeId }
  | { readonly kind: "sessionDown"; readonly session: NodeId }
  | { readonly kind: "fromLeader"; readonly from: NodeId; readonly message: LeaderToFollower }
  | { readonly kind: "leaderUp"; readonly node: NodeId }
  | { readonly kind: "leaderDown"; readonly node: NodeId }
  | { readonly kind: "fromFollower"; readonly from: NodeId; readonly message: FollowerToLeader }
  | { readonly kind: "followerUp"; readonly node: NodeId }
  | { readonly kind: "followerDown"; readonly node: NodeId };

/** Events from data nodes, for the role session. */
export type SessionLinkEvent =
  | MemberEvent
  | { readonly kind: "fromData"; readonly from: NodeId; readonly message: DataToSession }
  | { readonly kind: "dataUp"; readonly node: NodeId }
  | { readonly kind: "dataDown"; readonly node: NodeId };

/** Messages of the role session, and the links that it wants. */
export interface SessionLinkOutput {
  toMeta(message: MemberToMeta): void;
  toData(node: NodeId, message: SessionToData): void;
  linkData(nodes: readonly MemberAddress[]): void;
}

/** Messages of the role data, and the links that it wants. */
export interface DataLinkOutput {
  toMeta(message: MemberToMeta): void;
  toSession(session: NodeId, message: DataToSession): void;
  toLeader(node: NodeId, message: FollowerToLeader): void;
  toFollower(node: NodeId, message: LeaderToFollower): void;
  linkLeaders(nodes: readonly MemberAddress[]): void;
}
