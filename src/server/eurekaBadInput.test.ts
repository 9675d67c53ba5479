// Malformed requests at Eureka's port: each is refused with a status and a text, changes nothing, and ends nothing.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { askEureka, eurekaBody, eurekaPath } from "./testing/eurekaPort.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  assert.equal((await ask("POST /apps/GOOD", eurekaBody("good"))).status, 204);
});

const ask = (what: string, init?: RequestInit) => askEureka(server, what, init);

/** The good instance is there, alone and as it was. */
async function isUnharmed(): Promise<void> {
  const { json } = await ask("GET /apps");
  const apps: { name: string; instance: { metadata: object }[] }[] = json.applications.application;
  assert.deepEqual(
    apps.map(({ name, instance }) => [name, instance.map(({ metadata }) => metadata)]),
    [["GOOD", [{ color: "blue" }]]],
  );
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
}

const json = (body: string) => ({ body, headers: { "content-type": "application/json" } });
const xml = (body: string) => ({ body, headers: { "content-type": "application/xml" } });
const without = (field: string) => eurekaBody("bad", { [field]: undefined });
const LAUGHS = `<!DOCTYPE l [<!ENTITY a "ha">${"<!ENTITY b '&a;&a;'>".repeat(9)}]><instance>&b;</instance>`;

for (const [what, init, status, text] of [
  ["no body", { headers: { "content-type": "application/json" } }, 400, /EUREKA_BODY_INVALID/],
  ["JSON that ends early", json('{"instance":{'), 400, /EUREKA_BODY_INVALID.*reason=/],
  ["JSON that is no object", json("[1,2]"), 400, /EUREKA_BODY_INVALID.*field=instance/],
  ["JSON null", json("null"), 400, /EUREKA_BODY_INVALID/],
  ["an instance that is a list", json('{"instance":[]}'), 400, /EUREKA_BODY_INVALID/],
  ["too deep a nesting", json(`{"instance":${"[".repeat(5_000)}${"]".repeat(5_000)}}`), 400, /depthMax=16/],
  ["bytes that are no UTF-8", { ...json(""), body: new Uint8Array([0x22, 0xff]) }, 400, /UTF-8/],
  ["XML that ends early", xml("<instance><app>"), 400, /XML_INVALID.*line=1/],
  ["entities of its own", xml(LAUGHS), 400, /XML_INVALID.*document type/],
  ["a file's name", xml('<!DOCTYPE i SYSTEM "file:///etc/hostname"><instance/>'), 400, /XML_INVALID/],
  ["XML of another element", xml("<application/>"), 400, /element=application/],
  ["too many elements", xml(`<instance>${"<a/>".repeat(3_000)}</instance>`), 400, /elementsMax/],
  ["a form", { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } }, 400, /contentType=/],
  ["a text", { body: "hello", headers: { "content-type": "text/plain" } }, 400, /contentType=text\/plain/],
  ["no content-type", { body: new Uint8Array([0x7b]) }, 400, /expected="application\/json or application\/xml"/],
  ["a body of 100 kB", json(`{"a":"${"x".repeat(100_000)}"}`), 413, /bodyBytesMax=65536/],
  ["no host name", without("hostName"), 400, /Missing hostname/],
  ["no address", without("ipAddr"), 400, /Missing ip address/],
  ["no application", without("app"), 400, /Missing appName/],
  ["no data center", without("dataCenterInfo"), 400, /Missing dataCenterInfo/],
  ["no id and no host name", eurekaBody("bad", { instanceId: "", hostName: "" }), 400, /Missing instanceId/],
  [
    "an application other than the path's",
    eurekaBody("bad", { app: "OTHER" }),
    400,
    /Mismatched appName, expecting BAD/,
  ],
  ["an unknown data center", eurekaBody("bad", { dataCenterInfo: { name: "Moon" } }), 400, /MyOwn, Amazon, Netflix/],
  ["a port beyond ports", eurekaBody("bad", { port: { $: 70_000 } }), 400, /field="\$", value=70000/],
  ["a port that is no number", eurekaBody("bad", { port: { $: "http" } }), 400, /EUREKA_BODY_INVALID/],
  ["a lease that is no number", eurekaBody("bad", { leaseInfo: { durationInSecs: "long" } }), 400, /durationInSecs/],
  ["a lease below zero", eurekaBody("bad", { leaseInfo: { durationInSecs: -1 } }), 400, /durationInSecs/],
  ["a time beyond numbers", eurekaBody("bad", { lastDirtyTimestamp: "1e300" }), 400, /lastDirtyTimestamp/],
  ["metadata that is a list", eurekaBody("bad", { metadata: [1] }), 400, /field=metadata/],
  ["a host name that is an object", eurekaBody("bad", { hostName: {} }), 400, /field=hostName/],
  ["control characters in its id", eurekaBody("bad", { instanceId: "a\u0000b" }), 400, /FIELD_INVALID.*instanceId/],
  ["an id that shows as another", eurekaBody("bad", { instanceId: "a\u202eb" }), 400, /FIELD_INVALID/],
  ["an id beyond names", eurekaBody("bad", { instanceId: "x".repeat(2_000) }), 400, /1600 characters/],
] as const satisfies readonly (readonly [string, RequestInit, number, RegExp])[]) {
  test(`a registration with ${what} is refused`, async () => {
    const answer = await ask("POST /apps/BAD", init);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, text);
    assert.match(answer.type, /^text\/plain/);
    await isUnharmed();
  });
}

