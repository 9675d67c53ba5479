// Ephemeral children of service paths as registrations: the node that judges a session registers what it finds there,
// as a client of the registry of its own for each session. A session that moves, or is taken over, is registered by the
// next judge.

import { anonymous } from "../../access/principal.ts";
import type { Account, Budget } from "../../base/budget.ts";
import { sha256Hex } from "../../base/sha256.ts";
import { type ClientId, clientId, type ServiceKey } from "../../model/ids.ts";
import { packInstance } from "../../model/instance.ts";
import type { Tree } from "../../records/tree/tree.ts";
import type { SessionId } from "../../records/tree/znode.ts";
import type { ClientChannel, Registry } from "../../registry/registry.ts";
import { instanceOfChild, type ServicePaths, serviceOf } from "./servicePaths.ts";

export interface ProvidersParts {
  readonly registry: Pick<Registry, "step">;
  readonly tree: Tree;
  readonly paths: ServicePaths;
  readonly budget: Budget;
  readonly zone: string;
  readonly nowMs: () => number;
  /** Whether this node judges a session. */
  readonly judges: (id: SessionId) => boolean;
  /** The address that the client of a session has, `ip:port`; undefined: it is not connected. */
  readonly addressOf: (id: SessionId) => string | undefined;
}

interface Published {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly version: bigint;
}

interface Provider {
  readonly client: ClientId;
  readonly account: Account;
  readonly published: Map<string, Published>;
  isRefused: boolean;
}

/** Where a client is that has lost its connection, or came with the session of another node. */
const UNKNOWN_ADDRESS = "0.0.0.0:0";

export class Providers {
  readonly #parts: ProvidersParts;
  readonly #providers = new Map<SessionId, Provider>();
  readonly #dirty = new Set<SessionId>();
  #request = 1;

  constructor(parts: ProvidersParts) {
    this.#parts = parts;
  }

  /** The number of registrations of sessions that this node judges. */
  get size(): number {
    let size = 0;
    for (const { published } of this.#providers.values()) size += published.size;
    return size;
  }

  /** Something of a session has changed: its judge, or what it holds. */
  changed(id: SessionId): void {
    this.#dirty.add(id);
  }

  /** A znode has changed. */
  happened(path: string): void {
    if (serviceOf(this.#parts.paths, path) === undefined) return;
    const lifetime = this.#parts.tree.node(path)?.znode.lifetime;
    if (lifetime?.kind === "ephemeral") this.#dirty.add(lifetime.session);
    else for (const [id, { published }] of this.#providers) if (published.has(path)) this.#dirty.add(id);
  }

  /** Registers what has changed. Called twice a second and after changes, not within a step of the registry. */
  settle(): void {
    for (const [id, { isRefused }] of this.#providers) if (isRefused) this.#dirty.add(id);
    for (const id of this.#dirty) this.#register(id);
    this.#dirty.clear();
  }

  #register(id: SessionId): void {
    const wanted = this.#parts.judges(id) ? this.#wanted(id) : [];
    const known = this.#providers.get(id);
    if (wanted.length === 0) return void (known !== undefined && this.#end(id, known));
    const provider = known ?? this.#begin(id);
    provider.isRefused = false;
    const left = new Set(provider.published.keys());
    for (const { path, version, ...publication } of wanted) {
      left.delete(path);
      if (provider.published.get(path)?.version === version) continue;
      const { serviceKey, registId } = publication;
      provider.published.set(path, { serviceKey, registId, version });
      const entry = { ...publication, version, zone: this.#parts.zone, appName: "", attributes: NO_ATTRIBUTES };
      this.#step({ kind: "published", client: provider.client, request: this.#request++, publication: entry });
    }
    for (const path of left) {
      const key = provider.published.get(path);
      provider.published.delete(path);
      if (key === undefined) continue;
      const end = { ...key, version: key.version + 1n };
      this.#step({ kind: "unpublished", client: provider.client, request: this.#request++, key: end });
    }
  }

  /** The instances among a session's ephemeral znodes. */
  #wanted(id: SessionId) {
    const { tree, paths } = this.#parts;
    return [...tree.ephemerals(id)].flatMap((path) => {
      const service = serviceOf(paths, path);
      const node = tree.node(path);
      const instance = service && node && instanceOfChild(service, path, node.znode.data);
      if (service === undefined || node === undefined || instance === undefined) return [];
      // A path may be longer than the name of a registration.
      const registId = `zookeeper:${sha256Hex(ENCODER.encode(path))}`;
      const version = BigInt(node.znode.mzxid) * 2n;
      return [{ path, version, registId, serviceKey: service.serviceKey, payload: packInstance(instance) }];
    });
  }

  #begin(id: SessionId): Provider {
    const address = this.#parts.addressOf(id) ?? UNKNOWN_ADDRESS;
    const client = clientId(`${address}_zookeeper#${id.toString(16)}`);
    const host = address.replace(/:\d+$/, "");
    const account = this.#parts.budget.open(host);
    const provider: Provider = { client, account, published: new Map(), isRefused: false };
    this.#providers.set(id, provider);
    const channel = channelOf(host, () => {
      provider.isRefused = true;
      provider.published.clear();
    });
    this.#step({ kind: "connected", client, channel, principal: anonymous(host), account });
    return provider;
  }

  #end(id: SessionId, { client, account }: Provider): void {
    this.#providers.delete(id);
    this.#step({ kind: "cleared", client, of: "publications" });
    this.#step({ kind: "disconnected", client });
    account.close();
  }

  #step(event: Parameters<Registry["step"]>[0]): void {
    this.#parts.registry.step(event, this.#parts.nowMs());
  }
}

const ENCODER = new TextEncoder();
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/** The registry pushes nothing to a client that subscribes nothing; its session is judged elsewhere. */
function channelOf(address: string, refused: () => void): ClientChannel {
  return {
    ...{ writtenBytes: 0, sentBytes: 0, address, answersQuestions: false },
    ask: () => undefined,
    isSilentSince: () => false,
    answer: (_request, { kind }) => {
      if (kind === "failed") refused();
    },
    push: () => 0,
    pushConfig: () => "sent",
    report: () => undefined,
  };
}
