/** The items in an order that follows from `turn`; over many turns each item comes first as often as any other. */
export function shuffled<Item>(items: readonly Item[], turn: number): Item[] {
  const order = [...items];
  let state = (Math.imul(turn, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  for (let last = order.length - 1; last > 0; last--) {
    state = mixed(state);
    const at = state % (last + 1);
    const item = order[at];
    const other = order[last];
    if (item === undefined || other === undefined) continue;
    order[at] = other;
    order[last] = item;
  }
  return order;
}

/** The next number of a sequence that looks random (murmur3's last step). */
function mixed(value: number): number {
  let next = (value + 0x6d2b79f5) | 0;
  next = Math.imul(next ^ (next >>> 16), 0x85ebca6b);
  next = Math.imul(next ^ (next >>> 13), 0xc2b2ae35);
  return (next ^ (next >>> 16)) >>> 0;
}
