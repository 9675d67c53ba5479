// Instances of other protocols as children of service paths. They are real znodes, so that watches, stats and zxids are
// right for them as for any other. One node keeps the children of each path, and only where the path is there: a
// consumer makes it, or asks for it. A list that the registry can't show yet changes nothing.
//
// The children of a path are changed once at a time: what is to change is found by comparing the newest list with the
// tree, which shows earlier changes only when they are done.

import { instancesOf } from "../../model/content.ts";
import type { NodeId } from "../../model/ids.ts";
import { NO_VERSION } from "../../model/version.ts";
import { childPath } from "../../records/tree/paths.ts";
import type { MirroredChild, Transaction } from "../../records/tree/transactions.ts";
import type { Tree } from "../../records/tree/tree.ts";
import type { Written } from "../../records/tree/treeWriter.ts";
import type { Asker, Registry, ServiceView } from "../../registry/registry.ts";
import { childOf, type ServicePath, type ServicePaths } from "./servicePaths.ts";

export interface MirrorParts {
  readonly registry: Pick<Registry, "step">;
  readonly tree: Tree;
  readonly paths: ServicePaths;
  readonly self: NodeId;
  readonly members: () => ReadonlySet<NodeId>;
  readonly submit: (txn: Transaction, done: (written: Written) => void) => void;
  readonly nowMs: () => number;
  readonly later: (run: () => void) => void;
}

interface Followed {
  readonly service: ServicePath;
  readonly asker: Asker;
  version: bigint;
  isWaiting: boolean;
}

/** The time that a question for a newer list may take; then it is asked again. */
const WAIT_MS = 30_000;
/** The most children that one transaction changes. */
const CHANGES_MAX = 40;
/** The most paths that were asked for and are not there, of the last seconds. */
const WANTED_MAX = 1_000;
const WANTED_MS = 5_000;
/** The most children of other protocols below one path. */
const CHILDREN_MAX = 10_000;