test("too many entries of metadata are refused", async () => {
  const metadata = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`k${at}`, ""]));
  const { status, text } = await ask("POST /apps/BAD", eurekaBody("bad", { metadata }));
  assert.deepEqual([status, /entriesMax=1000/.test(text)], [400, true]);
  await isUnharmed();
});

test("keys that mean something to JavaScript are keys of metadata like any other", async () => {
  const body = String(eurekaBody("proto").body).replace(
    '"metadata":{',
    '"metadata":{"__proto__":"p","constructor":"c","polluted":"x",',
  );
  assert.equal(
    (await ask("POST /apps/PROTO", json(body.replace('{"instance"', '{"__proto__":{"polluted":1},"instance"')))).status,
    204,
  );
  const { text } = await ask(`GET ${eurekaPath("proto")}`);
  assert.match(text, /"__proto__":"p"/);
  assert.match(text, /"constructor":"c"/);
  const inXml = await ask(`GET ${eurekaPath("proto")}`, { headers: { accept: "application/xml" } });
  assert.match(inXml.text, /<____proto____>p</);
  assert.equal((await ask(`PUT ${eurekaPath("proto")}/metadata?__proto__=q&toString=t`)).status, 200);
  assert.match((await ask(`GET ${eurekaPath("proto")}`)).text, /"__proto__":"q"/);
  assert.equal((await ask(`DELETE ${eurekaPath("proto")}`)).status, 200);
  await isUnharmed();
});

const GOOD = eurekaPath("good");

for (const [what, status, text] of [
  [`PUT ${GOOD}?lastDirtyTimestamp=yesterday`, 400, /lastDirtyTimestamp/],
  [`PUT ${GOOD}?lastDirtyTimestamp=-1`, 400, /lastDirtyTimestamp/],
  [`PUT ${GOOD}?lastDirtyTimestamp=1&lastDirtyTimestamp=2`, 400, /one value/],
  [`PUT ${GOOD}/status?value=ON`, 400, /UP, DOWN, STARTING, OUT_OF_SERVICE, UNKNOWN/],
  [`PUT ${GOOD}/status`, 400, /field=value/],
  [`PUT ${GOOD}/status?value=UP&value=DOWN`, 400, /one value/],
  [`DELETE ${GOOD}/status?value=OFF`, 400, /field=value/],
  ["PUT /apps/GOOD/nope?status=UP", 404, /^$/],
  ["DELETE /apps/GOOD/nope", 404, /no instance nope of GOOD/],
  ["PUT /apps/GOOD/nope/metadata?a=b", 404, /no instance/],
  [`PUT /apps/GOOD/${"x".repeat(1_700)}`, 400, /FIELD_INVALID.*1600/],
  [`PUT /apps/GOOD/${"x".repeat(6_000)}`, 414, /./],
  [`PUT /apps/${"%00".repeat(2)}/x`, 400, /FIELD_INVALID.*field=app/],
  ["PUT /apps/a%23%40%23b/x", 400, /FIELD_INVALID.*field=app/],
  ["GET /apps/NOPE", 404, /no application NOPE/],
  ["GET /apps/GOOD/nope", 404, /no instance nope/],
  ["GET /apps/GOOD/..%2f..%2fetc%2fhostname", 404, /no instance/],
  ["GET /instances/nope", 404, /no instance/],
  ["PATCH /apps/GOOD", 404, /no route/],
  ["POST /apps", 404, /no route/],
  ["POST /peerreplication/batch", 400, /EUREKA_BODY_INVALID/],
  ["GET /eureka/nothing/at/all", 404, /no route/],
  ["GET /eureka/apps//GOOD", 400, /HTTP_BAD_REQUEST/],
  ["GET /eureka/apps/%zz", 400, /./],
] as const) {
  test(`${what.slice(0, 80)} is answered ${status}`, async () => {
    const answer = await ask(what);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, text);
    await isUnharmed();
  });
}

test("a page of another origin changes nothing", async () => {
  for (const headers of [{ origin: "http://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    assert.equal((await ask(`DELETE ${GOOD}`, { headers })).status, 400);
  }
  await isUnharmed();
});

test("a request that is cut short is not taken", async () => {
  const socket = connect(server.ports.eureka, "127.0.0.1");
  const body = String(eurekaBody("cut").body);
  const head = `POST /eureka/apps/CUT HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, -1)}`);
  socket.end();
  await once(socket.resume(), "close");
  await isUnharmed();
});
