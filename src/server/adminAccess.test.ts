// Who may ask which operation: every operation of the table, at a node that asks another one, without credentials, with
// wrong ones, and with those of each lesser access role. And the way of an identity from its making to its end.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PERMISSIONS, type Permission } from "../access/policy.ts";
import { newToken } from "../access/proofs.ts";
import type { Operation } from "../admin/operation.ts";
import { OPERATIONS } from "../admin/operations.ts";
import { hostSecrets } from "../transport/secrets.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const PASSWORD = "correct horse battery";
const tokens = new Map<string, string>();
let meta: RunningServer;
let session: RunningServer;
let dataDir: string;
after(() => nodes.close());

interface Answer {
  readonly status: number;
  readonly body: { readonly error?: { readonly code: string; readonly message: string } } & Record<string, unknown>;
  readonly challenge: string | null;
}

/** Asks with these credentials, or none. */
async function ask(
  { ports }: Pick<RunningServer, "ports">,
  request: string,
  {
    authorization,
    body,
    headers = {},
  }: { authorization?: string; body?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const [method = "", path = ""] = request.split(" ");
  const sent = {
    ...headers,
    ...(authorization !== undefined && { authorization }),
    ...(body && { "content-type": "application/json" }),
  };
  const answer = await fetch(`http://127.0.0.1:${ports.admin}/v1${path}`, {
    method,
    headers: sent,
    ...(body && { body: JSON.stringify(body) }),
  });
  const challenge = answer.headers.get("www-authenticate");
  return { status: answer.status, body: (await answer.json()) as Answer["body"], challenge };
}

const bearerOf = (name: string) => `Bearer ${tokens.get(name)}`;
const basic = (login: string) => `Basic ${Buffer.from(login).toString("base64")}`;

before(async () => {
  meta = await nodes.start(["meta"]);
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  await nodes.start(["data"], at);
  dataDir = nodes.newDirectory();
  session = await nodes.start(["session"], { ...at, dataDir });
  await eventually(
    async () => (await operate(session, "GET", "/health")).status,
    (status) => status === 200,
    30_000,
  );
  for (const role of ["admin", "operator", "reader", "client"]) {
    const { status, body } = await operate(session, "POST", "/tokens", { name: `a-${role}`, roles: [role] });
    assert.equal(status, 200, JSON.stringify(body));
    tokens.set(role, (body as unknown as { token: string }).token);
  }
  tokens.set(
    "none",
    ((await operate(session, "POST", "/tokens", { name: "a-none" })).body as unknown as { token: string }).token,
  );
  assert.equal(
    (await operate(session, "POST", "/users", { name: "ann", roles: ["operator"], password: PASSWORD })).status,
    200,
  );
});

const GRANTED: Readonly<Record<string, readonly Permission[]>> = {
  none: [],
  client: [],
  reader: ["read"],
  operator: ["read", "operate", "configure"],
  admin: PERMISSIONS,
};

const requestOf = ({ method, path }: Operation) => `${method} ${path}`;

for (const operation of OPERATIONS) {
  const { name, permission, isChange } = operation;
  test(`${name} (${permission}) is refused to every caller who lacks that, at each node`, async () => {
    const before = await operate(meta, "GET", "/policies");
    for (const node of [session, meta]) {
      const anonymous = await ask(node, requestOf(operation));
      // A body that is no object is looked at only after the caller.
      if (permission === "read") assert.notEqual(anonymous.status, 401, name);
      else if (permission !== "open") {
        assert.equal(anonymous.body.error?.code, "CREDENTIALS_NEEDED", name);
        assert.deepEqual([anonymous.status, anonymous.challenge], [401, 'Bearer realm="roster"']);
      }
      const wrong = await ask(node, requestOf(operation), { authorization: `Bearer ${newToken(hostSecrets).shown}` });
      assert.deepEqual(
        [wrong.status, wrong.body.error?.code],
        [401, "CREDENTIALS_REFUSED"],
        "also where none are needed",
      );
      for (const [role, granted] of Object.entries(GRANTED)) {
        const isGranted = permission === "open" || granted.includes(permission);
        // What is granted is tried elsewhere: it would drain the nodes.
        if (isGranted && isChange) continue;
        const { status, body } = await ask(node, requestOf(operation), { authorization: bearerOf(role) });
        if (isGranted) assert.ok(![401, 403].includes(status), `${role} ${name}: ${status}`);
        else assert.deepEqual([status, body.error?.code], [403, "PERMISSION_NEEDED"], `${role} ${name}`);
      }
    }
    assert.deepEqual(await operate(meta, "GET", "/policies"), before);
  });
}

test("what there is not is refused, and no path leads to operations between nodes", async () => {
  const admin = { authorization: bearerOf("admin") };
  for (const request of [
    "GET /",
    "GET /purple",
    "POST /identities",
    "POST /access/redeem",
    "POST /identities/put",
    "GET /access/tell",
  ]) {
    assert.equal((await ask(session, request, admin)).status, 404, request);
    assert.equal((await ask(session, request)).status, 404, request);
  }
});

test("a page in a browser on the node's machine reads nothing, by whatever name of the machine", async () => {
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "http://evil.example.com" },
  ]) {
    assert.equal((await ask(session, "GET /health", { headers })).status, 400, JSON.stringify(headers));
  }
});

