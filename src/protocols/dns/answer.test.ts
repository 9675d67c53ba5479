import assert from "node:assert/strict";
import { test } from "node:test";
import { DNS_TYPE, type DnsRecord } from "../../encoding/dns/message.ts";
import { nameOfText } from "../../encoding/dns/names.ts";
import { groupsOfHost } from "../../model/hostAddress.ts";
import { clientId, nodeId } from "../../model/ids.ts";
import { type Instance, packInstance } from "../../model/instance.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { anInstance } from "../../model/testing/instances.ts";
import { addressOf } from "./address.ts";
import { answerTo } from "./answer.ts";
import { DnsServices } from "./services.ts";

const ZONE = { domain: ["consul"], datacenter: "dc1", ttlSeconds: 5 };
const OWNER = { session: nodeId("s.1"), client: clientId("10.0.0.1:1_10.0.0.2:2") };
const PLAIN = { host: "10.0.0.1", port: 80, weight: 1, bags: new Map(), metadata: new Map() };

/** An instance as a client of Consul registers it. */
function consul(changes: Partial<Instance>, names: Record<string, unknown>): Partial<Instance> {
  return { ...changes, bags: new Map([["consul", JSON.stringify(names)]]) };
}

function servicesOf(lists: Record<string, Partial<Instance>[]>): DnsServices {
  const services = new DnsServices();
  for (const [name, instances] of Object.entries(lists)) {
    const serviceKey = makeServiceKey({ name, namespace: "", group: "" });
    const publications = instances.map((changes, at) => {
      const payload = packInstance(anInstance({ ...PLAIN, ...changes }));
      const fixed = { version: 1n, registeredMs: 1, owner: OWNER, zone: "", appName: "", attributes: new Map() };
      return [`${at}`, { serviceKey, registId: `${at}`, payload, ...fixed }] as const;
    });
    services.set(serviceKey, new Map(publications));
  }
  return services;
}

const SERVICES = servicesOf({
  Web: [
    consul(
      { host: "10.0.0.1", port: 80, weight: 3 },
      { node: "n1", nodeAddress: "10.0.0.1", address: "", tags: ["Blue", "v1"] },
    ),
    consul(
      { host: "10.0.0.2", port: 81 },
      { node: "n1", nodeAddress: "10.0.0.1", address: "10.0.0.2", tags: ["green"] },
    ),
    { host: "10.0.0.3", isHealthy: false },
    { host: "10.0.0.4", isEnabled: false },
    { host: "10.0.0.5", weight: 0 },
  ],
  "com.acme.Orders:1.0@DEFAULT": [{ host: "10.1.0.1", port: 12_200 }],
  named: [{ host: "pods.example.org", port: 8_080 }],
  six: [
    { host: "fd00::7", port: 80 },
    { host: "10.6.0.1", port: 80 },
  ],
  same: [
    { host: "10.7.0.1", port: 1 },
    { host: "10.7.0.1", port: 1 },
    { host: "10.7.0.1", port: 2 },
  ],
  down: [{ isHealthy: false }],
  many: Array.from({ length: 20 }, (_, at) => ({ host: `10.9.0.${at}` })),
});
const SERVERS = [{ name: "s1", host: "10.250.0.1", address: addressOf(groupsOfHost("10.250.0.1")) }];

function ask(name: string, type: keyof typeof DNS_TYPE | number = "A", { answersMax = 100, turn = 0 } = {}) {
  const number = typeof type === "number" ? type : DNS_TYPE[type];
  const question = { name: nameOfText(name) ?? [], type: number, class: 1 };
  return answerTo({ question, answersMax, turn, nowMs: 1_000 }, ZONE, { services: SERVICES, servers: () => SERVERS });
}

function shown({ data }: DnsRecord): string {
  switch (data.type) {
    case "A":
      return data.address.join(".");
    case "AAAA":
      return Buffer.from(data.address).toString("hex");
    case "SRV":
      return `${data.priority} ${data.weight} ${data.port} ${data.target.join(".")}`;
    case "SOA":
    case "TXT":
      return data.type;
    default:
      return data.target.join(".");
  }
}

const NAME_ERROR = 3;
const WEB = ["10.0.0.1", "10.0.0.2"];

