// The paths by which services, nodes and checks are put into the catalogue beside the agents: for what has no agent.

import type { Check } from "../../../model/check.ts";
import type { KeptRegistration, PersistentKey } from "../../../registry/persistent.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import type { Catalogue } from "../catalogue.ts";
import { readCatalogCheck, readService } from "../definition.ts";
import { consulRefusal } from "../errors.ts";
import { Fields, parseBody } from "../fields.ts";
import {
  type NodeDefinition,
  nodeKeyOf,
  nodeRegistration,
  registIdOf,
  serviceKeyOf,
  serviceRegistration,
} from "../own.ts";
import type { By, Done } from "../writes.ts";
import { answer } from "./agentRoutes.ts";
import { byOf, catalogueRoute, checkMay, checkOptions, flagResponse, type RouteParts } from "./parts.ts";

type ReadCheck = ReturnType<typeof readCatalogCheck>;
type Step = (done: Done) => void;

export function catalogWriteRoutes(parts: RouteParts): JudgedRoute[] {
  return [changing("/catalog/register", parts, register), changing("/catalog/deregister", parts, deregister)];
}

interface Asked {
  readonly catalogue: Catalogue;
  readonly fields: Fields;
  readonly by: By;
  readonly caller: Caller;
}

/** A change, which is made step by step. */
function changing(
  path: string,
  parts: RouteParts,
  stepsOf: (asked: Asked, parts: RouteParts) => readonly Step[],
): JudgedRoute {
  const { asks: _asks, ...route } = catalogueRoute("PUT", path, parts, (catalogue, exchange, caller) => {
    if (!catalogue.own.isKnown) throw consulRefusal(500, "No cluster leader");
    const fields = new Fields(parseBody(exchange.body));
    checkOptions({ query: { dc: fields.text("Datacenter") } }, parts.datacenter);
    const steps = stepsOf({ catalogue, fields, by: byOf(exchange, parts.nowMs()), caller }, parts);
    inOrder(steps, (error) => answer(exchange, error, flagResponse(exchange, true)));
  });
  return { ...route, asks: "publish", of: "each" };
}

function register({ catalogue, fields, by, caller }: Asked, { writes, zone, agentNode }: RouteParts): readonly Step[] {
  const node = nodeOf(fields, catalogue, agentNode());
  const body = fields.inner("Service");
  const service = body && readService(body, { node: node.name, nodeAddress: node.address, isAgent: false });
  if (service !== undefined) checkMay(caller, serviceKeyOf(service.name));
  const checks = checksOf(fields);
  const steps: Step[] = [];
  const ofNode = checks.filter(({ serviceId }) => serviceId === "");
  if (!fields.flag("SkipNodeUpdate") || ofNode.length > 0) {
    if (node.address === "") throw consulRefusal(500, MISSING);
    const key = nodeKeyOf(node.name);
    // Each registration of a service says its node again.
    if (ofNode.length > 0 || !isKnownNode(node, catalogue)) checkMay(caller, key.serviceKey);
    const next = (kept: KeptRegistration | undefined) => nodeRegistration(node, merged(kept, ofNode), zone);
    steps.push((done) => writes.change({ key, next }, by, done));
  }
  if (service !== undefined) {
    if (node.address === "" && service.address === "") throw consulRefusal(500, MISSING);
    const own = checks.filter(({ serviceId }) => serviceId === service.id);
    const key = { serviceKey: serviceKeyOf(service.name), registId: registIdOf(service.node, service.id) };
    const next = (kept: KeptRegistration | undefined) => serviceRegistration(service, merged(kept, own), zone);
    steps.push((done) => writes.change({ key, next }, by, done));
    const before = catalogue.own.servicesOf(node.name).get(service.id)?.kept.registration;
    if (before !== undefined && before.serviceKey !== key.serviceKey) {
      // An id that was another service's moves.
      checkMay(caller, before.serviceKey);
      steps.push((done) => writes.remove(before, by, done));
    }
  }
  for (const check of checks.filter(({ serviceId }) => serviceId !== "" && serviceId !== service?.id)) {
    const found = catalogue.own.servicesOf(node.name).get(check.serviceId);
    if (found === undefined) throw consulRefusal(500, "failed inserting check: Missing service registration");
    checkMay(caller, found.kept.registration.serviceKey);
    const next = (kept: KeptRegistration | undefined) =>
      kept && { ...kept.registration, checks: merged(kept, [check]) };
    steps.push((done) => writes.change({ key: found.kept.registration, next }, by, done));
  }
  return steps;
}