test("the local token is in the data directory, for the node's user only, and is nothing to another node", async () => {
  const file = join(dataDir, "admin-token");
  assert.equal(readFileSync(file, "utf8").trim(), session.localToken);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await ask(meta, "GET /identities", { authorization: `Bearer ${session.localToken}` })).status, 401);
});

test("an identity is known at every node within a second, and ends there as fast", async () => {
  const { body } = await operate(session, "POST", "/tokens", { name: "brief", roles: ["reader"] });
  const authorization = `Bearer ${(body as unknown as { token: string }).token}`;
  const whoami = async (node: RunningServer) => (await ask(node, "GET /access/whoami", { authorization })).body["name"];
  assert.equal(await whoami(session), "brief", "at once where it was made");
  await eventually(
    () => whoami(meta),
    (name) => name === "brief",
    1_000,
  );
  assert.equal((await operate(meta, "DELETE", "/identity?name=brief")).status, 200);
  assert.equal((await ask(meta, "GET /access/whoami", { authorization })).status, 401);
  await eventually(
    async () => (await ask(session, "GET /access/whoami", { authorization })).status,
    (status) => status === 401,
    1_500,
  );
});

test("a user logs in by password; the login is worth what the user is, and a change of the user ends it", async () => {
  const login = await ask(session, "POST /access/login", { authorization: basic(`ann:${PASSWORD}`), body: {} });
  assert.equal(login.status, 200, JSON.stringify(login.body));
  const authorization = `Bearer ${login.body["token"]}`;
  const { body: me } = await ask(session, "GET /access/whoami", { authorization });
  assert.deepEqual([me["kind"], me["roles"], me["may"]], ["token", ["operator"], ["read", "operate", "configure"]]);
  assert.match(String(me["name"]), /^ann-login-/);
  assert.equal((await operate(session, "PUT", "/identity", { name: "ann", roles: ["reader"] })).status, 200);
  await eventually(
    async () => (await ask(session, "GET /access/whoami", { authorization })).status,
    (status) => status === 401,
  );
  const again = await ask(session, "POST /access/login", { authorization: basic(`ann:${PASSWORD}`), body: {} });
  const next = { authorization: `Bearer ${again.body["token"]}` };
  assert.deepEqual((await ask(session, "GET /access/whoami", next)).body["may"], ["read"]);
  assert.equal((await ask(session, "POST /access/logout", { ...next, body: {} })).status, 200);
  await eventually(
    async () => (await ask(session, "GET /access/whoami", next)).status,
    (status) => status === 401,
  );
});

test("only a user logs in: a token makes no other token", async () => {
  const answer = await ask(session, "POST /access/login", { authorization: bearerOf("admin"), body: {} });
  assert.deepEqual([answer.status, answer.body.error?.code], [401, "CREDENTIALS_NEEDED"]);
});

