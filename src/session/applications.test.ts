// Revisions of applications at a session whose meta and data nodes are played by the test.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type AppRevision, REVISION_ATTRIBUTE } from "../model/appRevision.ts";
import type { Publication } from "../model/publication.ts";
import type { AppEvent, AppsListed, RevisionsFound, ServiceAppsFound } from "../registry/apps.ts";
import {
  ackLast,
  batches,
  connect,
  disconnect,
  fromData,
  type HarnessClient,
  nowMs,
  ORDERS,
  ORIGIN,
  pass,
  publish,
  reset,
  session,
  snapshot,
  stall,
  subscribe,
  taken,
  toData,
  toMeta,
} from "./testing/harness.ts";
import { publication } from "./testing/parts.ts";

beforeEach(() => {
  reset();
  pass(100);
  toMeta.length = 0;
});

const revision = (id: string, bytes = 10): AppRevision => ({
  id,
  application: "shop",
  services: ["orders"],
  content: new Uint8Array(bytes),
});
const naming = (...ids: string[]) => new Map([[REVISION_ATTRIBUTE, ids.join(",")]]);
const instance = (registId: string, ...ids: string[]): Publication =>
  publication({ registId, attributes: naming(...ids) });

const found = (...ids: string[]) => fromMeta({ kind: "revisions", found: ids.map((id) => revision(id)), unknown: [] });
const unknown = (...ids: string[]) => fromMeta({ kind: "revisions", found: [], unknown: ids });
const stored = (known: string[], missing: string[] = []) =>
  fromMeta({ kind: "revisionsStored", stored: known, unknown: missing });

type FromMeta = Extract<Parameters<typeof session.step>[0], { kind: "fromMeta" }>["message"];
function fromMeta(message: FromMeta): void {
  session.step({ kind: "fromMeta", message }, nowMs);
}

/** The names in the session's messages of this kind to the meta nodes, since the last call. */
function asked(kind: string): string[] {
  const messages = toMeta.filter((message) => message.kind === kind);
  toMeta.splice(0, toMeta.length, ...toMeta.filter((message) => message.kind !== kind));
  return messages.flatMap((message) => {
    if ("ids" in message) return message.ids;
    if ("services" in message) return message.services;
    return "revision" in message ? [message.revision.id] : [message.kind];
  });
}

type Rest<Kind extends AppEvent["kind"]> = Omit<Extract<AppEvent, { kind: Kind }>, "kind" | "asker" | "untilMs">;

/** Asks something, for a second; the answers come in order. */
function ask<Answer>(kind: AppEvent["kind"], rest: object): Answer[] {
  const answers: Answer[] = [];
  const asker = { answer: (answer: Answer) => void answers.push(answer) };
  session.step({ kind, asker, untilMs: nowMs + 1_000, ...rest } as unknown as AppEvent, nowMs);
  return answers;
}
const find = (...ids: string[]) => ask<RevisionsFound>("askedRevisions", { ids } satisfies Rest<"askedRevisions">);
const register = (id: string, bytes?: number) =>
  ask<{ error: Error | undefined }>("registeredRevision", { revision: revision(id, bytes) });
const renew = (...ids: string[]) => ask<{ unknown: string[]; error: Error | undefined }>("renewedRevisions", { ids });
const findApps = (...services: string[]) => ask<ServiceAppsFound>("askedServiceApps", { services });

/**
 * The registIds of each push to the client. The view of a push is valid while it is made, so there is one at a time.
 */
const shown = ({ channel }: HarnessClient) => [...(channel.pushes.at(-1)?.view.publications.keys() ?? [])];

function subscriber(): HarnessClient {
  const client = connect();
  subscribe(client);
  return client;
}

test("a list that names a revision is shown when the revision is here, and asked for it at once", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1"), publication({ registId: "p" })]);
  assert.deepEqual(client.channel.pushes, []);
  assert.deepEqual(asked("findRevisions"), ["r1"]);
  found("r1");
  assert.deepEqual(shown(client), ["i1", "p"]);
  assert.deepEqual(client.channel.versions, [5n]);
});

