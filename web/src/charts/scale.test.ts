import { describe, expect, it } from 'vitest';
import { colour, labelIndices, linePath, linear, nearest, points, segmentsPath, ticks, wholeTicks } from './scale';

describe('ticks', () => {
  it.each([0.003, 0.37, 1, 3, 7, 10, 42, 999, 1_000_000, 4.2e9])('reach over %d, evenly, with few steps', (max) => {
    const found = ticks(max);
    const step = (found[1] ?? 0) - (found[0] ?? 0);
    expect(found[0]).toBe(0);
    expect(found.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-9));
    expect(found.length).toBeLessThanOrEqual(6);
    found.slice(1).forEach((tick, index) => expect(tick - (found[index] ?? 0)).toBeCloseTo(step, 9));
  });

  it('have no halves of persons', () => {
    expect(wholeTicks(1)).toEqual([0, 1]);
    expect(wholeTicks(3).every(Number.isInteger)).toBe(true);
    expect(wholeTicks(0)).toEqual([0, 1]);
  });

  it('stand even where there is nothing', () => {
    expect(ticks(0)).toEqual([0, 1]);
    expect(ticks(Number.NaN)).toEqual([0, 1]);
  });
});

it('maps zero to the floor and the largest to the top', () => {
  const y = linear(200, 300, 20);
  expect([y(0), y(200), y(100)]).toEqual([300, 20, 160]);
  expect(linear(0, 300, 20)(0)).toBe(300);
});

it('spreads points to both edges', () => {
  expect(points(3, 0, 10)).toEqual([0, 5, 10]);
  expect(points(1, 0, 10)).toEqual([5]);
  expect(points(0, 0, 10)).toEqual([]);
});

it('lifts the pen where a value is missing', () => {
  expect(linePath([0, 1, 2, 3], [5, null, 6, 7])).toBe('M0.0,5.0M2.0,6.0L3.0,7.0');
  expect(linePath([], [])).toBe('');
});

it('shows no more labels than fit', () => {
  expect(labelIndices(30, 800, 80)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
  expect(labelIndices(3, 10, 80)).toEqual([0]);
  expect(labelIndices(72, 800, 80, [6, 12, 24])).toEqual([0, 12, 24, 36, 48, 60]);
});

it('finds the nearest point', () => expect(nearest([0, 10, 20], 14)).toBe(1));

it('goes round the palette', () => expect([colour(0), colour(7), colour(8)]).toEqual(['series-1', 'series-8', 'series-1']));

describe('parts of a line', () => {
  const xs = [0, 1, 2, 3, 4];

  it('are what is kept, without what is missing', () => {
    const dashed = new Set([0, 4]);
    const ends = (index: number) => dashed.has(index) || dashed.has(index - 1);
    expect(segmentsPath(xs, [5, 6, 7, 8, 9], (index) => !ends(index))).toBe('M1.0,6.0L2.0,7.0L3.0,8.0');
    expect(segmentsPath(xs, [5, 6, 7, 8, 9], ends)).toBe('M0.0,5.0L1.0,6.0M3.0,8.0L4.0,9.0');
    expect(segmentsPath(xs, [5, 6, null, 8, 9], () => true)).toBe('M0.0,5.0L1.0,6.0M3.0,8.0L4.0,9.0');
  });
});