test("a policy closes reading at the node's machine, and its removal does not open it again", async () => {
  const policy = {
    name: "anonymous-local-readers",
    effect: "allow",
    actions: ["read"],
    kinds: ["anonymous"],
    addresses: ["10.9.9.9"],
  };
  const read = async () => (await ask(session, "GET /nodes")).status;
  assert.equal(await read(), 200);
  assert.equal((await operate(session, "PUT", "/policy", policy)).status, 200);
  await eventually(read, (status) => status === 401);
  assert.equal((await operate(session, "DELETE", "/policy?name=anonymous-local-readers")).status, 200);
  const check = await operate(meta, "GET", "/access/check?name=anonymous&action=read&from=10.9.9.9");
  assert.equal((check.body as unknown as { isAllowed: boolean }).isAllowed, false);
  assert.equal((await operate(session, "PUT", "/policy", { ...policy, addresses: ["127.0.0.0/8"] })).status, 200);
  await eventually(read, (status) => status === 200);
});

test("a policy that denies beats an access role, and the refusal has its name", async () => {
  const policy = {
    name: "frozen",
    effect: "deny",
    actions: ["configure"],
    roles: ["operator"],
    reason: "release freeze",
  };
  assert.equal((await operate(session, "PUT", "/policy", policy)).status, 200);
  const body = { key: "a", data: "b" };
  const put = () => ask(session, "PUT /config", { authorization: bearerOf("operator"), body });
  const refused = await eventually(put, ({ status }) => status === 403);
  assert.match(refused.body.error?.message ?? "", /principal=a-operator.*permission=configure, deniedBy=frozen/);
  assert.equal((await operate(session, "DELETE", "/policy?name=frozen")).status, 200);
  await eventually(put, ({ status }) => status === 200);
});

test("changes and refusals are in the audit trail: who, from where, what, before and after", async () => {
  await operate(session, "PUT", "/config", { key: "audited", data: "hidden value" });
  await ask(session, "PUT /config", { authorization: bearerOf("reader"), body: { key: "audited", data: "b" } });
  await ask(session, "PUT /config", { authorization: "Bearer no", body: { key: "audited", data: "b" } });
  const rows = async (query: string) =>
    (await operate(session, "GET", `/audit?operation=configs.put&${query}`)).body.items;
  const [made] = await eventually(
    () => rows("by=local"),
    (found) => found.length > 0,
  );
  assert.deepEqual(
    [made.by, made.kind, made.from, made.status, made.parameters],
    ["local", "token", "127.0.0.1", 200, '{"key":"audited","data":"12 characters"}'],
  );
  assert.match(made.after, /^\{"version":"\d+","chars":12\}$/);
  const refused = await eventually(
    () => rows("outcome=refused"),
    (found) => found.length > 1,
  );
  const ofReader = refused.find(({ by }) => by === "a-reader");
  assert.deepEqual([ofReader.code, ofReader.status], ["PERMISSION_NEEDED", 403]);
  assert.ok(refused.some(({ by, code }) => by === "" && code === "CREDENTIALS_REFUSED"));
  const trail = JSON.stringify([await rows(""), (await operate(meta, "GET", "/audit?limit=1000")).body]);
  assert.doesNotMatch(trail, /hidden value|roster_|scrypt:|sha256:|correct horse/);
  assert.match(trail, /identities.put/);
});

test("no answer shows a secret again", async () => {
  const lists = await Promise.all(["/identities", "/policies"].map((path) => operate(meta, "GET", path)));
  const text = JSON.stringify(lists.map(({ body }) => body));
  assert.doesNotMatch(text, /scrypt|sha256|roster_/);
});

test("identities survive a restart of all nodes, and a node that finds no meta node goes on with them", async () => {
  const authorization = bearerOf("reader");
  await nodes.stop(session);
  const other = await nodes.start(["session"], { metaAddresses: [`127.0.0.1:${meta.ports.node}`], dataDir });
  await eventually(
    async () => (await ask(other, "GET /access/whoami", { authorization })).status,
    (status) => status === 200,
  );
  await nodes.stop(other);
  const alone = await nodes.start(["session"], { metaAddresses: ["127.0.0.1:2"], dataDir });
  const me = await ask(alone, "GET /access/whoami", { authorization });
  assert.deepEqual([me.status, me.body["name"]], [200, "a-reader"]);
});