export class Mirror {
  readonly #parts: MirrorParts;
  /** The service paths that are there. */
  readonly #there = new Map<string, ServicePath>();
  readonly #followed = new Map<string, Followed>();
  readonly #wanted = new Map<string, number>();
  /** The newest lists that are not in the tree yet: the children by their names. */
  readonly #newest = new Map<string, ReadonlyMap<string, Uint8Array>>();
  /** The paths whose children are being changed. */
  readonly #changing = new Set<string>();

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  /** A znode has come or gone. */
  happened(path: string): void {
    const service = this.#parts.paths.of(path);
    if (service === undefined) return;
    if (this.#parts.tree.node(path) === undefined) this.#there.delete(path);
    else this.#there.set(path, service);
  }

  /** The tree was read anew. */
  loaded(): void {
    this.#there.clear();
    for (const { path } of this.#parts.tree.all()) this.happened(path);
  }

  /**
   * A client has asked for a path that is not there: if other protocols have an instance of the service, or have one
   * within the next seconds, it will be.
   */
  wanted(path: string): void {
    const service = this.#parts.paths.of(path);
    if (service === undefined || this.#wanted.size >= WANTED_MAX || this.#wanted.has(path)) return;
    const nowMs = this.#parts.nowMs();
    this.#wanted.set(path, nowMs);
    this.#askOnce(service, NO_VERSION, nowMs + WANTED_MS);
  }

  /** Shows the first list above a version in which there is something to show. */
  #askOnce(service: ServicePath, since: bigint, untilMs: number): void {
    const asker: Asker = {
      answer: (answer) => {
        if (answer.kind === "failed" || this.#show(service, answer.view) > 0) return;
        if (answer.isNewer) this.#askOnce(service, answer.view.version, untilMs);
      },
    };
    const asked = { asker, serviceKey: service.serviceKey, since, untilMs };
    this.#parts.later(() => this.#parts.registry.step({ kind: "asked", ...asked }, this.#parts.nowMs()));
  }

  /** Called twice a second, not within a step of the registry. */
  check(nowMs: number): void {
    for (const [path, atMs] of this.#wanted) if (nowMs - atMs > WANTED_MS) this.#wanted.delete(path);
    const order = [...this.#parts.members()].sort();
    for (const [path, service] of this.#there) {
      const isOwn = order.length > 0 && order[sumOf(path) % order.length] === this.#parts.self;
      if (isOwn && !this.#followed.has(path)) this.#follow(service);
      if (!isOwn) this.#giveUp(path);
    }
    for (const path of this.#followed.keys()) if (!this.#there.has(path)) this.#giveUp(path);
    for (const followed of this.#followed.values()) if (!followed.isWaiting) this.#ask(followed);
  }

  #follow(service: ServicePath): void {
    const asker: Asker = {
      answer: (answer) => {
        followed.isWaiting = false;
        if (answer.kind === "failed" || this.#followed.get(service.path) !== followed) return;
        followed.version = answer.view.version;
        this.#show(service, answer.view);
        this.#parts.later(() => this.#ask(followed));
      },
    };
    const followed: Followed = { service, asker, version: NO_VERSION, isWaiting: false };
    this.#followed.set(service.path, followed);
  }

  #giveUp(path: string): void {
    const followed = this.#followed.get(path);
    if (followed === undefined) return;
    this.#followed.delete(path);
    if (followed.isWaiting) this.#parts.registry.step({ kind: "gaveUp", asker: followed.asker }, this.#parts.nowMs());
  }

  #ask(followed: Followed): void {
    if (followed.isWaiting || this.#followed.get(followed.service.path) !== followed) return;
    followed.isWaiting = true;
    const { asker, version: since, service } = followed;
    const nowMs = this.#parts.nowMs();
    const asked = { asker, serviceKey: service.serviceKey, since, untilMs: nowMs + WAIT_MS };
    this.#parts.registry.step({ kind: "asked", ...asked }, nowMs);
  }

  /**
   * Makes the children of a path those of a list, and returns their number. Called within a step of the registry: the
   * list is valid now only.
   */
  #show(service: ServicePath, { publications }: ServiceView): number {
    const children = new Map<string, Uint8Array>();
    for (const publication of publications.values()) {
      for (const instance of instancesOf(publication)) {
        const child = childOf(service, instance);
        if (child !== undefined && children.size < CHILDREN_MAX) children.set(child.name, child.data);
      }
    }
    this.#newest.set(service.path, children);
    this.#parts.later(() => this.#change(service.path));
    return children.size;
  }

  #change(path: string): void {
    const children = this.#newest.get(path);
    if (children === undefined || this.#changing.has(path)) return;
    this.#newest.delete(path);
    const changes = this.#changesOf(path, children);
    let left = Math.ceil(changes.length / CHANGES_MAX);
    if (left === 0) return;
    this.#changing.add(path);
    const done = () => {
      if (--left > 0) return;
      this.#changing.delete(path);
      this.#change(path);
    };
    for (let at = 0; at < changes.length; at += CHANGES_MAX) {
      this.#parts.submit({ kind: "mirror", path, children: changes.slice(at, at + CHANGES_MAX) }, done);
    }
  }

  /** The difference between a list and the children that are there. */
  #changesOf(path: string, children: ReadonlyMap<string, Uint8Array>): MirroredChild[] {
    const { tree } = this.#parts;
    const changes: MirroredChild[] = [];
    for (const [name, data] of children) {
      const kept = tree.node(childPath(path, name))?.znode;
      const isSame =
        kept?.data !== undefined &&
        kept.data.length === data.length &&
        kept.data.every((byte, at) => byte === data[at]);
      if (!isSame) changes.push({ name, data });
    }
    for (const name of tree.names(path)) {
      const isMirrored = tree.node(childPath(path, name))?.znode.lifetime.kind === "mirrored";
      if (isMirrored && !children.has(name)) changes.push({ name, data: undefined });
    }
    return changes;
  }
}

/** A number that is the same at every node. */
function sumOf(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum = (sum * 31 + text.charCodeAt(at)) % 1_000_003;
  return sum;
}
