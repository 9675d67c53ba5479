// The answer to a question, of what is known: pure, without transport. Names are those of Consul:
//
//   [TAG.]NAME.service[.DC].DOMAIN      _NAME._TAG.service[.DC].DOMAIN      NODE.node[.DC].DOMAIN
//   HEX.addr[.DC].DOMAIN                DOMAIN, ns.DOMAIN                   the reverse tree
//
// A name without instances that take calls is unknown, as in Consul; a name that has none of the asked type is empty.

import {
  DNS_CLASS_ANY,
  DNS_CLASS_IN,
  DNS_CODE,
  DNS_TYPE,
  type DnsAnswer,
  type DnsData,
  type DnsName,
  type DnsQuestion,
  type DnsRecord,
} from "../../encoding/dns/message.ts";
import { isName, labelOf, nameOfText, textOfLabels } from "../../encoding/dns/names.ts";
import { shuffled } from "../kit/shuffled.ts";
import { type Address, addressOfHex, hexOf, hostOfReverse } from "./address.ts";
import type { DnsInstance, DnsNode, DnsServices } from "./services.ts";
import { srvWeights } from "./srvWeights.ts";

/** The zone that is answered for. */
export interface Zone {
  /** In lower case: `["consul"]`. */
  readonly domain: DnsName;
  readonly datacenter: string;
  readonly ttlSeconds: number;
}

export interface Asked {
  readonly question: DnsQuestion;
  /** The most answers of a service. */
  readonly answersMax: number;
  /** Another one at each question, so that each instance comes first for some. */
  readonly turn: number;
  readonly nowMs: number;
}

export interface Known {
  readonly services: Pick<DnsServices, "find" | "node" | "at">;
  /** The nodes of the registry itself, by their names. */
  readonly servers: () => readonly DnsNode[];
}

const NOT_SERVED_TYPES = new Set([251, 252]);

/** Answers a question of one who may see everything in `known`. */
export function answerTo(asked: Asked, zone: Zone, known: Known): DnsAnswer {
  const { question } = asked;
  if (question.class !== DNS_CLASS_IN && question.class !== DNS_CLASS_ANY) return refused();
  if (NOT_SERVED_TYPES.has(question.type)) return refused();
  const labels = question.name.map((label) => textOfLabels([label]));
  const found = new Finding(asked, zone, known).find(labels);
  if (found === undefined) return refused();
  if (found !== "unknown" && found.answers.length > 0) {
    const { answers, additionals = [] } = found;
    return { code: DNS_CODE.ok, isAuthoritative: true, answers, authorities: [], additionals };
  }
  const code = found === "unknown" ? DNS_CODE.nameError : DNS_CODE.ok;
  return { code, isAuthoritative: true, answers: [], authorities: [soaOf(zone, asked.nowMs)], additionals: [] };
}

/** Whether this server answers for the name: other names are refused, since it asks no other server. */
function refused(): DnsAnswer {
  return { code: DNS_CODE.refused, isAuthoritative: false, answers: [], authorities: [], additionals: [] };
}

const REFRESH = { refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 86_400 } as const;

function soaOf({ domain, ttlSeconds }: Zone, nowMs: number): DnsRecord {
  const names = { server: ["ns", ...domain], mailbox: ["hostmaster", ...domain] };
  const serial = Math.floor(nowMs / 1_000) % 2 ** 32;
  const data: DnsData = { type: "SOA", ...names, serial, ...REFRESH, negativeSeconds: ttlSeconds };
  return { name: domain, ttlSeconds, data };
}

interface Found {
  readonly answers: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}

const EMPTY: Found = { answers: [] };

class Finding {
  readonly #asked: Asked;
  readonly #zone: Zone;
  readonly #known: Known;

  constructor(asked: Asked, zone: Zone, known: Known) {
    this.#asked = asked;
    this.#zone = zone;
    this.#known = known;
  }