test("a list whose revisions are all here is shown at once", () => {
  find("r1", "r2");
  found("r1", "r2");
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1", "r2")]);
  assert.deepEqual(shown(client), ["i1"]);
});

test("a change that names another revision waits, and the subscriber keeps what it has", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1")]);
  found("r1");
  ackLast(client);
  const change = { kind: "put", publication: instance("i2", "r2") } as const;
  const base = { version: 5n, origin: ORIGIN };
  fromData({ kind: "delta", delta: { serviceKey: ORDERS, version: 6n, origin: ORIGIN, base, changes: [change] } });
  const newcomer = subscriber();
  pass(400);
  assert.deepEqual(client.channel.versions, [5n]);
  assert.deepEqual(newcomer.channel.versions, [], "nor is it shown to a new subscriber");
  found("r2");
  assert.deepEqual([client.channel.versions, newcomer.channel.versions], [[5n, 6n], [6n]]);
  assert.deepEqual(shown(newcomer), ["i1", "i2"]);
});

test("a list does not wait for a revision that it no longer names", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1")]);
  snapshot(6n, [publication({ registId: "i1" })]);
  assert.deepEqual(client.channel.versions, [6n]);
  snapshot(7n, [instance("i1", "r1"), instance("i2", "r1")]);
  const removed = (version: bigint, registId: string) => {
    const changes = [{ kind: "removed", registId, stamp: { version: 2n, registeredMs: nowMs } } as const];
    const base = { version: version - 1n, origin: ORIGIN };
    fromData({ kind: "delta", delta: { serviceKey: ORDERS, version, origin: ORIGIN, base, changes } });
  };
  removed(8n, "i1");
  pass(2_000);
  ackLast(client);
  assert.deepEqual(client.channel.versions, [6n], "another one still names it");
  removed(9n, "i2");
  assert.deepEqual(client.channel.versions, [6n, 9n]);
});

test("a question that is not answered is asked again each second, until it is", () => {
  subscriber();
  snapshot(5n, [instance("i1", "r1")]);
  assert.deepEqual(asked("findRevisions"), ["r1"]);
  pass(2_100);
  assert.deepEqual(asked("findRevisions"), ["r1", "r1"]);
  found("r1");
  pass(5_000);
  assert.deepEqual(asked("findRevisions"), []);
});

test("after ten seconds a list is shown without the instances whose revision the store does not have", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1")]);
  unknown("r1");
  pass(9_900);
  assert.deepEqual(client.channel.pushes, []);
  pass(200);
  assert.deepEqual([client.channel.versions, shown(client)], [[5n], []]);
  ackLast(client);
  snapshot(6n, [instance("i1", "r1"), publication({ registId: "p" })]);
  assert.deepEqual(shown(client), ["p"], "it has had its time: later versions do not wait for it");
});

test("without an answer a list is shown without some instances, and not without most of them", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1"), instance("i2", "r1"), publication({ registId: "p" })]);
  pass(30_000);
  assert.deepEqual(client.channel.pushes, []);
  snapshot(6n, [instance("i1", "r1"), publication({ registId: "p" })]);
  assert.deepEqual(shown(client), ["p"]);
});

test("after a long outage a list waits for all of its answers, which come in parts", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1"), instance("i2", "r2")]);
  pass(30_000);
  found("r1");
  pass(3_000);
  snapshot(6n, [instance("i1", "r1"), instance("i2", "r2"), instance("i3", "r1")]);
  assert.deepEqual(client.channel.pushes, []);
  found("r2");
  assert.deepEqual([client.channel.versions, shown(client)], [[6n], ["i1", "i2", "i3"]]);
});

test("the rest of the answers has ten seconds, and no longer", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1"), instance("i2", "r2"), publication({ registId: "p" })]);
  pass(8_000);
  found("r1");
  pass(9_900);
  assert.deepEqual(client.channel.pushes, []);
  pass(200);
  assert.deepEqual(shown(client), ["i1", "p"]);
});

test("an instance that names several revisions is one", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1", "r2"), publication({ registId: "p" }), publication({ registId: "q" })]);
  pass(10_100);
  assert.deepEqual(shown(client), ["p", "q"]);
});

