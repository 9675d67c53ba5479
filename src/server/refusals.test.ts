// What a server of this kind was once talked into, tried at a whole node: docs/internals/refusals.md has the list.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { DEFAULT_POLICIES } from "../access/policy.ts";
import type { RunningServer } from "./start.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"], { sofaChanges: "none" });
  for (const { name } of DEFAULT_POLICIES) {
    assert.equal((await operate(server, "DELETE", `/policy?name=${name}`)).status, 200);
  }
});

/** The status of a request whose path is sent as it is. */
function statusOf(port: number, path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, headers }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    asked.on("error", reject).end();
  });
}

/** A path of each port that shows something to those who may see it. */
const shown = () =>
  [
    [server.ports.admin, "/v1/nodes"],
    [server.ports.eureka, "/eureka/apps"],
    [server.ports.nacos, "/nacos/v1/ns/service/list?pageNo=1&pageSize=10"],
    [server.ports.http, "/digest/getDataInfoIdList"],
    [server.ports.metaHttp, "/persistentData/query?dataInfoId=a%23@%23b%23@%23c"],
    [server.ports.dataHttp, "/digest/datum/count"],
  ] as const;

test("each of these paths is refused to a stranger, and shown to an admin", async () => {
  const authorization = `Bearer ${server.localToken}`;
  for (const [port, path] of shown()) {
    assert.ok([401, 403].includes(await statusOf(port, path)), path);
    const status = await statusOf(port, path, { authorization });
    assert.ok(status < 400 || status === 404, `${path} ${status}`);
  }
});

for (const headers of [
  { "user-agent": "Nacos-Server" },
  { "x-forwarded-for": "127.0.0.1" },
  { "x-real-ip": "127.0.0.1", forwarded: "for=127.0.0.1", "x-client-ip": "127.0.0.1" },
  { referer: "http://127.0.0.1:9604/", host: "127.0.0.1" },
  { host: "localhost" },
  { serverIdentity: "security", "x-roster-node": "meta-1" },
  { "x-original-url": "/livez", "x-rewrite-url": "/livez" },
  { "x-http-method-override": "GET", "x-user": "admin", "remote-user": "admin" },
  { cookie: "session=admin; accessToken=admin" },
]) {
  test(`${Object.keys(headers).join(", ")}: nothing that a caller says of itself lets it in`, async () => {
    for (const [port, path] of shown()) {
      const status = await statusOf(port, path, headers as unknown as Record<string, string>);
      assert.ok([400, 401, 403].includes(status), `${path} ${status}`);
    }
  });
}

// With the separators and escapes that routers and filters were seen to read in different ways.
const DISGUISES: readonly (readonly [what: string, of: (path: string) => string])[] = [
  ["a second slash", (path) => `/${path}`],
  ["a slash at the end", (path) => `${path}/`],
  ["a segment of one dot", (path) => `/.${path}`],
  ["two dots after an open path", (path) => `/livez/..${path}`],
  ["escaped dots", (path) => `/livez/%2e%2e${path}`],
  ["an escaped slash", (path) => path.replace(/(?<=.)\//, "%2F")],
  [
    "an escaped letter",
    (path) => path.replace(/^\/(\w)/, (_, first: string) => `/%${first.charCodeAt(0).toString(16)}`),
  ],
  ["double escapes", (path) => path.replace(/^\/(\w)/, (_, c: string) => `/%25${c.charCodeAt(0).toString(16)}`)],
  ["a parameter of a path", (path) => `${path};a=b`],
  ["a dot at the end", (path) => `${path}.`],
  ["large letters", (path) => path.toUpperCase()],
  ["an open path behind a semicolon", (path) => `${path};/livez`],
  ["a NUL", (path) => `${path}%00.css`],
];

for (const [what, of] of DISGUISES) {
  test(`${what} in a path does not lead around its proof`, async () => {
    for (const [port, path] of shown()) {
      const [plain = "", query = ""] = path.split("?");
      const disguised = of(plain) + (query && `?${query}`);
      const status = await statusOf(port, disguised);
      assert.ok([400, 401, 403, 404].includes(status), `${disguised} ${status}`);
    }
  });
}

test("no secret is in a page of metrics, an answer or the audit trail", async () => {
  const { body: user } = await operate(server, "POST", "/users", { name: "canary", password: "canary-password-1" });
  const { body: token } = await operate(server, "POST", "/tokens", { name: "canary-token", roles: ["admin"] });
  const { body: key } = await operate(server, "POST", "/keys", { name: "canary-key" });
  const made = [user, token, key].map((body) => body as unknown as Record<string, string>);
  const secrets = ["canary-password-1", made[1]?.["token"], made[2]?.["secret"], server.localToken];
  assert.ok(secrets.every((secret) => secret !== undefined && secret.length > 10));
  const basic = `Basic ${Buffer.from("canary:canary-password-2").toString("base64")}`;
  await statusOf(server.ports.admin, `/v1/nodes?token=${secrets[1]}`, { authorization: basic });
  const paths = ["/identities", "/policies", "/audit?outcome=made", "/audit?outcome=refused", "/settings", "/health"];
  const answers = await Promise.all(
    paths.map(async (path) => JSON.stringify((await operate(server, "GET", path)).body)),
  );
  const pages = [(await server.page.render(""))?.body ?? "", ...answers];
  for (const [at, page] of pages.entries()) {
    for (const secret of [...secrets, "canary-password-2"]) assert.ok(!page.includes(secret ?? ""), `page ${at}`);
  }
});

test("a wrong password and a name that there is not are told apart by nothing", async () => {
  const answers = await Promise.all(
    ["canary:wrong-password", "nobody-of-this-name:wrong-password"].map(async (login) => {
      const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
      const answer = await fetch(`http://127.0.0.1:${server.ports.admin}/v1/nodes`, { headers: { authorization } });
      return [answer.status, await answer.text()];
    }),
  );
  assert.equal(answers[0]?.[0], 401);
  assert.deepEqual(answers[0], answers[1]);
});
