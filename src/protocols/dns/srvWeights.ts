// Weights in SRV records are whole numbers up to 65,535; the registry's are shares, of which 1 is usual.

const SRV_WEIGHT_MAX = 65_535;
const FRACTION = 100;

/**
 * Turns the weights of one service into those of its SRV records: as they are if all are whole, otherwise a hundred
 * times that, and in proportion if one would be too large. None is below 1: 0 would mean hardly ever.
 */
export function srvWeights(instances: readonly { readonly weight: number }[]): (weight: number) => number {
  const weights = instances.map(({ weight }) => weight);
  const scale = weights.every(Number.isInteger) ? 1 : FRACTION;
  const most = scale * weights.reduce((max, weight) => Math.max(max, weight), 1);
  const factor = most > SRV_WEIGHT_MAX ? (scale * SRV_WEIGHT_MAX) / most : scale;
  return (weight) => Math.max(1, Math.round(weight * factor));
}
