// Honest subscribers of a service that an attacker fills: they read all that comes, answer each push at once, and must
// not be closed for what others publish.

import { AttackConnection } from "../attacker/attackConnection.ts";
import { subscribeFrame } from "../attacker/frames.ts";
import { Tally } from "../attacker/tally.ts";
import type { Readers, Target } from "../target.ts";
import { honestAddress } from "./names.ts";

export class HonestReaders {
  readonly #tally = new Tally();
  readonly #connections: AttackConnection[] = [];
  readonly #count: number;
  #failed: string | undefined;

  constructor(target: Target, { service, count }: Readers) {
    this.#count = count;
    this.#begin(target, service).catch((error: unknown) => {
      this.#failed = `the readers did not get in: ${String(error)}`;
    });
  }

  /** Connections that the server closed. */
  get closed(): number {
    return this.#tally.closed;
  }

  isSettled(): boolean {
    return this.#failed !== undefined || this.#connections.length === this.#count;
  }

  findings(): string[] {
    return this.#failed === undefined ? [] : [this.#failed];
  }

  async #begin({ host, boltPort: port }: Target, service: string): Promise<void> {
    for (let number = 0; number < this.#count; number++) {
      const localAddress = honestAddress(number);
      const connection = await AttackConnection.open({ host, port, localAddress }, this.#tally);
      await connection.send(
        subscribeFrame({ service, registId: `600d0001-0000-4000-8000-${`${number}`.padStart(12, "0")}` }),
      );
      this.#connections.push(connection);
    }
  }
}
