import { describe, expect, it } from 'vitest';
import { breakdownValue, rangesOf, readEdges } from './breakdown';

describe('breakdowns in ranges', () => {
  it('reads edges as they are written', () => {
    expect(readEdges('10, 20;50  100')).toEqual([10, 20, 50, 100]);
    expect(readEdges('-1.5')).toEqual([-1.5]);
    expect([readEdges(''), readEdges('1, x'), readEdges('2, 1'), readEdges('1, 1')]).toEqual([null, null, null, null]);
  });

  it('tells ranges from values', () => {
    const ranges = { value: 'properties["price"]', edges: 'auto' } as const;
    expect([rangesOf('plan'), rangesOf(ranges)]).toEqual([null, ranges]);
    expect([breakdownValue('plan'), breakdownValue(ranges)]).toEqual(['plan', 'properties["price"]']);
  });
});