test("the leader is asked to issue a list anew when the revision that it was shown without has come", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1"), publication({ registId: "p" })]);
  pass(10_100);
  ackLast(client);
  const reissued = () => toData.filter(({ kind }) => kind === "reissue").length;
  assert.equal(reissued(), 0);
  found("r1");
  assert.deepEqual(toData.at(-1), { kind: "reissue", serviceKey: ORDERS, have: { version: 5n, origin: ORIGIN } });
  pass(2_100);
  assert.equal(reissued(), 2, "it was not answered");
  snapshot(6n, [instance("i1", "r1"), publication({ registId: "p" })]);
  assert.deepEqual(shown(client), ["i1", "p"]);
  assert.deepEqual([...session.parts.applications.unfinished()], []);
  found("r2");
  pass(10_000);
  assert.equal(reissued(), 2);
});

test("nothing waits for a revision once the service has no subscriber", () => {
  const client = subscriber();
  snapshot(5n, [instance("i1", "r1")]);
  assert.deepEqual([...session.parts.applications.unfinished()], ["a list waits for revisions"]);
  session.step(
    { kind: "unsubscribed", client: client.id, request: 1, key: { serviceKey: ORDERS, registId: "s1", version: 2n } },
    nowMs,
  );
  found("r1");
  assert.deepEqual([...session.parts.applications.unfinished()], []);
});

test("a registration is answered when the store has it, and its content is here from then on", () => {
  const answers = register("r1");
  assert.deepEqual([asked("registerRevision"), answers], [["r1"], []]);
  stored(["r1"]);
  assert.deepEqual(answers, [{ error: undefined }]);
  assert.deepEqual(find("r1")[0]?.found.get("r1"), revision("r1"));
  assert.deepEqual(register("r1"), [{ error: undefined }], "it is known to be stored");
  assert.deepEqual([asked("registerRevision"), asked("findRevisions")], [[], []]);
});

test("two clients that register one revision are answered together, and it is sent once", () => {
  const [first, second] = [register("r1"), register("r1")];
  assert.deepEqual(asked("registerRevision"), ["r1"]);
  stored(["r1"]);
  assert.deepEqual([first, second], [[{ error: undefined }], [{ error: undefined }]]);
});

test("a registration that is not answered in time fails, and is not sent any more", () => {
  const answers = register("r1");
  pass(1_100);
  assert.match(String(answers[0]?.error), /REVISIONS_UNAVAILABLE/);
  toMeta.length = 0;
  pass(10_000);
  assert.deepEqual(asked("registerRevision"), []);
  stored(["r1"]);
  assert.equal(answers.length, 1);
});

test("a registration that meta does not take fails with the reason", () => {
  const answers = register("r1");
  fromMeta({ kind: "revisionRefused", id: "r1", reason: "there are too many" });
  fromMeta({ kind: "revisionRefused", id: "r2", reason: "not from here" });
  assert.match(String(answers[0]?.error), /REVISIONS_EXHAUSTED.*too many/);
});

test("contents that wait for the store are bounded", () => {
  for (let at = 0; at < 64; at++) assert.deepEqual(register(`r${at}`, 512 * 1024), []);
  assert.match(String(register("one more", 512 * 1024)[0]?.error), /QUERIES_EXHAUSTED/);
});

test("questions are answered as soon as all of it is known, with what is not there", () => {
  const answers = find("r1", "r2");
  assert.deepEqual(asked("findRevisions"), ["r1", "r2"]);
  found("r1");
  assert.deepEqual(answers, []);
  unknown("r2");
  assert.deepEqual(answers, [{ found: new Map([["r1", revision("r1")]]), unknown: ["r2"], error: undefined }]);
  assert.deepEqual(find("r2"), [], "it may have been registered since");
  assert.deepEqual(asked("findRevisions"), ["r2"]);
  pass(1_100);
});

