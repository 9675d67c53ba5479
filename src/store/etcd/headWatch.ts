// Watches the head of the records while anything is watched, and wakes those who follow. Events only make watches fast:
// one that is lost costs them their own polling.

import type { Cancel } from "../../base/ports.ts";
import type { EtcdCalls } from "./etcdCalls.ts";

// The time before a broken stream is replaced.
const RETRY_MS = 1_000;

export class HeadWatch {
  readonly #calls: EtcdCalls;
  readonly #key: string;
  readonly #wake: () => void;
  #needs = 0;
  #cancel: Cancel | undefined;
  #retry: NodeJS.Timeout | undefined;

  /** `wake` is called when there may be something new. */
  constructor(calls: EtcdCalls, key: string, wake: () => void) {
    this.#calls = calls;
    this.#key = key;
    this.#wake = wake;
  }

  /** Watches until every need was cancelled. */
  need(): Cancel {
    this.#needs += 1;
    if (this.#cancel === undefined && this.#retry === undefined) this.#open();
    let isCancelled = false;
    return () => {
      if (isCancelled) return;
      isCancelled = true;
      this.#needs -= 1;
      if (this.#needs === 0) this.#end();
    };
  }

  close(): void {
    this.#needs = 0;
    this.#end();
  }

  #open(): void {
    this.#retry = undefined;
    // The first answer says that the watch stands: a commit from before it had none to tell.
    this.#cancel = this.#calls.watch({ key: this.#key }, { read: this.#wake, ended: () => this.#ended() });
  }

  /** Calls say what is wrong with etcd; here it is only tried again. */
  #ended(): void {
    this.#cancel = undefined;
    if (this.#needs === 0) return;
    this.#retry = setTimeout(() => this.#open(), RETRY_MS);
    this.#retry.unref();
  }

  #end(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
