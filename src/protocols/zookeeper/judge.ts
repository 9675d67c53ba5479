// Which znodes operators let a client see and change, by policies for values (access/policy.ts). ACLs are the clients'
// own matter, and come on top.

import { anonymous, type Principal } from "../../access/principal.ts";
import { RegistryError } from "../../base/errors.ts";
import type { Connection } from "../../base/ports.ts";
import { DEFAULT_NAMESPACE } from "../../model/serviceKey.ts";
import type { Asked, ClientAccess, ClientCredentials, GatewayRequest } from "../kit/clientAccess.ts";
import { NO_CREDENTIALS } from "../kit/clientAccess.ts";
import { OPERATION, type OperationName } from "./codec/operations.ts";
import { type ServicePaths, serviceOf } from "./servicePaths.ts";

/** The group of the policies for znodes; their names are paths. */
const GROUP = "zookeeper";

const WRITES: ReadonlySet<OperationName> = new Set([
  ...(["create", "create2", "createContainer", "createTTL", "deleteContainer"] as const),
  ...(["delete", "setData", "setACL", "multi", "check"] as const),
]);
/** Of the session itself, or of nothing that is there. */
const OPEN: ReadonlySet<OperationName> = new Set([
  ...(["ping", "sync", "auth", "sasl", "whoAmI", "closeSession", "reconfig"] as const),
  ...(["removeWatches", "checkWatches", "getEphemerals"] as const),
]);

/** A client that may do these with everything sees the whole tree. */
const SEEING = ["fetch", "list"] as const;

const NAMES = Object.keys(OPERATION) as OperationName[];

/** The requests of the protocol, with what each asks for. */
export const ZOOKEEPER_REQUESTS: readonly GatewayRequest[] = NAMES.map((name) => ({ name, asks: askedBy(name) }));

function askedBy(name: OperationName): Asked {
  if (OPEN.has(name)) return "open";
  return WRITES.has(name) ? "store" : "fetch";
}

export interface JudgeParts {
  readonly access: ClientAccess;
  readonly paths: ServicePaths;
}

export class Judge {
  readonly #access: ClientAccess;
  readonly #paths: ServicePaths;
  readonly #from: string;
  readonly #certificate: Connection["certificate"];
  #principal: Principal;

  constructor({ access, paths }: JudgeParts, from: string, certificate: Connection["certificate"]) {
    this.#access = access;
    this.#paths = paths;
    this.#from = from;
    this.#certificate = certificate;
    this.#principal = anonymous(from);
    this.#identify(NO_CREDENTIALS, () => undefined);
  }

  /** The client names a user with a password. Calls `then` with the refusal, or with none. */
  logIn(userAndPassword: string, then: (refusal: RegistryError | undefined) => void): void {
    const colon = userAndPassword.indexOf(":");
    const [name, password] = [userAndPassword.slice(0, Math.max(0, colon)), userAndPassword.slice(colon + 1)];
    this.#identify({ kind: "login", name, password }, then);
  }

  /** Whether the client may see everything. */
  get seesAll(): boolean {
    return SEEING.every((action) => this.#access.reach(this.#principal, action) === "all");
  }

  may(action: "fetch" | "store", path: string): boolean {
    const about = { namespace: DEFAULT_NAMESPACE, group: GROUP, name: path };
    if (this.#access.refusal(this.#principal, { action, about }) !== undefined) return false;
    return action === "fetch" ? this.#mayList(path) : this.#mayPublish(path);
  }

  /** The children of a service path are instances. */
  #mayList(path: string): boolean {
    const service = this.#paths.of(path) ?? serviceOf(this.#paths, path);
    if (service === undefined) return true;
    return this.#access.refusal(this.#principal, { action: "list", about: service.serviceKey }) === undefined;
  }

  #mayPublish(path: string): boolean {
    const service = serviceOf(this.#paths, path);
    if (service === undefined) return true;
    return this.#access.refusal(this.#principal, { action: "publish", about: service.serviceKey }) === undefined;
  }

  #identify(credentials: ClientCredentials, then: (refusal: RegistryError | undefined) => void): void {
    const client = { from: this.#from, certificate: this.#certificate, credentials };
    this.#access.identify(client, (found) => {
      if (found instanceof RegistryError) return then(found);
      this.#principal = found;
      then(undefined);
    });
  }
}
