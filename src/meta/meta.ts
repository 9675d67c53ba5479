// The meta role: the members of the cluster, the leading data node of each slot, and the configuration that clients
// watch.
//
// Several meta nodes share one store, and one of them leads. All hear the members, so each knows which ones live; only
// the leader decides and answers. It decides in memory, by the state that it has loaded from the store, and publishes a
// decision only after the store has saved it. If it can't know whether the store has it, it loads again before it
// decides anything else. While the store is away, the lead ends after a while, and everything goes on with the last
// decision.

import { unreachable } from "../base/assert.ts";
import type { RegistryError } from "../base/errors.ts";
import { type AppQuestion, isAppQuestion } from "../cluster/messages/apps.ts";
import type {
  ConfigValue,
  Heartbeat,
  Member,
  MemberAddress,
  MemberRole,
  Members,
  MembersVersion,
  MemberToMeta,
  MetaToMember,
} from "../cluster/messages/membership.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import type { SlotTable } from "../model/slot.ts";
import type { WholeRange } from "../records/readAll.ts";
import type { Commit, LeaderLease } from "../records/records.ts";
import { type AppDuty, Applications } from "./applications.ts";
import { cleanerSwitches } from "./appSwitches.ts";
import { believedHeartbeat } from "./believedHeartbeat.ts";
import type { NodeBlock } from "./blockedNodes.ts";
import { ClientCounts } from "./clientCounts.ts";
import { Configs, type Put } from "./configs.ts";
import { ConfigTelling } from "./configTelling.ts";
import { Lead } from "./lead.ts";
import { Loading } from "./loading.ts";
import { MemberList } from "./memberList.ts";
import { Membership } from "./membership.ts";
import type { MetaEvent, MetaOptions, MetaOutput } from "./metaPorts.ts";
import { decodeRecord, recordsOf, SLOT_TABLE_RECORD } from "./metaRecords.ts";
import { NodeBlocks } from "./nodeBlocks.ts";
import { OperatorRules, stillReading } from "./operatorRules.ts";
import { OperatorSlots } from "./operatorSlots.ts";
import { type Phase, STANDS_BY } from "./phase.ts";
import { RecordSets } from "./recordSets.ts";
import { type CommitResult, type SaveOutcome, saveOutcome } from "./saveOutcome.ts";
import type { SlotChange } from "./slotDraft.ts";
import { SETTLE_MS, SlotKeeper } from "./slotKeeper.ts";
import type { SlotPause } from "./slotPause.ts";
import { TableSaves } from "./tableSaves.ts";
import type { MetaParts } from "./unfinished.ts";

// Members that were not heard for less than this are not taken for gone.
const DEAF_MS = 3_000;

export class Meta {
  readonly #options: MetaOptions;
  readonly #output: MetaOutput;
  readonly #lead: Lead;
  readonly #membership: Membership;
  readonly #memberList = new MemberList();
  readonly #slots: SlotKeeper;
  readonly #configs: Configs;
  readonly #telling: ConfigTelling;
  readonly #blocks: NodeBlocks;
  readonly #slotOperators: OperatorSlots;
  readonly #rules: OperatorRules;
  readonly #sets: RecordSets;
  readonly #applications: Applications;
  readonly #loading = new Loading();
  readonly #clientCounts = new ClientCounts();
  #phase: Phase = STANDS_BY;
  /** It has read the values from the store, in some lead. */
  #hasConfigs = false;
  #commits = 0;
  readonly #tableSaves = new TableSaves((commit) => this.#commit(commit));
  #listSerial = -1;
  #dataSerial = -1;
  #hasBegun = false;