test("a question that is not answered in time is answered with what there is", () => {
  find("r1");
  found("r1");
  const answers = find("r1", "r2");
  pass(1_100);
  assert.deepEqual([...(answers[0]?.found.keys() ?? [])], ["r1"]);
  assert.match(String(answers[0]?.error), /REVISIONS_UNAVAILABLE/);
});

test("answers to questions from before this process stood still are waited for", () => {
  const answers = find("r1");
  stall(5_000);
  found("r1");
  assert.deepEqual([...(answers[0]?.found.keys() ?? [])], ["r1"]);
});

test("a heartbeat is answered by the store, or from what it said a moment ago", () => {
  const answers = renew("r1", "r2");
  assert.deepEqual(asked("renewRevisions"), ["r1", "r2"]);
  stored(["r1"], ["r2"]);
  assert.deepEqual(answers, [{ unknown: ["r2"], error: undefined }]);
  assert.deepEqual(renew("r1"), [{ unknown: [], error: undefined }]);
  assert.deepEqual(asked("renewRevisions"), []);
  pass(300_100);
  asked("renewRevisions");
  const later = renew("r1");
  assert.equal(later.length, 0);
  pass(1_100);
  assert.match(String(later[0]?.error), /REVISIONS_UNAVAILABLE/);
});

test("a store that has lost what is kept here gets it back", () => {
  find("r1");
  found("r1");
  renew("r1");
  pass(300_100);
  const answers = renew("r1");
  stored([], ["r1"]);
  assert.deepEqual(asked("registerRevision"), ["r1"]);
  assert.deepEqual(answers, []);
  stored(["r1"]);
  assert.deepEqual(answers, [{ unknown: [], error: undefined }]);
});

test("what clients have published is renewed every ten minutes, and when another meta node leads", () => {
  find("r1");
  found("r1");
  publish(connect(), { attributes: naming("r1") });
  publish(connect(), { registId: "p2" });
  toMeta.length = 0;
  pass(600_000);
  assert.deepEqual(asked("renewRevisions"), ["r1"]);
  const members = { epoch: 7n, serial: 1, list: [] };
  fromMeta({ kind: "members", members });
  assert.deepEqual(asked("renewRevisions"), ["r1"]);
  fromMeta({ kind: "members", members: { ...members, serial: 2 } });
  assert.deepEqual(asked("renewRevisions"), []);
  session.step({ kind: "metaUp" }, nowMs);
  assert.deepEqual(asked("renewRevisions"), ["r1"]);
});

test("a publication waits until its revision is here, and is taken", () => {
  const client = connect();
  publish(client, { attributes: naming("r1") });
  assert.deepEqual([client.channel.outcomes, batches()], [[], []]);
  found("r1");
  assert.deepEqual(
    client.channel.outcomes.map(({ kind }) => kind),
    ["accepted"],
  );
  assert.equal(batches().length, 1);
});

test("a publication is refused if the store does not have its revision, and taken when it has", () => {
  const client = connect();
  publish(client, { attributes: naming("r1") });
  unknown("r1");
  const [outcome] = client.channel.outcomes;
  assert.match(outcome?.kind === "failed" ? outcome.error.message : "", /REVISION_UNKNOWN.*revision=r1/);
  toMeta.length = 0;
  pass(500);
  assert.deepEqual(asked("findRevisions"), ["r1"], "the client may have registered it meanwhile");
  found("r1");
  publish(client, { attributes: naming("r1") });
  assert.equal(client.channel.outcomes.at(-1)?.kind, "accepted");
});

test("a publication is taken if no meta node answers: a client that returns must not be lost", () => {
  const client = connect();
  publish(client, { attributes: naming("r1") });
  pass(290);
  assert.equal(client.channel.outcomes.length, 0);
  pass(20);
  assert.equal(client.channel.outcomes.at(-1)?.kind, "accepted");
});

