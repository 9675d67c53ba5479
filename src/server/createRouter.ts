// This node as operators see it, and its way to the other nodes.

import { TELL_ACCESS } from "../access/accessFollower.ts";
import type { MetaRow } from "../admin/memberRows.ts";
import type { NodeRole, OperatedAccess, OperatedMeta, OperatedNode, SettingRow } from "../admin/operatedNode.ts";
import { INNER_OPERATIONS } from "../admin/operations/inner.ts";
import { OPERATIONS } from "../admin/operations.ts";
import { refusalOf } from "../admin/refusal.ts";
import { type AskedNode, OperationRouter } from "../admin/router.ts";
import type { Budget } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import { camelCase } from "../base/keySpec.ts";
import type { Log } from "../base/ports.ts";
import { DYNAMIC_KEY_NAMES } from "../model/dynamicKeys.ts";
import { type NodeId, nodeNameOf, type ServiceKey } from "../model/ids.ts";
import { settingRules, settingsIn } from "../model/settings.ts";
import { hostClock } from "../transport/clock.ts";
import { hostSecrets } from "../transport/secrets.ts";
import { type AuditTrail, KEEP_AUDIT } from "./access/auditTrail.ts";
import type { Claim } from "./access/claim.ts";
import type { NodeAccess } from "./access/nodeAccess.ts";
import type { Config } from "./config/table.ts";
import type { GatewayQuestions } from "./gatewayQuestions.ts";
import { hiddenPublications, hiddenServices } from "./hiddenPublications.ts";
import type { LoadedGateway } from "./loadGateways.ts";
import type { MetaHost } from "./metaHost.ts";
import { packageVersion } from "./packageVersion.ts";
import type { PersistentHost } from "./persistent/persistentHost.ts";
import { notReadyOf } from "./readiness.ts";
import type { NodeRecords } from "./records/nodeRecords.ts";
import type { Roles } from "./roles.ts";

export interface RouterHost {
  readonly config: Pick<Config, "roles">;
  /** The configuration that the process was started with. */
  readonly configured: Config;
  readonly log: Log;
  readonly ops: Pick<OperatedNode, "isStopping" | "stop">;
  readonly roles: Roles;
  readonly access: NodeAccess;
  readonly claim: Pick<Claim, "check">;
  readonly audit: AuditTrail;
  readonly open: () => readonly string[];
  readonly questions: GatewayQuestions;
  readonly records: Pick<NodeRecords, "answers">;
  readonly persistent: Pick<PersistentHost, "registrations"> | undefined;
  readonly budget: Pick<Budget, "open">;
  readonly gateways: readonly LoadedGateway[];
  /** The address for other nodes: `host:port`. */
  readonly address: string;
}

/** The part that answers operators at this node; other nodes reach it from now on. */
export function createRouter(environment: RouterHost): OperationRouter {
  const { log, roles, access, audit } = environment;
  const { network } = roles;
  const router: OperationRouter = new OperationRouter([...OPERATIONS, ...INNER_OPERATIONS], nodeOf(environment), {
    log,
    ask: (to, { waitMs, ...asked }, outcome) => network.operations.ask(to, { asked, waitMs }, outcome),
    mayDo: (principal, permission) => access.set.mayDo(principal, permission),
    audit: audit.record,
  });
  network.operations.attach({
    leader: () => roles.meta?.meta.leader?.holder,
    answer: ({ operation, parameters, by }, reply) => {
      const records = environment.records.answers.answer(operation, parameters);
      if (records !== undefined) return replyWith(() => records, reply);
      if (operation === TELL_ACCESS) return replyWith(async () => access.tell(parameters), reply);
      if (operation === KEEP_AUDIT) return replyWith(() => audit.keep(parameters).then(() => "null"), reply);
      const answered =
        environment.questions.answer(operation, parameters) ?? router.answerHere(operation, parameters, by);
      void answered.then(({ status, body }) => reply(status, JSON.stringify(body)));
    },
  });
  return router;
}

/** Answers another node with a text in JSON, or with a refusal. */
function replyWith(answer: () => Promise<string>, reply: (status: number, body: string) => void): void {
  void answer().then(
    (body) => reply(200, body),
    (error: unknown) => {
      const { status, body } = refusalOf(error);
      reply(status, JSON.stringify(body));
    },
  );
}

