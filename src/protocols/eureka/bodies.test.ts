import assert from "node:assert/strict";
import { test } from "node:test";
import { anInstance } from "../../model/testing/instances.ts";
import { Applications } from "./applications.ts";
import { Bodies, documentOf } from "./bodies.ts";
import type { Form } from "./codec/documents.ts";
import { serviceKeyOf } from "./map.ts";
import { anEurekaInstance } from "./testing/instances.ts";
import { foreignPublication, listOf, ownPublication } from "./testing/publications.ts";

const FORM: Form = { kind: "json", isCompact: false };
const PLAIN = { isGzip: false, nowMs: 0 };

function scene() {
  const applications = new Applications();
  let compressed = 0;
  const gzip = (bytes: Uint8Array) => {
    compressed++;
    return bytes.subarray(0, 1);
  };
  const bodies = new Bodies(applications, { gzip });
  const set = (name: string, instance = anEurekaInstance({ app: name })) => {
    applications.set(serviceKeyOf(name), listOf(ownPublication(instance)), 0);
  };
  return { applications, bodies, set, compressed: () => compressed };
}

// biome-ignore lint/suspicious/noExplicitAny: the test looks into a document
function parsed(bytes: Uint8Array): any {
  return JSON.parse(new TextDecoder().decode(bytes)).applications;
}

test("a body is made once for a change, and its compressed form too", () => {
  const { bodies, set, compressed } = scene();
  set("A");
  const [first, second] = [bodies.all(FORM, PLAIN), bodies.all(FORM, PLAIN)];
  assert.equal(first, second);
  const [third, fourth] = [bodies.all(FORM, { ...PLAIN, isGzip: true }), bodies.all(FORM, { ...PLAIN, isGzip: true })];
  assert.equal(third, fourth);
  assert.equal(compressed(), 1);
  set("B");
  const names = parsed(bodies.all(FORM, PLAIN)).application.map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ["A", "B"]);
  set("A", anEurekaInstance({ app: "A", status: "DOWN" }));
  const { application, apps__hashcode } = parsed(bodies.all(FORM, PLAIN));
  assert.deepEqual([application[0].instance[0].status, apps__hashcode], ["DOWN", "DOWN_1_UP_1_"]);
});

test("an application that is gone is in no body any more", () => {
  const { applications, bodies, set } = scene();
  set("A");
  bodies.all(FORM, PLAIN);
  applications.set(serviceKeyOf("A"), undefined, 0);
  assert.deepEqual(parsed(bodies.all(FORM, PLAIN)).application, []);
  assert.equal(parsed(bodies.changes(FORM, PLAIN)).application[0].instance[0].actionType, "DELETED");
});

test("changes that are three minutes old are in no body any more", () => {
  const { bodies, set } = scene();
  set("A");
  assert.equal(parsed(bodies.changes(FORM, PLAIN)).application.length, 1);
  assert.equal(parsed(bodies.changes(FORM, { isGzip: false, nowMs: 210_000 })).application.length, 0);
});

test("without the changes there is a hash that no client has", () => {
  const { applications, bodies } = scene();
  const many = Array.from({ length: 20_001 }, (_, at) => foreignPublication(anInstance({ port: at })));
  applications.set(serviceKeyOf("A"), listOf(...many), 0);
  const { application, apps__hashcode } = parsed(bodies.changes(FORM, PLAIN));
  assert.deepEqual(application, []);
  assert.notEqual(apps__hashcode, applications.hashCode);
});

test("a form that is not asked for is forgotten after two minutes", () => {
  const { bodies, set } = scene();
  set("A");
  const first = bodies.all(FORM, PLAIN);
  bodies.tidy(119_999);
  assert.equal(bodies.all(FORM, PLAIN), first);
  bodies.tidy(120_000);
  assert.notEqual(bodies.all(FORM, PLAIN), first);
});

test("each form has a body of its own", () => {
  const { bodies, set } = scene();
  set("A");
  const forms: Form[] = [FORM, { ...FORM, isCompact: true }, { kind: "xml", isCompact: false }];
  const texts = forms.map((form) => new TextDecoder().decode(bodies.all(form, PLAIN)));
  assert.match(texts[0] ?? "", /"leaseInfo"/);
  assert.doesNotMatch(texts[1] ?? "", /"leaseInfo"/);
  assert.match(texts[2] ?? "", /^<applications>\n {2}<versions__delta>/);
});

test("a document of some applications has the hash of these alone", () => {
  const found = new Map([["A", [anEurekaInstance(), anEurekaInstance({ status: "DOWN" })]]]);
  assert.match(documentOf(found, FORM), /"versions__delta":"-1","apps__hashcode":"DOWN_1_UP_1_"/);
  assert.equal(documentOf(new Map(), FORM).includes('"application":[]'), true);
});
