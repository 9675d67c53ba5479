import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readXml } from "../../../server/xmlReader.ts";
import { decodeBody } from "../decode.ts";
import { eurekaInstances } from "../testing/instances.ts";
import { sampleBody } from "../testing/samples.ts";
import { applicationDocument, applicationPart, applicationsFrame, type Form, instanceDocument } from "./documents.ts";
import { type Fields, type FieldValue, fieldsOf, fieldsOfJson, fieldsOfXml, textField } from "./fields.ts";
import type { EurekaInstance } from "./instance.ts";
import { readInstance } from "./readInstance.ts";

const JSON_FORM: Form = { kind: "json", isCompact: false };
const XML_FORM: Form = { kind: "xml", isCompact: false };

function read(value: FieldValue): EurekaInstance {
  const instance = readInstance(value, 1);
  assert.ok(!("missing" in instance));
  return instance;
}

/** The instance, as its document has it. */
function returned(instance: EurekaInstance, kind: "json" | "xml"): EurekaInstance {
  const bytes = new TextEncoder().encode(instanceDocument(instance, { kind }));
  return read(decodeBody(bytes, kind, "instance", readXml));
}

for (const kind of ["json", "xml"] as const) {
  test(`each instance is read from ${kind} as it was written`, () => {
    fc.assert(
      fc.property(eurekaInstances, (instance) => {
        assert.deepEqual(returned(instance, kind), instance);
      }),
    );
  });
}

// The elements of a list, of which one may stand alone.
function listOf(fields: Fields, field: string): readonly FieldValue[] {
  const value = fields.get(field);
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function instancesOf(application: FieldValue): [name: string, instances: EurekaInstance[]] {
  const fields = fieldsOf(application, "application");
  return [textField(fields, "name") ?? "", listOf(fields, "instance").map(read)];
}

/** A document of applications, read and written again. */
function rewritten(body: string, form: Form): string {
  const root = form.kind === "json" ? fieldsOfJson(JSON.parse(body)) : fieldsOfXml(readXml(body, LARGE));
  const value = form.kind === "json" ? fieldsOf(root, "envelope").get("applications") : root;
  const fields = fieldsOf(value, "applications");
  const { begin, between, end } = applicationsFrame(
    {
      versionsDelta: textField(fields, form.kind === "json" ? "versions__delta" : "versions_delta") ?? "",
      hashCode: textField(fields, form.kind === "json" ? "apps__hashcode" : "apps_hashcode") ?? "",
    },
    form,
  );
  const parts = listOf(fields, "application").map((each) => applicationPart(...instancesOf(each), form));
  return (begin + parts.join(between) + end).trimEnd();
}

const LARGE = { elementsMax: 100_000, depthMax: 16 };

for (const name of ["apps", "delta", "vips"]) {
  test(`the recorded JSON of ${name} is written as it was read`, () => {
    const body = sampleBody(`${name}.json.txt`);
    assert.equal(rewritten(body, JSON_FORM), body);
  });
}

for (const name of ["apps", "delta"]) {
  test(`the recorded XML of ${name} is written as it was read`, () => {
    const body = sampleBody(`${name}.xml.txt`);
    assert.equal(rewritten(body, XML_FORM), body);
  });
}

for (const form of [JSON_FORM, XML_FORM]) {
  const { kind } = form;
  test(`the recorded ${kind} of an application and of an instance is written as it was read`, () => {
    const application = sampleBody(`application.${kind}.txt`);
    const bytes = new TextEncoder().encode(application);
    const read = instancesOf(decodeBody(bytes, kind, "application", readXml));
    assert.equal(applicationDocument(...read, form).trimEnd(), application);
    const instance = sampleBody(`instance.${kind}.txt`);
    const parsed = decodeBody(new TextEncoder().encode(instance), kind, "instance", readXml);
    assert.equal(instanceDocument(readInstanceOf(parsed), form).trimEnd(), instance);
  });
}

function readInstanceOf(value: FieldValue): EurekaInstance {
  return read(value);
}

test("a compact application has the recorded fields, in the recorded order", () => {
  const body = sampleBody("application-compact.json.txt");
  const [name, instances] = instancesOf(decodeBody(new TextEncoder().encode(body), "json", "application", readXml));
  assert.equal(applicationDocument(name, instances, { kind: "json", isCompact: true }), body);
  const xml = applicationDocument(name, instances, { kind: "xml", isCompact: true });
  assert.match(xml, /<instanceId>app-12774:1<\/instanceId>/);
  assert.doesNotMatch(xml, /leaseInfo|metadata|homePageUrl/);
});
