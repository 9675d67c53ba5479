import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { type TestContext, test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { type OperationCall, operate } from "./operate.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof RegistryError && error.code === code;

/** Runs a node that answers as told, and returns the output of the call. */
async function print(t: TestContext, answer: RequestListener, call: Omit<OperationCall, "url">): Promise<string[]> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const lines: string[] = [];
  t.mock.method(console, "log", (line: string) => lines.push(line));
  t.mock.method(console, "error", (line: string) => lines.push(line));
  await operate({ ...call, url: `http://127.0.0.1:${port}` });
  return lines;
}

test("rows are printed as a table, with a dash for what is not there", async (t) => {
  const data = [
    { id: 1, leader: "d1.aaaa", followers: ["d2.bbbb", "d3.cccc"] },
    { id: 20, leader: null, followers: [] },
  ];
  const lines = await print(t, (_, response) => response.end(JSON.stringify({ items: data })), {
    path: "/slots",
    columns: ["id", "leader", "followers"],
    form: "table",
  });
  assert.deepEqual(lines, ["ID  LEADER   FOLLOWERS", "1   d1.aaaa  d2.bbbb,d3.cccc", "20  -        -"]);
});

test("the answer is printed whole for scripts", async (t) => {
  const answer = { items: [{ id: 1 }] };
  const call = { path: "/slots", columns: ["id"], form: "json" } as const;
  const lines = await print(t, (_, response) => response.end(JSON.stringify(answer)), call);
  assert.deepEqual(JSON.parse(lines.join("\n")), answer);
});

test("a question has its parameters in the query, a change in the body", async (t) => {
  const seen: string[] = [];
  const answer: RequestListener = (request, response) => {
    request.setEncoding("utf8").on("data", (body) => seen.push(body));
    request.on("end", () => response.end("{}"));
    seen.push(`${request.method} ${request.url}`);
  };
  const parameters = { node: "a b" };
  const change = { method: "POST", path: "/nodes/block", parameters, form: "table" } as const;
  assert.deepEqual(await print(t, answer, change), ["done"]);
  assert.deepEqual(seen.splice(0), ["POST /v1/nodes/block", '{"node":"a b"}']);
  await print(t, answer, { path: "/slots", parameters, columns: [], form: "table" });
  assert.deepEqual(seen, ["GET /v1/slots?node=a+b"]);
});

test("what the node refuses is said in its own words", async (t) => {
  const answer: RequestListener = (_, response) => {
    response.writeHead(400).end(JSON.stringify({ error: { message: "no such service" } }));
  };
  await assert.rejects(print(t, answer, { path: "/held/release", form: "table" }), hasCode("OPERATION_FAILED"));
});

for (const url of ["http://127.0.0.1:1", "http://no-such-host.invalid:9615"]) {
  test(`a node that does not answer at ${url} is named`, async () => {
    await assert.rejects(operate({ url, path: "/nodes", form: "table" }), hasCode("NODE_UNREACHABLE"));
  });
}

test("a host and a port are enough of a URL", async () => {
  const call = operate({ url: "localhost:1", path: "/nodes", form: "table" });
  await assert.rejects(call, hasCode("NODE_UNREACHABLE"));
});

test("a URL that is none is refused", async () => {
  await assert.rejects(operate({ url: "9615", path: "/nodes", form: "table" }), hasCode("FIELD_INVALID"));
});

test("what a node says moves no cursor and shows no name as another one", async (t) => {
  const data = [{ id: "d1\u202e\u009b2J.aaaa" }];
  const answer: RequestListener = (_, response) => response.end(JSON.stringify({ items: data }));
  const call = { path: "/nodes", columns: ["id"] } as const;
  assert.deepEqual(await print(t, answer, { ...call, form: "table" }), ["ID", "d1\\u202e\\u009b2J.aaaa"]);
  t.mock.restoreAll();
  const [json] = await print(t, answer, { ...call, form: "json" });
  assert.doesNotMatch(json ?? "", /[\u202e\u009b]/);
  assert.deepEqual(JSON.parse(json ?? ""), { items: data });
});

test("nodes that did not answer are named, and the others' rows are printed", async (t) => {
  const unreachable = [{ node: "d2.bbbb", reason: "no link" }];
  const answer: RequestListener = (_, response) => response.end(JSON.stringify({ items: [{ id: "d1" }], unreachable }));
  const lines = await print(t, answer, { path: "/held", columns: ["id"], form: "table" });
  assert.match(lines[0] ?? "", /d2.bbbb did not answer.*no link/);
  assert.deepEqual(lines.slice(1), ["ID", "d1"]);
});

test("an answer of a cluster without a leader is printed, and says so", async (t) => {
  const answer: RequestListener = (_, response) =>
    response.end(JSON.stringify({ leader: null, items: [{ id: "d1" }] }));
  const lines = await print(t, answer, { path: "/nodes", columns: ["id"], form: "table" });
  assert.match(lines[0] ?? "", /no meta node leads/);
  assert.deepEqual(lines.slice(1), ["ID", "d1"]);
});
