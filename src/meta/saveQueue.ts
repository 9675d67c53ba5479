// Operators' changes on their way to the store: one at a time and in order, each with its request, which is then
// answered.

/** The most waiting changes; a further one is refused, since operators change single values. */
export const SAVES_WAITING_MAX = 1_000;

interface Waiting<Change> {
  readonly request: number;
  readonly change: Change;
}

export class SaveQueue<Change, Saved> {
  #waiting: Waiting<Change>[] = [];
  #underWay: { readonly request: number; readonly saved: Saved } | undefined;

  /** Waiting changes that have not begun. */
  get waiting(): readonly Change[] {
    return this.#waiting.map(({ change }) => change);
  }

  /** The requests of the change under way and of those that wait. */
  get requests(): readonly number[] {
    const underWay = this.#underWay === undefined ? [] : [this.#underWay.request];
    return [...underWay, ...this.#waiting.map(({ request }) => request)];
  }

  /** The save that the store has not answered yet. */
  get underWay(): Saved | undefined {
    return this.#underWay?.saved;
  }

  /** False if too many wait already. */
  add(request: number, change: Change): boolean {
    if (this.#waiting.length >= SAVES_WAITING_MAX) return false;
    this.#waiting.push({ request, change });
    return true;
  }

  /** Begins the next change, if none is under way: returns its save, or undefined. */
  begin(toSave: (change: Change) => Saved): Saved | undefined {
    if (this.#underWay !== undefined) return undefined;
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    const saved = toSave(next.change);
    this.#underWay = { request: next.request, saved };
    return saved;
  }

  /**
   * Takes out the changes at the front that are refused, with the reasons, until one is not. None are while a save is
   * under way.
   */
  refuseNext<Refusal>(refusal: (change: Change) => Refusal | undefined): { request: number; error: Refusal }[] {
    const refused: { request: number; error: Refusal }[] = [];
    while (this.#underWay === undefined) {
      const next = this.#waiting[0];
      const error = next === undefined ? undefined : refusal(next.change);
      if (next === undefined || error === undefined) break;
      this.#waiting.shift();
      refused.push({ request: next.request, error });
    }
    return refused;
  }

  /** The store has answered the save under way: returns it with its request. */
  ended(): { readonly request: number; readonly saved: Saved } | undefined {
    const underWay = this.#underWay;
    this.#underWay = undefined;
    return underWay;
  }

  /** Gives up the waiting changes and returns their requests. A save under way still comes to its end. */
  clear(): number[] {
    const requests = this.#waiting.map(({ request }) => request);
    this.#waiting = [];
    return requests;
  }
}
