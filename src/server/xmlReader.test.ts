import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { XmlElement } from "../base/xml.ts";
import { decodeXmlName, encodeXmlName, writeXml, type XmlNode } from "../encoding/xml/writer.ts";
import { readXml } from "./xmlReader.ts";

const LIMITS = { elementsMax: 100, depthMax: 8 };

function plain({ name, attributes, children, text }: XmlElement): unknown {
  return { name, attributes: Object.fromEntries(attributes), text: text.trim(), children: children.map(plain) };
}

test("elements, attributes, texts and the five entities are read; comments and instructions are not there", () => {
  const text = '<?xml version="1.0"?><a x="1&quot;"><!-- c --><b>&lt;&#65;&amp;<![CDATA[<&x;>]]></b>t</a>';
  assert.deepEqual(plain(readXml(text, LIMITS)), {
    name: "a",
    attributes: { x: '1"' },
    text: "t",
    children: [{ name: "b", attributes: {}, text: "<A&<&x;>", children: [] }],
  });
});

const LAUGHS = `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>`;
const FILE = `<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]><l>&x;</l>`;

for (const [what, text, named] of [
  ["entities of its own", LAUGHS, /document type/],
  ["a name of a file", FILE, /document type/],
  ["a document type, in any case", "<!doctype l><l/>", /XML_INVALID/],
  ["an unknown entity", "<l>&nbsp;</l>", /XML_INVALID/],
  ["a declaration", "<!ELEMENT l ANY><l/>", /XML_INVALID/],
  ["an end that is not there", "<l><m></l>", /XML_INVALID/],
  ["no element", "hello", /XML_INVALID/],
  ["nothing", "", /XML_INVALID/],
  ["a second root", "<l/><m/>", /XML_INVALID/],
  ["too many elements", `<l>${"<m/>".repeat(100)}</l>`, /elementsMax=100/],
  ["too deep a nesting", "<l>".repeat(9) + "</l>".repeat(9), /depthMax=8/],
] as const) {
  test(`a document with ${what} is refused`, () => {
    assert.throws(() => readXml(text, LIMITS), named);
  });
}

test("names that mean something to JavaScript are names like any other", () => {
  const { children, attributes } = readXml('<l constructor="1"><__proto__>x</__proto__></l>', LIMITS);
  assert.deepEqual([children[0]?.name, children[0]?.text, attributes.get("constructor")], ["__proto__", "x", "1"]);
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
});

test("each text is read as it was written, except for what XML can't hold", () => {
  const unit = fc.oneof(
    fc.constantFrom("&", "<", "]]>", '"', "'", "\r", "\n", "\u0000", "\ud800", "\ufffe"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(unit), (parts) => {
      const text = parts.join("");
      const written = writeXml({ name: "a", attributes: [["b", text.replace(/[\r\n\t]/g, "")]], text });
      const { text: read, attributes } = readXml(written, LIMITS);
      const expected = text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
      assert.equal(read, expected);
      assert.equal(attributes.get("b"), expected.replace(/[\r\n\t]/g, ""));
    }),
  );
});

test("any text can be the name of an element", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (name) => {
      const encoded = encodeXmlName(name);
      assert.equal(readXml(writeXml({ name: encoded }), LIMITS).name, encoded);
      assert.equal(decodeXmlName(encoded), name);
    }),
  );
});

test("names are encoded as XStream does it", () => {
  const names = ["versions_delta", "a$b", "1st", "instance-id", "a b", "management.port"];
  assert.deepEqual(names.map(encodeXmlName), [
    "versions__delta",
    "a_-b",
    "_.0031st",
    "instance-id",
    "a_.0020b",
    "management.port",
  ]);
  assert.equal(decodeXmlName("my_key_"), "my_key_");
});

test("elements stand on lines of their own, by their depth", () => {
  const node: XmlNode = {
    name: "a",
    children: [
      { name: "b", text: "" },
      { name: "c", children: [{ name: "d" }] },
    ],
  };
  assert.equal(writeXml(node, 1), "  <a>\n    <b></b>\n    <c>\n      <d/>\n    </c>\n  </a>\n");
});
