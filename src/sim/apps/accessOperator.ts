// Operators change identities and policies at any meta node, at random times and on into the calm, and programs try
// what they may do: with credentials of today, with some that were taken back, and with none. At the end they try
// everything at every node.

import type { AccessEdit } from "../../access/accessEdit.ts";
import type { Action, PolicyServices } from "../../access/policy.ts";
import { ACCESS_ROLES, type AccessRole } from "../../access/principal.ts";
import { newClientKey, newToken } from "../../access/proofs.ts";
import { writePasswordHash } from "../../access/secretForm.ts";
import { RegistryError } from "../../base/errors.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import type { ClientAccess, ClientCredentials } from "../../protocols/kit/clientAccess.ts";
import type { MadeCredentials } from "../accessFacts.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import { simSecrets } from "../cluster/simSecrets.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";

const CHANGE_MS = 700;
const TRY_MS = 250;
/** The time after the traffic for which operators go on: well into the calm, and well before its end. */
const CALM_CHANGES_MS = 50_000;

const TOKENS = ["t1", "t2"];
const KEYS = ["k1", "k2"];
const USER = "u1";
const LOGINS = ["l1", "l2"];
const PRINCIPALS = [...TOKENS, ...KEYS, USER];
const POLICIES = ["p1", "p2", "p3"];
const OWN_POLICIES = ["anonymous-clients"];
const SERVICES = ["guarded1", "guarded2", "open1"];
const PREFIXES = ["guarded", "guarded1", "open"];
const SERVICE_ACTIONS = ["publish", "subscribe", "list"] as const;
const PERMISSIONS = ["read", "operate"] as const;
// Everything is tried with the newest of them, and with some that are worth nothing any more.
const CREDENTIALS_MAX = 20;
const FROM = "10.9.0.9";

