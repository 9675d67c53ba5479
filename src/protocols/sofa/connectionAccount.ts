// What one connection makes the process hold by itself, charged to its client's account: the connection, what was read
// and is no whole frame yet or waits for its turn, and what waits to be sent. What goes beyond the bounds is refused,
// and the connection that asked for it is closed.

import { type Account, HELD, type HeldKind } from "../../base/budget.ts";
import type { RegistryError } from "../../base/errors.ts";
import { UNREAD_BYTES_MAX } from "../../base/ports.ts";

// The socket and its buffers in Node and here, not the kernel's. 7 KiB for each of 5,000 connections on loopback
// that have sent a heartbeat, as the growth of the resident memory; one in use has more in its buffers.
const CONNECTION_BYTES = 20 * 1024;
// What waits to be sent for a moment is not worth counting: what one chunk causes leaves together.
const OUTPUT_BYTES_FREE = 64 * 1024;

// So much costs a fifth of a registration to pack and to store, and as much again to read if it is not ASCII: 4 MiB
// take 18 ms in all, measured with all roles in one process.
const WORK_BYTES = 1024;

export class ConnectionAccount {
  readonly account: Account;
  readonly #held: number[] = Object.values(HELD).map(() => 0);

  constructor(account: Account) {
    this.account = account;
  }

  /** The connection begins. */
  open(): RegistryError | undefined {
    return this.#settle(HELD.connections, CONNECTION_BYTES);
  }

  /** So much is here that was read and not worked off. */
  settleInput(bytes: number): RegistryError | undefined {
    return this.#settle(HELD.frames, bytes);
  }

  /**
   * So much waits to be sent. What is beyond the bound above which nothing more is read is part of a push, whose body
   * is shared with others, and does not count as this connection's.
   */
  settleOutput(bytes: number): RegistryError | undefined {
    return this.#settle(HELD.output, bytes <= OUTPUT_BYTES_FREE ? 0 : Math.min(bytes, UNREAD_BYTES_MAX));
  }

  /**
   * So many bytes are about to be read, or packed and handed on: throws OVERLOADED if that is too much for now. What
   * has the usual size is counted by the session alone.
   */
  work(bytes: number, nowMs: number): void {
    if (bytes < WORK_BYTES) return;
    const refusal = this.account.work(nowMs, Math.floor(bytes / WORK_BYTES));
    if (refusal !== undefined) throw refusal;
  }

  /** Nothing is held for the connection any more; what the session holds for its client it releases itself. */
  close(): void {
    for (const kind of [HELD.connections, HELD.frames, HELD.output]) this.#settle(kind, 0);
    this.account.close();
  }

  #settle(kind: HeldKind, bytes: number): RegistryError | undefined {
    const held = this.#held[kind] ?? 0;
    if (bytes === held) return undefined;
    if (bytes < held) this.account.release(kind, held - bytes);
    else {
      const refusal = this.account.charge(kind, bytes - held);
      if (refusal !== undefined) return refusal;
    }
    this.#held[kind] = bytes;
    return undefined;
  }
}