  /** Undefined: the name is outside of the zone. */
  find(labels: readonly string[]): Found | "unknown" | undefined {
    const { domain, datacenter } = this.#zone;
    const reverse = hostOfReverse(labels);
    if (reverse !== undefined) return this.#reverse(reverse);
    const inner = labels.slice(0, -domain.length);
    if (labels.slice(-domain.length).join(".") !== domain.join(".")) return undefined;
    if (inner.length === 0) return this.#apex();
    if (inner.length === 1 && inner[0] === "ns") return this.#addresses(this.#known.servers());
    if (isKind(inner.at(-1))) return this.#below(inner);
    return inner.at(-1) === datacenter && isKind(inner.at(-2)) ? this.#below(inner.slice(0, -1)) : "unknown";
  }

  #below(inner: readonly string[]): Found | "unknown" {
    const labels = inner.slice(0, -1);
    if (labels.length === 0) return EMPTY;
    switch (inner.at(-1)) {
      case "service":
        return this.#service(labels);
      case "node":
        return this.#node(labels.join("."));
      default:
        return this.#addr(labels);
    }
  }

  #apex(): Found {
    const { domain } = this.#zone;
    const { nowMs } = this.#asked;
    const answers = this.#wants("SOA") ? [soaOf(this.#zone, nowMs)] : [];
    if (!this.#wants("NS")) return { answers };
    const server: DnsRecord = this.#record({ type: "NS", target: ["ns", ...domain] });
    const additionals = this.#known.servers().flatMap(({ address }) => this.#glue(["ns", ...domain], address));
    return { answers: [...answers, server], additionals };
  }

  #service(labels: readonly string[]): Found | "unknown" {
    const instances = this.#instancesOf(labels);
    if (instances === undefined || instances.length === 0) return "unknown";
    const { turn, answersMax } = this.#asked;
    const inTurn = shuffled(instances, turn);
    const addressed = this.#wantsAddresses()
      ? unique(inTurn, ({ host }) => host).filter(({ address }) => this.#wantsOf(address))
      : [];
    const called = this.#wants("SRV") ? unique(inTurn, ({ host, port }) => `${host} ${port}`) : [];
    const targets = this.#targets(called.slice(0, answersMax), instances);
    const answers = [...this.#hosts(addressed).slice(0, answersMax), ...targets.answers];
    return { answers, additionals: targets.additionals };
  }

  /** The instances of the service that the labels name, perhaps behind a tag. */
  #instancesOf(labels: readonly string[]): readonly DnsInstance[] | undefined {
    const { services } = this.#known;
    const [first = "", last = ""] = [labels[0], labels.at(-1)];
    if (labels.length > 1 && first.startsWith("_") && last.startsWith("_")) {
      const tag = last.slice(1);
      const instances = services.find(labels.slice(0, -1).join(".").slice(1));
      return tag === "tcp" || tag === "udp" ? instances : instances?.filter(({ tags }) => tags.has(tag));
    }
    // Names of interfaces have dots: the longest name of a service counts.
    for (let at = 0; at < labels.length; at++) {
      const instances = services.find(labels.slice(at).join("."));
      if (instances === undefined) continue;
      return at === 0 ? instances : instances.filter(({ tags }) => tags.has(labels.slice(0, at).join(".")));
    }
    return undefined;
  }

  /** Addresses, or else one of the names: there may be one CNAME only. */
  #hosts(instances: readonly DnsInstance[]): DnsRecord[] {
    const records = instances.flatMap(({ address }) => (address === undefined ? [] : [this.#address(address)]));
    const names = instances.flatMap(({ host, address }) => (address === undefined ? (nameOfText(host) ?? []) : []));
    if (records.length > 0 || names.length === 0) return records;
    const named = instances.find(({ host, address }) => address === undefined && nameOfText(host) !== undefined);
    return [this.#record({ type: "CNAME", target: nameOfText(named?.host ?? "") ?? [] })];
  }

  #targets(called: readonly DnsInstance[], all: readonly DnsInstance[]): Required<Found> {
    const weights = srvWeights(all);
    const answers: DnsRecord[] = [];
    const additionals: DnsRecord[] = [];
    for (const instance of called) {
      const target = this.#targetOf(instance);
      if (target === undefined) continue;
      const { port, weight, address } = instance;
      answers.push(this.#record({ type: "SRV", priority: 1, weight: weights(weight), port, target }));
      additionals.push(...this.#glue(target, address));
    }
    return { answers, additionals: unique(additionals, ({ name }) => name.join(".")) };
  }

  /** The name under which the instance's address is asked for; undefined for one that no name can have. */
  #targetOf({ address, host, node, isAtNodeAddress }: DnsInstance): DnsName | undefined {
    if (address === undefined) return nameOfText(host);
    const { datacenter, domain } = this.#zone;
    const ofNode = [...node.split(".").map(labelOf), "node", datacenter, ...domain];
    return isAtNodeAddress && isName(ofNode) ? ofNode : [hexOf(address), "addr", datacenter, ...domain];
  }

  #node(name: string): Found | "unknown" {
    const { services, servers } = this.#known;
    const node =
      services.node(name, this.#asked.nowMs) ?? servers().find((server) => server.name.toLowerCase() === name);
    return node === undefined ? "unknown" : this.#addresses([node]);
  }

  #addresses(nodes: readonly DnsNode[]): Found {
    if (!this.#wantsAddresses()) return EMPTY;
    const addresses = nodes.flatMap(({ address }) =>
      address !== undefined && this.#wantsOf(address) ? [address] : [],
    );
    const answers = addresses.map((address) => this.#address(address));
    const [named] = nodes.filter(({ address }) => address === undefined);
    const target = addresses.length === 0 && named !== undefined ? nameOfText(named.host) : undefined;
    return { answers: target === undefined ? answers : [this.#record({ type: "CNAME", target })] };
  }

  #addr(labels: readonly string[]): Found | "unknown" {
    const address = labels.length === 1 ? addressOfHex(labels[0] ?? "") : undefined;
    if (address === undefined) return "unknown";
    return { answers: this.#wantsOf(address) ? [this.#address(address)] : [] };
  }

  #reverse(host: string): Found | "unknown" {
    const { datacenter, domain } = this.#zone;
    const instance = this.#known.services.at(host, this.#asked.nowMs);
    const server = this.#known.servers().find((each) => each.host === host);
    const node = instance?.isAtNodeAddress === false ? undefined : (instance?.node ?? server?.name);
    const end = node ?? instance?.service;
    if (end === undefined) return "unknown";
    const labels = end.split(".").map(labelOf);
    const target = [...labels, ...(node === undefined ? ["service"] : ["node", datacenter]), ...domain];
    return { answers: this.#wants("PTR") && isName(target) ? [this.#record({ type: "PTR", target })] : [] };
  }

  #record(data: DnsData): DnsRecord {
    return { name: this.#asked.question.name, ttlSeconds: this.#zone.ttlSeconds, data };
  }

  #address({ type, bytes }: Address): DnsRecord {
    return this.#record({ type, address: bytes });
  }

  #glue(name: DnsName, address: Address | undefined): DnsRecord[] {
    if (address === undefined) return [];
    return [{ name, ttlSeconds: this.#zone.ttlSeconds, data: { type: address.type, address: address.bytes } }];
  }

  #wants(type: keyof typeof DNS_TYPE): boolean {
    const asked = this.#asked.question.type;
    return asked === DNS_TYPE[type] || asked === DNS_TYPE.ANY;
  }

  #wantsAddresses(): boolean {
    return this.#wants("A") || this.#wants("AAAA") || this.#wants("CNAME");
  }

  /** A name instead of an address is one for both types. */
  #wantsOf(address: Address | undefined): boolean {
    return address === undefined || this.#wants(address.type);
  }
}

const KINDS: ReadonlySet<string | undefined> = new Set(["service", "node", "addr"]);

function isKind(label: string | undefined): boolean {
  return KINDS.has(label);
}

/** The first of each that have the same key. */
function unique<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) if (!byKey.has(keyOf(item))) byKey.set(keyOf(item), item);
  return [...byKey.values()];
}