export class AccessOperator {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #secrets = simSecrets();
  #credentials: MadeCredentials[] = [];
  #changes = 0;
  #endMs = Number.POSITIVE_INFINITY;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
  }

  start(): void {
    if (this.#environment.plan.hasAccess !== true) return;
    const { scheduler } = this.#environment;
    const isOver = () => scheduler.nowMs > this.#endMs;
    repeatAtRandom(this.#environment, CHANGE_MS, () => this.#change(), isOver);
    repeatAtRandom(this.#environment, TRY_MS, () => this.#tryOne(), isOver);
  }

  /** The traffic is over. */
  stop(): void {
    this.#endMs = this.#environment.scheduler.nowMs + CALM_CHANGES_MS;
  }

  /** Every node is asked everything. */
  last(): void {
    if (this.#environment.plan.hasAccess !== true) return;
    for (const node of this.#cluster.nodes) {
      for (const credentials of [undefined, ...this.#credentials]) {
        for (const service of SERVICES) this.#try(node, credentials, { action: "publish", service }, true);
        for (const action of PERMISSIONS) this.#try(node, credentials, { action }, true);
      }
    }
  }

  #change(): void {
    const nodes = this.#cluster.nodesOf("meta").filter(({ access, isPaused }) => access !== undefined && !isPaused);
    const [first] = nodes;
    if (first === undefined) return;
    this.#environment.dice.pick(nodes).access?.change(this.#edit(), ++this.#changes);
  }

  #edit(): AccessEdit {
    const { dice } = this.#environment;
    const roll = dice.next();
    if (roll < 0.3) return this.#putIdentity(dice.pick([...PRINCIPALS, ...LOGINS]));
    if (roll < 0.4) return { kind: "changeIdentity", name: dice.pick(PRINCIPALS), change: { roles: this.#roles() } };
    if (roll < 0.55) return { kind: "removeIdentity", name: dice.pick([...PRINCIPALS, ...LOGINS]) };
    if (roll < 0.8) return this.#putPolicy();
    return { kind: "removePolicy", name: dice.pick([...POLICIES, ...OWN_POLICIES]) };
  }

  #roles(): readonly AccessRole[] {
    const { dice } = this.#environment;
    // One that administers could not be taken away again.
    return ACCESS_ROLES.filter((role) => role !== "admin" && dice.chance(0.3));
  }

  #putIdentity(name: string): AccessEdit {
    const identity = { name, roles: this.#roles(), about: "" };
    if (name === USER) {
      const random = this.#secrets.random(32);
      const secret = writePasswordHash({ costLog2: 15, blocks: 8, parallel: 1, salt: random, hash: random });
      return { kind: "putIdentity", isNew: false, identity: { ...identity, kind: "user", secret } };
    }
    const kind = KEYS.includes(name) ? "clientKey" : "token";
    const made = kind === "clientKey" ? newClientKey(this.#secrets) : newToken(this.#secrets);
    this.#credentials = [...this.#credentials, { kind, name, ...made } as const].slice(-CREDENTIALS_MAX);
    const login = LOGINS.includes(name) ? { loginOf: USER } : {};
    return {
      kind: "putIdentity",
      isNew: false,
      identity: { ...identity, ...login, kind, secret: made.secret },
    };
  }

  #putPolicy(): AccessEdit {
    const { dice } = this.#environment;
    const name = dice.pick(POLICIES);
    const isForServices = dice.chance(0.75);
    const actions: readonly Action[] = isForServices ? SERVICE_ACTIONS : PERMISSIONS;
    const services: PolicyServices = isForServices && dice.chance(0.7) ? { namePrefixes: [dice.pick(PREFIXES)] } : {};
    const policy = {
      name,
      effect: dice.pick(["allow", "deny"] as const),
      actions: actions.filter(() => dice.chance(0.6)),
      subjects: dice.chance(0.8) ? { names: PRINCIPALS.filter(() => dice.chance(0.4)) } : {},
      services,
      reason: "",
    };
    return { kind: "putPolicy", policy };
  }

  #tryOne(): void {
    const { dice } = this.#environment;
    const credentials = this.#credentials.length === 0 || dice.chance(0.2) ? undefined : dice.pick(this.#credentials);
    const isService = dice.chance(0.8);
    const wish = isService
      ? { action: dice.pick(SERVICE_ACTIONS), service: dice.pick(SERVICES) }
      : { action: dice.pick(PERMISSIONS) };
    this.#try(dice.pick(this.#cluster.nodes), credentials, wish, false);
  }

  #try(node: SimNode, credentials: MadeCredentials | undefined, wish: Wish, isLast: boolean): void {
    const { access, process } = node;
    if (access === undefined || process === undefined || node.isPaused) return;
    const { record } = this.#environment;
    process.gate.message(() => {
      const timestamp = String(process.time.clock.nowMs());
      const isAllowed = isLet(access.checks, wish, this.#proofOf(credentials, timestamp));
      record({
        kind: "accessJudged",
        ...{ node: process.id, credentials, action: wish.action, about: wish.service, isAllowed, isLast },
      });
    });
  }

  #proofOf(credentials: MadeCredentials | undefined, timestamp: string): ClientCredentials {
    if (credentials === undefined) return { kind: "none" };
    const { kind, name, shown } = credentials;
    if (kind === "token") return { kind: "token", token: shown };
    const text = `${name}\n${timestamp}`;
    const signature = this.#secrets.hmacSha256(shown, text);
    return { kind: "signature", accessKey: name, algorithm: "", timestamp, signature, text };
  }
}

/** An action of clients with a service, or a permission. */
type Wish =
  | { readonly action: (typeof SERVICE_ACTIONS)[number]; readonly service: string }
  | { readonly action: (typeof PERMISSIONS)[number]; readonly service?: undefined };

/** Whether a node lets a principal do that, as a gateway or an operation asks it. */
function isLet(checks: ClientAccess, wish: Wish, credentials: ClientCredentials): boolean {
  const { service } = wish;
  const isOperator = service === undefined;
  let isAllowed = false;
  checks.identify({ from: FROM, credentials, isOperator }, (found) => {
    if (found instanceof RegistryError) return;
    const asked = isOperator
      ? { action: wish.action }
      : { action: wish.action, about: makeServiceKey({ name: service, namespace: "", group: "" }) };
    isAllowed = checks.refusal(found, asked) === undefined;
  });
  return isAllowed;
}