const CASES: readonly [name: string, type: keyof typeof DNS_TYPE, answers: readonly string[] | "unknown"][] = [
  ["web.service.consul", "A", WEB],
  ["WEB.Service.CONSUL", "A", WEB],
  ["web.service.dc1.consul", "A", WEB],
  ["web.service.dc2.consul", "A", "unknown"],
  ["web.service.consul", "AAAA", []],
  ["web.service.consul", "TXT", []],
  ["blue.web.service.consul", "A", ["10.0.0.1"]],
  ["red.web.service.consul", "A", "unknown"],
  ["_web._tcp.service.consul", "A", WEB],
  ["_web._green.service.consul", "SRV", ["1 1 81 0a000002.addr.dc1.consul"]],
  ["web.service.consul", "SRV", ["1 1 81 0a000002.addr.dc1.consul", "1 3 80 n1.node.dc1.consul"]],
  ["web.service.consul", "ANY", ["1 1 81 0a000002.addr.dc1.consul", "1 3 80 n1.node.dc1.consul", ...WEB]],
  ["com.acme.orders:1.0@default.service.consul", "A", ["10.1.0.1"]],
  ["_com.acme.Orders:1.0@DEFAULT._tcp.service.consul", "SRV", ["1 1 12200 0a010001.addr.dc1.consul"]],
  ["named.service.consul", "A", ["pods.example.org"]],
  ["named.service.consul", "SRV", ["1 1 8080 pods.example.org"]],
  ["six.service.consul", "AAAA", ["fd000000000000000000000000000007"]],
  ["six.service.consul", "A", ["10.6.0.1"]],
  ["same.service.consul", "A", ["10.7.0.1"]],
  ["same.service.consul", "SRV", ["1 1 1 0a070001.addr.dc1.consul", "1 1 2 0a070001.addr.dc1.consul"]],
  ["down.service.consul", "A", "unknown"],
  ["none.service.consul", "A", "unknown"],
  ["service.consul", "A", []],
  ["n1.node.consul", "A", ["10.0.0.1"]],
  ["10.1.0.1.node.consul", "A", ["10.1.0.1"]],
  ["S1.node.dc1.consul", "A", ["10.250.0.1"]],
  ["n9.node.consul", "A", "unknown"],
  ["0a000002.addr.dc1.consul", "A", ["10.0.0.2"]],
  ["fd000000000000000000000000000007.addr.consul", "AAAA", ["fd000000000000000000000000000007"]],
  ["0a000002.addr.consul", "AAAA", []],
  ["0a00.addr.consul", "A", "unknown"],
  ["1.0.0.10.in-addr.arpa", "PTR", ["n1.node.dc1.consul"]],
  ["2.0.0.10.in-addr.arpa", "PTR", ["Web.service.consul"]],
  ["1.0.250.10.in-addr.arpa", "PTR", ["s1.node.dc1.consul"]],
  ["9.9.9.9.in-addr.arpa", "PTR", "unknown"],
  [`7.${"0.".repeat(27)}0.0.d.f.ip6.arpa`, "PTR", ["six.service.consul"]],
  ["consul", "SOA", ["SOA"]],
  ["consul", "NS", ["ns.consul"]],
  ["consul", "A", []],
  ["ns.consul", "A", ["10.250.0.1"]],
  ["elsewhere.consul", "A", "unknown"],
];

for (const [name, type, expected] of CASES) {
  test(`${name} ${type}: ${expected === "unknown" ? expected : expected.join(", ") || "nothing"}`, () => {
    const { code, answers, authorities, isAuthoritative } = ask(name, type);
    assert.equal(isAuthoritative, true);
    assert.deepEqual(
      [code, answers.map(shown).sort()],
      expected === "unknown" ? [NAME_ERROR, []] : [0, [...expected].sort()],
    );
    // A name or a type that is not there is kept by resolvers for as long as the zone says.
    assert.deepEqual(authorities.map(shown), answers.length === 0 ? ["SOA"] : []);
    for (const { ttlSeconds } of [...answers, ...authorities]) assert.equal(ttlSeconds, 5);
  });
}

test("names outside of the zone, zone transfers and other classes are refused", () => {
  const REFUSED = 5;
  assert.deepEqual([ask("example.org").code, ask("consul", 252).code, ask("").code], [REFUSED, REFUSED, REFUSED]);
  const question = { name: ["consul"], type: DNS_TYPE.TXT, class: 3 };
  const known = { services: SERVICES, servers: () => SERVERS };
  assert.equal(answerTo({ question, answersMax: 1, turn: 0, nowMs: 0 }, ZONE, known).code, REFUSED);
});

test("the addresses of the targets come along, each once", () => {
  const { additionals } = ask("same.service.consul", "SRV");
  assert.deepEqual(
    additionals.map(({ name, data }) => [name[0], data.type]),
    [["0a070001", "A"]],
  );
  assert.deepEqual(ask("consul", "NS").additionals.map(shown), ["10.250.0.1"]);
});

test("of many instances some are answered, and over the questions each as often as the others", () => {
  const counts = new Map<string, number>();
  for (let turn = 0; turn < 2_000; turn++) {
    const { answers } = ask("many.service.consul", "A", { answersMax: 3, turn });
    assert.equal(answers.length, 3);
    for (const answer of answers) counts.set(shown(answer), (counts.get(shown(answer)) ?? 0) + 1);
  }
  assert.equal(counts.size, 20);
  for (const count of counts.values()) assert.ok(count > 200 && count < 400, `${count}`);
});

test("weights with fractions and large ones become whole numbers in proportion", () => {
  const services = servicesOf({
    half: [{ weight: 0.5 }, { host: "10.0.0.2", weight: 2 }],
    large: [{ weight: 1_000_000 }, { host: "10.0.0.2", weight: 1 }],
  });
  const weights = (name: string) => {
    const question = { name: [name, "service", "consul"], type: DNS_TYPE.SRV, class: 1 };
    const { answers } = answerTo({ question, answersMax: 9, turn: 0, nowMs: 0 }, ZONE, { services, servers: () => [] });
    return answers.flatMap(({ data }) => (data.type === "SRV" ? [data.weight] : [])).sort((a, b) => a - b);
  };
  assert.deepEqual(weights("half"), [50, 200]);
  assert.deepEqual(weights("large"), [1, 65_535]);
});

test("a service that is gone is unknown, and its node soon after", () => {
  const services = servicesOf({ gone: [{ host: "10.3.0.1" }] });
  assert.equal(services.node("10.3.0.1", 0)?.host, "10.3.0.1");
  services.set(makeServiceKey({ name: "gone", namespace: "", group: "" }), undefined);
  assert.equal(services.find("gone"), undefined);
  assert.equal(services.node("10.3.0.1", 1_000), undefined);
});