  constructor(options: MetaOptions, output: MetaOutput) {
    this.#options = options;
    this.#output = output;
    this.#lead = new Lead(options, output);
    this.#membership = new Membership(options);
    this.#slots = new SlotKeeper(options);
    this.#configs = new Configs(options);
    const surroundings = {
      send: (to: Member, message: MetaToMember) => output.send(to, message),
      answer: (request: number, error: RegistryError | undefined) => output.answer(request, error),
      members: () => this.#membership.heartbeats(),
      isInCharge: () => this.#isInCharge,
      readAgain: (nowMs: number) => this.#loading.need(nowMs),
    };
    this.#telling = new ConfigTelling(this.#configs, { ...surroundings, leads: () => this.#term !== undefined });
    this.#blocks = new NodeBlocks({
      ...surroundings,
      slotTable: () => this.#slots.table,
      dismiss: (member) => this.#membership.dismiss(member),
      changed: (nowMs) => this.#blocksChanged(nowMs),
    });
    this.#slotOperators = new OperatorSlots({ ...surroundings, arrange: (nowMs) => this.#slots.nodesChanged(nowMs) });
    this.#rules = new OperatorRules(surroundings);
    this.#sets = new RecordSets(
      {
        commit: (commit) => this.#commit(commit),
        answer: (request, error) => output.answer(request, error),
        refusal: () => this.#lead.refusal(),
      },
      [this.#telling.records, this.#blocks.records, this.#slotOperators.records, this.#rules],
    );
    this.#applications = new Applications({
      send: (to, message) => output.send(to, message),
      readRecords: (request, query) => output.readRecords(request, query),
      commitRecords: (commit) => this.#commit(commit),
    });
  }

  resumed(lateMs: number, nowMs: number): void {
    if (lateMs > DEAF_MS) this.#membership.listenAnew(nowMs);
  }

  step(event: MetaEvent, nowMs: number): void {
    if (!this.#hasBegun) this.#membership.listenAnew(nowMs);
    this.#hasBegun = true;
    this.#follow(nowMs);
    this.#handle(event, nowMs);
    this.#membership.tick(nowMs);
    this.#follow(nowMs);
    for (const member of this.#membership.takeEnded()) {
      this.#configs.ended(member);
      this.#applications.ended(member);
      this.#rules.forget(member);
      if (member.role === "data") this.#slots.forget(member.id);
    }
    if (this.#term !== undefined && this.#loading.begin(nowMs)) this.#output.load();
    if (this.#isInCharge) this.#work(nowMs);
  }

  nextWakeMs(): number {
    const soonestMs = Math.min(this.#lead.nextMs(), this.#membership.nextMs());
    if (this.#term === undefined) return soonestMs;
    const leadingMs = Math.min(soonestMs, this.#loading.nextMs());
    if (!this.#isInCharge) return leadingMs;
    const partsMs = Math.min(this.#applications.nextMs(), this.#rules.nextMs(), this.#clientCounts.nextMs());
    return Math.min(leadingMs, partsMs, this.#memberList.nextMs(), this.#slots.nextMs());
  }

  /** The newest slot table that this node knows to be saved. If it does not lead, there may be a newer one. */
  get slotTable(): SlotTable | undefined {
    return this.#slots.table;
  }

  /** The changes from the table before, with reasons, for the log. */
  get slotChanges(): readonly SlotChange[] {
    return this.#slots.changes;
  }

  /** The value of a configuration, as of this node's lead. */
  config(serviceKey: ServiceKey): ConfigValue | undefined {
    return this.#configs.value(serviceKey);
  }

  /** All values that are set, or were removed, as of this node's lead. */
  configs(): Iterable<ConfigValue> {
    return this.#configs.values();
  }

  /** The reason why a node would not be blocked or unblocked now; undefined if it would. */
  blockRefusal(block: NodeBlock): RegistryError | undefined {
    if (this.#term === undefined) return this.#lead.refusal();
    if (!this.#isInCharge) return stillReading();
    return this.#blocks.refusal(block);
  }

  /** The pause of the arrangement of slots, as of this node's lead; undefined while they are arranged. */
  get slotPause(): SlotPause | undefined {
    return this.#slotOperators.pause;
  }

  /** The operators' rules, as of this node's lead. */
  get rules(): RuleSet {
    return this.#rules.rules;
  }

  /** The members that this node hears. */
  members(): readonly MemberAddress[] {
    return this.#membership.list();
  }

  /** The members with their last heartbeats. */
  heartbeats(): Iterable<readonly [Member, Heartbeat]> {
    return this.#membership.heartbeats();
  }

  /** Names of blocked nodes, as of this node's lead. */
  get blockedNodes(): ReadonlySet<string> {
    return this.#blocks.names;
  }

  /** The blocked nodes with what is known of them, as of this node's lead. */
  get nodeBlocks(): Pick<NodeBlocks, "nodes"> {
    return this.#blocks;
  }

  /** The leader, if it is known. */
  get leader(): LeaderLease | undefined {
    return this.#lead.known;
  }

  get isLeading(): boolean {
    return this.#lead.epoch !== undefined;
  }

  /** It leads and has read the store, or another node is known to lead. */
  get isReady(): boolean {
    return this.isLeading ? this.#isInCharge : this.leader !== undefined;
  }

  /** Its parts, for unfinished.ts. */
  get parts(): MetaParts {
    return { configs: this.#configs, membership: this.#membership, slots: this.#slots };
  }

  get #isInCharge(): boolean {
    return this.#phase.kind === "leads" && this.#loading.isDone;
  }

  /** The term of the lead; undefined while the node stands by. */
  get #term(): number | undefined {
    return this.#phase.kind === "standsBy" ? undefined : this.#phase.term;
  }

  get #leaseEpoch(): bigint {
    return this.#lead.epoch ?? 0n;
  }

  #handle(event: MetaEvent, nowMs: number): void {
    switch (event.kind) {
      case "received":
        return this.#received(event.from, event.message, nowMs);
      case "memberUp":
        this.#rules.forget(event.member);
        return this.#membership.linkUp(event.member);
      case "memberDown":
        this.#rules.forget(event.member);
        return this.#membership.linkDown(event.member, nowMs);
      case "leaseAnswered":
        return this.#lead.answered(event.lease, event.askedMs, nowMs);
      case "loaded":
        return this.#loaded(event.range, nowMs);
      case "committed":
        return this.#committed(event.number, event.result, nowMs);
      case "recordsRead":
        return this.#applications.recordsRead(event.request, event.page, nowMs);
      case "compareServices":
        return this.#applications.compareServices(nowMs);
      case "putConfig":
        return this.#asked(event.request, () => this.#put(event));
      case "blockNode":
        return this.#asked(event.request, () => this.#block(event));
      case "changeRules":
        return this.#asked(event.request, () => this.#rules.edit(event.request, event.edit, nowMs));
      case "pauseSlots":
        return this.#asked(event.request, () => this.#sets.change(this.#slotOperators.records, event.request, event));
      case "arrangeSlots":
        return this.#asked(event.request, () => this.#slotOperators.ask(event.request, nowMs));
      case "resign":
        return this.#lead.resign();
      case "stepDown":
        return this.isLeading ? this.#lead.stepDown(nowMs) : undefined;
      case "woken":
        return;
      default:
        return unreachable(event);
    }
  }

  // Begins and ends the parts that belong to the lead.
  #follow(nowMs: number): void {
    this.#lead.tick(nowMs);
    const term = this.isLeading ? this.#lead.term : undefined;
    if (term === this.#term) return;
    this.#phase = term === undefined ? STANDS_BY : { kind: "takesOver", term };
    this.#slots.lost();
    this.#loading.need(nowMs);
    this.#applications.lost();
    this.#slotOperators.lost(() => this.#lead.refusal());
    if (term === undefined) this.#sets.refuseWaiting();
  }

  #loaded(range: WholeRange | undefined, nowMs: number): void {
    const isCounted = this.#loading.answered(range !== undefined, nowMs);
    const phase = this.#phase;
    if (phase.kind === "standsBy" || !isCounted || range === undefined) return;
    this.#sets.load(range, nowMs);
    this.#hasConfigs = true;
    const [stored] = recordsOf(SLOT_TABLE_RECORD, range.records);
    const table = stored === undefined ? undefined : decodeRecord(SLOT_TABLE_RECORD, stored);
    this.#slots.load(table, { leaseEpoch: this.#leaseEpoch, nowMs, revision: stored?.revision ?? 0n });
    this.#phase = { kind: "leads", term: phase.term };
    if (phase.kind === "takesOver") this.#beginLead(nowMs);
    this.#tellTables(nowMs);
  }

  #beginLead(nowMs: number): void {
    this.#beginList(nowMs);
    this.#applications.begin(this.#leaseEpoch, nowMs);
    this.#telling.tellAll();
  }

  // A meta node that has just begun to hear does not know all members yet; a list of a few would make data nodes
  // believe that there are no other sessions. At the first start of a cluster no member can be taken for gone.
  #beginList(nowMs: number): void {
    const isAlone = this.#slots.table === undefined || this.#options.firstTableDelayMs === 0;
    const settledMs = this.#membership.listeningSinceMs + SETTLE_MS;
    this.#memberList.begin(this.#leaseEpoch, isAlone ? nowMs : Math.max(nowMs, settledMs));
  }

  #work(nowMs: number): void {
    if (this.#listSerial !== this.#membership.listSerial) {
      this.#memberList.changed();
      this.#clientCounts.changed();
    }
    if (this.#dataSerial !== this.#membership.dataSerial) this.#slots.nodesChanged(nowMs);
    this.#listSerial = this.#membership.listSerial;
    this.#dataSerial = this.#membership.dataSerial;
    const members = this.#memberList.take(() => this.#list(), nowMs);
    if (members !== undefined) {
      this.#sendAll({ kind: "members", members });
      this.#slots.nodesChanged(nowMs);
    }
    const counts = this.#clientCounts.take(() => this.#membership.clientCounts(), nowMs);
    if (counts !== undefined) this.#sendAll({ kind: "clientCounts", counts }, "session");
    this.#applications.work(cleanerSwitches(this.#configs), nowMs);
    this.#sets.begin({ term: this.#lead.term, leaseEpoch: this.#leaseEpoch }, nowMs);
    if (nowMs < this.#slots.nextMs()) return;
    this.#arrange(nowMs);
  }

  #arrange(nowMs: number): void {
    const living = this.#membership.dataNodes((name) => this.#blocks.names.has(name), nowMs);
    const isUnknown = (node: NodeId) => this.#membership.isUnknown(node);
    const isListed = (node: NodeId) => this.#memberList.isListed({ id: node, role: "data" });
    const { isPaused } = this.#slotOperators;
    const outcome = this.#slots.arrange({ living, isUnknown, isListed, isPaused }, nowMs);
    if (outcome.kind === "save") this.#tableSaves.save(outcome.save, this.#leaseEpoch);
    this.#slotOperators.arranged(outcome);
  }

  #commit(commit: Commit): number {
    this.#commits += 1;
    this.#output.commit(this.#commits, commit);
    return this.#commits;
  }

  #committed(number: number, result: CommitResult, nowMs: number): void {
    const isOfApplications = this.#applications.recordsCommitted(number, result, nowMs);
    // Another node may lead by now.
    if (isOfApplications && result.kind === "refused") this.#lead.doubt(nowMs);
    if (isOfApplications) return;
    const table = this.#tableSaves.take(number);
    if (table !== undefined) return this.#tableSaved(table, result, nowMs);
    const ended = this.#sets.committed(number, result, nowMs);
    if (ended !== undefined && ended.outcome !== "saved") this.#notSaved(ended.outcome, nowMs, ended.term);
  }

  #received(from: Member, message: MemberToMeta, nowMs: number): void {
    if (isAppQuestion(message)) return this.#askedApplications(from, message, nowMs);
    switch (message.kind) {
      case "heartbeat":
        return this.#heartbeat(from, this.#believed(from, message, nowMs), nowMs);
      case "watchConfig":
        if (this.#membership.isKnown(from)) this.#configs.watch(from, message.serviceKeys);
        // While there is no leader, the values stored when this node last led are the best that are known.
        if (this.#isInCharge || (this.#hasConfigs && this.leader === undefined)) {
          for (const serviceKey of message.serviceKeys) this.#telling.tell(from, serviceKey);
        }
        return;
      case "unwatchConfig":
        return this.#configs.unwatch(from, message.serviceKeys);
      default:
        return unreachable(message);
    }
  }

  #askedApplications(from: Member, message: AppQuestion, nowMs: number): void {
    if (!this.#membership.isKnown(from)) return;
    const silent: AppDuty = this.leader === undefined ? "remembers" : "isSilent";
    this.#applications.received(from, message, { duty: this.#isInCharge ? "leads" : silent, nowMs });
  }

  #believed({ id }: Member, heartbeat: Heartbeat, nowMs: number): Heartbeat {
    const known = { tableEpoch: this.#slots.newestEpoch, membersEpoch: this.#memberList.newestEpoch, nowMs };
    return believedHeartbeat(heartbeat, known, (claim) => this.#output.versionRefused({ ...claim, from: id }));
  }

  #heartbeat(from: Member, heartbeat: Heartbeat, nowMs: number): void {
    if (this.#isInCharge && this.#blocks.dismiss(from)) return;
    const { listeningSinceMs } = this.#membership;
    const admission = this.#membership.heard(from, heartbeat, nowMs);
    if (this.#isInCharge && this.#membership.listeningSinceMs !== listeningSinceMs) {
      this.#beginList(nowMs);
      this.#slots.settleAnew(nowMs);
    }
    if (admission.kind === "refused" && this.#term !== undefined) {
      this.#output.send(from, { kind: "refused", reason: admission.reason });
    }
    if (admission.kind !== "admitted") return;
    const { tableEpoch, members: version } = heartbeat;
    const isNewTable = this.#slots.heardEpoch(tableEpoch);
    const isNewList = this.#memberList.heard(version);
    const areNewRules = this.#rules.heard(heartbeat);
    if (from.role === "data") this.#slots.heard(from.id, heartbeat, nowMs);
    else this.#clientCounts.heard(from.id, heartbeat.clients);
    if (!this.#isInCharge) return;
    // Another node leads, or the store has lost commits: the lease tells which.
    if (areNewRules) this.#loading.need(nowMs);
    if (isNewTable || isNewList || areNewRules) return this.#lead.doubt(nowMs);
    this.#rules.tell(from, heartbeat, nowMs);
    // The list has the addresses of the leaders that the table names.
    const members = this.#memberList.answer(version);
    if (members !== undefined) this.#output.send(from, { kind: "members", members });
    this.#tellTable(from, tableEpoch);
  }

  #tableSaved(table: SlotTable, result: CommitResult, nowMs: number): void {
    const outcome = saveOutcome(result);
    const revision = result.kind === "committed" ? result.revision : 0n;
    const save = this.#slots.saved(table, outcome, nowMs, revision);
    if (save === "saved") this.#slotOperators.tableSaved();
    if (save === "uncertain") this.#slotOperators.tableNotSaved();
    if (save === "uncertain") return this.#notSaved(outcome, nowMs);
    // A save from before this lead. If it was made under the same lease, it may have been made after the store was
    // read.
    if (save === "late") return outcome === "refused" ? undefined : this.#loading.needTwice(nowMs);
    // The store is being read, and may have been read before it had this.
    if (!this.#isInCharge) return this.#loading.need(nowMs);
    this.#tellTables(nowMs);
  }

  #block({ request, ...block }: NodeBlock & { request: number }): void {
    const refusal = this.blockRefusal(block);
    if (refusal !== undefined) this.#output.answer(request, refusal);
    else this.#sets.change(this.#blocks.records, request, block);
  }

  #put({ request, ...put }: Put & { request: number }): void {
    const refusal = this.#configs.refusal(put, this.#telling.records.waiting);
    if (refusal !== undefined) this.#output.answer(request, refusal);
    else this.#sets.change(this.#telling.records, request, put);
  }

  #asked(request: number, accept: () => void): void {
    if (this.#term === undefined) this.#output.answer(request, this.#lead.refusal());
    else accept();
  }

  #blocksChanged(nowMs: number): void {
    this.#memberList.changed();
    this.#slots.nodesChanged(nowMs);
  }

  // A refusal means that this is not the lease in force, or that the store holds something else than what was loaded.
  #notSaved(outcome: SaveOutcome, nowMs: number, term = this.#term): void {
    if (outcome === "unknown") this.#loading.needTwice(nowMs);
    else if (outcome === "refused" && term === this.#term) this.#lead.doubt(nowMs);
  }

  #list(): Omit<Members, keyof MembersVersion> {
    const blocked = [...this.#blocks.names];
    return { list: this.#membership.list(), ...(blocked.length > 0 && { blocked }) };
  }

  /** The rules come before any table: the leader of a slot shows no list without them. */
  #tellTables(nowMs: number): void {
    for (const [member, heartbeat] of this.#membership.heartbeats()) {
      this.#rules.tell(member, heartbeat, nowMs);
      this.#tellTable(member, heartbeat.tableEpoch);
    }
    this.#blocks.dismissAll();
  }

  #tellTable(to: Member, known: bigint): void {
    const table = this.#slots.table;
    if (table === undefined || table.epoch <= known) return;
    this.#output.send(to, { kind: "slotTable", table, versionFloor: this.#membership.newestVersion });
  }

  #sendAll(message: MetaToMember, role?: MemberRole): void {
    for (const [member] of this.#membership.heartbeats()) {
      if (role === undefined || member.role === role) this.#output.send(member, message);
    }
  }
}
