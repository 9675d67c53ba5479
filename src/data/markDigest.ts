// The number of a service's marked publications and a sum over their names, as one number: with it the next leader of a
// slot knows whether the last version of the one before hides what its own rules hide, and a follower whether its
// leader knows the same conditions.

// A list of a million publishers is beyond the bound of a service.
const COUNT_FACTOR = 2 ** 32;
const COUNT_MAX = 2 ** 20;

export class MarkDigest {
  #count = 0;
  #sum = 0;

  get count(): number {
    return this.#count;
  }

  /** 0 for none; nodes exchange it. */
  get value(): number {
    return (this.#count % COUNT_MAX) * COUNT_FACTOR + this.#sum;
  }

  add(name: string): void {
    this.#count++;
    this.#sum = (this.#sum + hashOf(name)) >>> 0;
  }

  remove(name: string): void {
    this.#count--;
    this.#sum = (this.#sum - hashOf(name)) >>> 0;
  }

  clear(): void {
    this.#count = 0;
    this.#sum = 0;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
