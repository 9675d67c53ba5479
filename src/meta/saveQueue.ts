// Changes that operators ask for, on their way to the store: one at a time and in order, each with the request that is
// to be answered.

/** Beyond so many that wait, a further one is refused: operators change single values. */
export const SAVES_WAITING_MAX = 1_000;

interface Waiting<Change> {
  readonly request: number;
  readonly change: Change;
}

export class SaveQueue<Change, Saved> {
  #waiting: Waiting<Change>[] = [];
  #underWay: { readonly request: number; readonly saved: Saved } | undefined;

  /** What waits and has not begun. */
  get waiting(): readonly Change[] {
    return this.#waiting.map(({ change }) => change);
  }

  /** What the store has not answered for yet. */
  get underWay(): Saved | undefined {
    return this.#underWay?.saved;
  }

  /** False if too many wait already. */
  add(request: number, change: Change): boolean {
    if (this.#waiting.length >= SAVES_WAITING_MAX) return false;
    this.#waiting.push({ request, change });
    return true;
  }

  /** Begins with the next change, if none is under way: what is to be saved for it, or undefined. */
  begin(toSave: (change: Change) => Saved): Saved | undefined {
    if (this.#underWay !== undefined) return undefined;
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    const saved = toSave(next.change);
    this.#underWay = { request: next.request, saved };
    return saved;
  }

  /** The store has answered for what is under way: that, with the request that waits for it. */
  ended(isMeant: (saved: Saved) => boolean): { readonly request: number; readonly saved: Saved } | undefined {
    const underWay = this.#underWay;
    if (underWay === undefined || !isMeant(underWay.saved)) return undefined;
    this.#underWay = undefined;
    return underWay;
  }

  /** Gives up what waits: the requests to be answered. What is under way still comes to its end. */
  clear(): number[] {
    const requests = this.#waiting.map(({ request }) => request);
    this.#waiting = [];
    return requests;
  }
}
