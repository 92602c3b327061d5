/** The little geometry that our charts need. */

/** Ticks at 1, 2, 2.5 or 5 times a power of ten from 0 to at least `max`. */
export function ticks(max: number, count = 4): number[] {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const steps = Math.ceil(max / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** Counts have no halves: drops ticks between whole numbers. */
export function wholeTicks(max: number, count = 4): number[] {
  const whole = ticks(max, count).filter(Number.isInteger);
  return whole.length > 1 ? whole : [0, Math.max(1, Math.ceil(max))];
}

export function linear(domainMax: number, from: number, to: number): (value: number) => number {
  const span = domainMax === 0 ? 1 : domainMax;
  return (value) => from + (value / span) * (to - from);
}

/** Centre of each of `count` points spread over a width; a single one stands in the middle. */
export function points(count: number, from: number, to: number): number[] {
  if (count === 1) return [(from + to) / 2];
  return Array.from({ length: count }, (_, index) => from + (index * (to - from)) / (count - 1));
}

/** Straight segments: what lies between two buckets is not known. Gaps where a value is missing. */
export function linePath(xs: readonly number[], ys: readonly (number | null)[]): string {
  let pen = 'M';
  let path = '';
  ys.forEach((y, index) => {
    const x = xs[index];
    if (y === null || x === undefined) {
      pen = 'M';
      return;
    }
    path += `${pen}${x.toFixed(1)},${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}

/** The segments of a line that are kept, each named by the index of its end. Gaps where a value is missing. */
export function segmentsPath(xs: readonly number[], ys: readonly (number | null)[], keeps: (index: number) => boolean): string {
  const at = (index: number) => `${xs[index]?.toFixed(1)},${ys[index]?.toFixed(1)}`;
  const isSet = (index: number) => xs[index] !== undefined && typeof ys[index] === 'number';
  let pen = -1;
  let path = '';
  for (let index = 1; index < ys.length; index++) {
    if (!isSet(index - 1) || !isSet(index) || !keeps(index)) continue;
    if (pen !== index - 1) path += `M${at(index - 1)}`;
    path += `L${at(index)}`;
    pen = index;
  }
  return path;
}

/** Indices of the labels that fit, evenly spread, always with the first; by one of the given steps where there are any. */
export function labelIndices(count: number, width: number, labelWidth: number, steps: readonly number[] = []): number[] {
  const fit = Math.max(1, Math.floor(width / labelWidth));
  const least = Math.max(1, Math.ceil(count / fit));
  const step = steps.find((candidate) => candidate >= least) ?? least;
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}

export function nearest(xs: readonly number[], x: number): number {
  let best = 0;
  xs.forEach((candidate, index) => {
    if (Math.abs(candidate - x) < Math.abs((xs[best] ?? 0) - x)) best = index;
  });
  return best;
}

/** Series colours repeat after eight; past that, labels carry the meaning. */
export const COLOURS = 8;

export function colour(index: number): string {
  return `series-${(index % COLOURS) + 1}`;
}
