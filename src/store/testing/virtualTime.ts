/** The clock of a store under test: it stands still until a test lets time pass. */
export class VirtualTime {
  #nowMs = 0;

  readonly nowMs = (): number => this.#nowMs;

  readonly pass = async (ms: number): Promise<void> => {
    this.#nowMs += ms;
  };
}
