// The memory that one connection takes by itself, charged to its client's account: the connection, input that is not a
// whole frame yet or waits for its turn, and output that waits to be sent. A charge beyond the bounds is refused, and
// the connection that caused it is closed.

import { type Account, CHARGE, type ChargeKind } from "../../base/budget.ts";
import type { RegistryError } from "../../base/errors.ts";
import { type Connection, UNREAD_BYTES_MAX } from "../../base/ports.ts";

// The socket and its buffers in Node and here, not the kernel's. 7 KiB for each of 5,000 connections on loopback that
// have sent a heartbeat, measured as the growth of resident memory; a busy connection has more in its buffers.
const SOCKET_BYTES = 20 * 1024;
// Output that waits only for a moment is not worth counting: the output caused by one chunk leaves together.
const OUTPUT_BYTES_FREE = 64 * 1024;

// These many bytes cost a fifth of a registration to pack and store, and as much again to read if they are not ASCII: 4
// MiB take 18 ms in all, measured with all roles in one process.
const WORK_BYTES = 1024;

export class ConnectionAccount {
  readonly account: Account;
  readonly #held: number[] = Object.values(CHARGE).map(() => 0);

  constructor(account: Account) {
    this.account = account;
  }

  /** Charges the connection itself, and what its protocol needs beside the socket. */
  open({ encryptionBytes = 0 }: Pick<Connection, "encryptionBytes">, protocolBytes = 0): RegistryError | undefined {
    return this.#settle(CHARGE.connections, SOCKET_BYTES + encryptionBytes + protocolBytes);
  }

  /** Charges `bytes` of input that was read and not yet processed. */
  settleInput(bytes: number): RegistryError | undefined {
    return this.#settle(CHARGE.frames, bytes);
  }

  /**
   * Charges `bytes` of waiting output. The connection is not charged for more than the bound above which it reads
   * nothing more: the rest is part of a push, whose body is shared with others.
   */
  settleOutput(bytes: number): RegistryError | undefined {
    return this.#settle(CHARGE.output, bytes <= OUTPUT_BYTES_FREE ? 0 : Math.min(bytes, UNREAD_BYTES_MAX));
  }

  /**
   * Counts `bytes` that are about to be read, or packed and handed on; throws OVERLOADED if that is too much now. Only
   * the session counts registrations of the usual size.
   */
  work(bytes: number, nowMs: number): void {
    if (bytes < WORK_BYTES) return;
    const refusal = this.account.work(nowMs, Math.floor(bytes / WORK_BYTES));
    if (refusal !== undefined) throw refusal;
  }

  /** Releases everything held for the connection; the session releases what it holds for the client itself. */
  close(): void {
    for (const kind of [CHARGE.connections, CHARGE.frames, CHARGE.output]) this.#settle(kind, 0);
    this.account.close();
  }

  #settle(kind: ChargeKind, bytes: number): RegistryError | undefined {
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