test("what a client says later about the same registration counts, and not the publication that waits", () => {
  const client = connect();
  publish(client, { attributes: naming("r1") });
  const key = { serviceKey: ORDERS, registId: "p1", version: 2n };
  session.step({ kind: "unpublished", client: client.id, request: 2, key }, nowMs);
  assert.deepEqual(
    client.channel.outcomes.map(({ version }) => version),
    [1n, 2n],
  );
  taken();
  found("r1");
  pass(1_000);
  assert.deepEqual(
    batches()
      .flat()
      .map(({ kind }) => kind),
    ["remove"],
  );
  publish(client, { version: 3n, attributes: naming("r2") });
  publish(client, { version: 4n, attributes: naming("r2") });
  found("r2");
  assert.deepEqual(
    client.channel.outcomes.map(({ version }) => version),
    [1n, 2n, 3n, 4n],
  );
});

test("a publication that waits goes with its client", () => {
  const client = connect();
  publish(client, { attributes: naming("r1") });
  disconnect(client);
  found("r1");
  pass(1_000);
  assert.deepEqual([client.channel.outcomes, batches()], [[], []]);
});

test("services are asked for once, and answered from then on with the newest that meta has told", () => {
  const answers = findApps("orders", "stock");
  assert.deepEqual(asked("watchServiceApps"), ["orders", "stock"]);
  const entry = (service: string, version: bigint, ...applications: string[]) => ({ service, version, applications });
  fromMeta({ kind: "serviceApps", entries: [entry("orders", 5n, "shop")] });
  assert.equal(answers.length, 0);
  fromMeta({ kind: "serviceApps", entries: [entry("stock", 5n), entry("unasked", 5n)] });
  assert.deepEqual(answers[0]?.services, [entry("orders", 5n, "shop"), entry("stock", 5n)]);
  fromMeta({ kind: "serviceApps", entries: [entry("orders", 6n, "shop", "mall"), entry("orders", 4n)] });
  assert.deepEqual(findApps("orders")[0]?.services, [entry("orders", 6n, "shop", "mall")]);
  assert.deepEqual(asked("watchServiceApps"), []);
  session.step({ kind: "metaUp" }, nowMs);
  assert.deepEqual(asked("watchServiceApps"), ["stock", "orders"]);
});

test("services that meta does not answer for are asked for again, and told as none in the end", () => {
  const answers = findApps("orders");
  pass(1_100);
  assert.match(String(answers[0]?.error), /REVISIONS_UNAVAILABLE/);
  assert.deepEqual(answers[0]?.services, [{ service: "orders", version: 0n, applications: [] }]);
  assert.ok(asked("watchServiceApps").length >= 2);
});

test("a service that was not asked for in half an hour is let go", () => {
  findApps("orders");
  fromMeta({ kind: "serviceApps", entries: [{ service: "orders", version: 5n, applications: ["shop"] }] });
  pass(1_700_000);
  findApps("stock");
  fromMeta({ kind: "serviceApps", entries: [{ service: "stock", version: 5n, applications: [] }] });
  pass(200_000);
  assert.deepEqual(asked("unwatchServiceApps"), ["orders"]);
});

test("an operator's question for everything is answered in parts, or fails in time", () => {
  const answers = ask<AppsListed>("listedApps", {});
  const part = { kind: "appsListed", question: 1, services: [], isCut: false } as const;
  fromMeta({ ...part, revisions: ["r1"], isLast: false });
  fromMeta({ ...part, question: 9, revisions: ["of another question"], isLast: true });
  fromMeta({ ...part, revisions: ["r2"], isLast: true, isCut: true });
  assert.deepEqual(answers, [{ revisions: ["r1", "r2"], services: [], isCut: true, error: undefined }]);
  const more = Array.from({ length: 5 }, () => ask<AppsListed>("listedApps", {}));
  assert.match(String(more[4]?.[0]?.error), /QUERIES_EXHAUSTED/);
  pass(1_100);
  assert.match(String(more[0]?.[0]?.error), /REVISIONS_UNAVAILABLE/);
});

test("everything that waits is told, and nothing of it stays", () => {
  find("r1");
  findApps("orders");
  ask<AppsListed>("listedApps", {});
  publish(connect(), { attributes: naming("r2") });
  assert.equal([...session.parts.applications.unfinished()].length, 4);
  pass(2_000);
  assert.deepEqual([...session.parts.applications.unfinished()], []);
});