function deregister({ catalogue, fields, by, caller }: Asked, { writes }: RouteParts): readonly Step[] {
  const node = fields.text("Node");
  if (node === "") throw consulRefusal(500, "Must provide node");
  const [serviceId, checkId] = [fields.text("ServiceID"), fields.text("CheckID")];
  const isCheck = checkId !== "" && serviceId === "";
  const hasCheck = ({ registration: { checks } }: KeptRegistration) => checks.some(({ id }) => id === checkId);
  const keys = [...catalogue.own.servicesOf(node).values()].flatMap(({ service, kept }): PersistentKey[] => {
    const isMeant = isCheck ? hasCheck(kept) : serviceId === "" || service.id === serviceId;
    return isMeant ? [kept.registration] : [];
  });
  const ofNode = catalogue.own.node(node)?.kept;
  const isOfNode = isCheck ? ofNode !== undefined && hasCheck(ofNode) : serviceId === "";
  if (isOfNode) keys.push(nodeKeyOf(node));
  for (const { serviceKey } of keys) checkMay(caller, serviceKey);
  const without = (kept: KeptRegistration | undefined) =>
    kept && { ...kept.registration, checks: kept.registration.checks.filter(({ id }) => id !== checkId) };
  return keys.map((key): Step => {
    if (isCheck) return (done) => writes.change({ key, next: without }, by, done);
    return (done) => writes.remove(key, by, done);
  });
}

function isKnownNode(node: NodeDefinition, catalogue: Catalogue): boolean {
  const known = catalogue.own.node(node.name)?.node;
  const textOf = ({ name, address, id, taggedAddresses, meta }: NodeDefinition) =>
    JSON.stringify([name, address, id, taggedAddresses, meta]);
  return known !== undefined && textOf(known) === textOf(node);
}

const MISSING = "Must provide Node and Address";

/**
 * The node of a body. One that is not to be updated keeps what is known of it; its address is empty before it has been
 * registered.
 */
function nodeOf(fields: Fields, catalogue: Catalogue, agent: ReturnType<RouteParts["agentNode"]>): NodeDefinition {
  const name = fields.text("Node");
  const isKept = fields.flag("SkipNodeUpdate");
  const own = catalogue.own.node(name)?.node;
  const known = own ?? (name === agent.name ? { ...agent, taggedAddresses: null, meta: null } : undefined);
  const address = fields.text("Address");
  if (name === "" || (address === "" && !isKept)) throw consulRefusal(500, MISSING);
  if (name.includes("/") || name.length > 255)
    throw consulRefusal(400, `Invalid node name: ${JSON.stringify(name.slice(0, 100))}`);
  if (isKept && known !== undefined) return known;
  const meta = fields.entries("NodeMeta");
  return {
    ...{ name, address },
    id: fields.text("ID"),
    taggedAddresses: fields.value("TaggedAddresses") ?? null,
    meta: meta.size === 0 ? null : Object.fromEntries(meta),
  };
}

function checksOf(fields: Fields): ReadCheck[] {
  const first = fields.inner("Check");
  const bodies = [
    ...(first === undefined ? [] : [first]),
    ...fields.list("Checks").map((body) => new Fields(body, "Checks")),
  ];
  return bodies.map(readCatalogCheck);
}

function merged(kept: KeptRegistration | undefined, checks: readonly ReadCheck[]): Check[] {
  return withChecks(
    kept?.registration.checks ?? [],
    checks.map(({ check }) => check),
  );
}

function withChecks(before: readonly Check[], checks: readonly Check[]): Check[] {
  const ids = new Set(checks.map(({ id }) => id));
  return [...before.filter(({ id }) => !ids.has(id)), ...checks];
}

/** One after the other, until one fails. */
function inOrder(steps: readonly Step[], done: Done): void {
  const [first, ...others] = steps;
  if (first === undefined) return done();
  first((error) => (error === undefined ? inOrder(others, done) : done(error)));
}