function nodeOf(environment: RouterHost): AskedNode {
  const { config, ops, roles } = environment;
  const { session, data, meta } = roles;
  return {
    id: roles.id,
    roles: config.roles,
    version: packageVersion(),
    startedMs: hostClock.nowMs(),
    nowMs: () => hostClock.nowMs(),
    isStopping: ops.isStopping,
    stop: ops.stop,
    notReady: () => notReadyOf(roles),
    session: session &&
      environment.persistent && {
        registry: session.stepper,
        rules: () => session.session.parts.rules.rules,
        clients: () => session.session.connections,
        persistent: environment.persistent.registrations,
        account: environment.budget.open("operators"),
      },
    data: data && {
      heldLosses: () => data.data.heldLosses,
      releaseHeld: (serviceKey) => data.stepper.step({ kind: "releaseHeld", serviceKey }),
      slotsLed: () => data.data.slotsLed,
      hiddenServices: () => hiddenServices(data.data),
      hidden: (serviceKey) => hiddenPublications(data.data, roles.id, serviceKey),
    },
    meta: meta && operatedMeta(environment, meta),
    settings: () => settingRows(environment),
    access: operatedAccess(environment),
    open: environment.open,
    listAudit: (query) => environment.audit.list(query),
    slotTable: () => newestTable(roles),
    nodes: () => nodesOf(roles),
  };
}

/** The settings of the roles session and data, which know the same rules but for a moment. */
function settingRows({ configured, roles: { id, session, data } }: RouterHost): SettingRow[] {
  const rules = session?.session.parts.rules.rules ?? data?.data.parts.rules.rules;
  if (rules === undefined) return [];
  const place = { zone: configured.zone, name: nodeNameOf(id) };
  const deciding = settingRules(rules.rules(), place);
  const values = { ...configured, ...settingsIn(rules.rules(), place) };
  return DYNAMIC_KEY_NAMES.map((setting) => ({
    setting,
    inForce: String(values[camelCase(setting)]),
    configured: String(configured[camelCase(setting)]),
    rule: deciding.get(setting),
  }));
}

function operatedAccess({ access, claim }: RouterHost): OperatedAccess {
  return {
    set: () => access.set,
    secrets: hostSecrets,
    change: (edit, setBy) => access.change(edit, { setBy, nowMs: hostClock.nowMs() }),
    refresh: () => access.refresh(),
    checkClaim: (code, from) => claim.check(code, from),
  };
}

function operatedMeta({ roles: { id, network }, address, gateways }: RouterHost, host: MetaHost): OperatedMeta {
  const { meta } = host;
  return {
    isLeading: () => meta.isLeading,
    isReady: () => meta.isReady,
    isStoreReachable: () => host.isStoreReachable,
    leader: () => meta.leader?.holder,
    members: () => meta.heartbeats(),
    slotTable: () => meta.slotTable,
    // A node that does not lead, or has just begun to, has heard it from the present or the previous leader.
    blockedNodes: () =>
      meta.isLeading && meta.isReady ? meta.blockedNodes : new Set(network.metaPeers?.members?.blocked),
    metas: () => {
      const own: MetaRow = { id, address, isLeading: meta.isLeading };
      const others = (network.metaPeers?.list() ?? []).map((peer) => ({
        ...peer,
        isLeading: peer.id !== undefined && meta.leader?.holder === peer.id,
      }));
      return [own, ...others];
    },
    blockRefusal: (node, isBlocked) => host.blockRefusal(node, isBlocked),
    blockNode: (node, isBlocked) => host.blockNode(node, isBlocked),
    stepDownRefusal: () => host.stepDownRefusal(),
    stepDown: () => host.stepDown(),
    slotPause: () => (meta.isLeading ? meta.slotPause : undefined),
    pauseSlots: (pause) => host.pauseSlots(pause),
    arrangeSlots: () => host.arrangeSlots(),
    configs: () => meta.configs(),
    config: (serviceKey) => meta.config(serviceKey),
    configRefusal: (...value) => firstRefusal(gateways, ...value),
    putConfig: (...put) => host.putConfig(...put),
    rules: () => meta.rules,
    changeRules: (edit) => host.changeRules(edit),
  };
}

function firstRefusal(
  gateways: readonly LoadedGateway[],
  serviceKey: ServiceKey,
  data: string,
): RegistryError | undefined {
  for (const { code } of gateways) {
    const refusal = code.configRefusal?.(serviceKey, data);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The newest slot table that one of the roles knows. */
function newestTable({ session, data, meta }: Roles): ReturnType<OperatedNode["slotTable"]> {
  const tables = [session?.session.slotTable, data?.data.slotTable, meta?.meta.slotTable];
  return tables.reduce((one, other) => ((other?.epoch ?? -1n) > (one?.epoch ?? -1n) ? other : one));
}

/** Members, as the roles here have heard, and meta nodes that this one has a link to. */
function nodesOf({ id, network, session, data, meta }: Roles): Map<NodeId, Set<NodeRole>> {
  const nodes = new Map<NodeId, Set<NodeRole>>();
  const add = (node: NodeId, role: NodeRole) => void nodes.set(node, (nodes.get(node) ?? new Set()).add(role));
  for (const [role, host] of Object.entries({ meta, data, session })) {
    if (host !== undefined) add(id, role as NodeRole);
  }
  for (const members of [session?.session.members, data?.data.members]) {
    for (const member of members?.list ?? []) add(member.id, member.role);
  }
  for (const [member] of meta?.meta.heartbeats() ?? []) add(member.id, member.role);
  for (const node of network.metaNodes) add(node, "meta");
  return nodes;
}
