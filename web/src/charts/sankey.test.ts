import { describe, expect, it } from 'vitest';
import { layout } from './sankey';

const MEASURES = { height: 300, columnWidth: 200, barWidth: 10, tail: 150 };
const link = (from: [number, number], to: [number, number], count: number) => ({
  from: { column: from[0], node: from[1] },
  to: { column: to[0], node: to[1] },
  count,
});

describe('the layout of a flow', () => {
  it('gives every count the same height for each of it', () => {
    const { nodes } = layout([[100], [60, 20]], [link([0, 0], [1, 0], 60), link([0, 0], [1, 1], 20)], MEASURES);
    const height = nodes[0]?.[0]?.height ?? 0;
    expect(nodes[1]?.[0]?.height).toBeCloseTo(height * 0.6);
    expect(nodes[1]?.[1]?.height).toBeCloseTo(height * 0.2);
    // Twenty went nowhere.
    expect(nodes[0]?.[0]?.endHeight).toBeCloseTo(height * 0.2);
    expect(nodes[0]?.[0]?.endY).toBeCloseTo(height * 0.8);
  });

  it('leaves columns without nodes out', () => {
    const { xs, width } = layout([[10], [], [10]], [link([0, 0], [2, 0], 10)], MEASURES);
    expect(xs).toEqual([0, null, 200]);
    expect(width).toBe(200 + 10 + 150);
  });

  it('leads bands that skip a column past its nodes, above them', () => {
    const { nodes, links } = layout(
      [[100], [40], [100]],
      [link([0, 0], [1, 0], 40), link([1, 0], [2, 0], 40), link([0, 0], [2, 0], 60)],
      MEASURES,
    );
    const top = nodes[1]?.[0]?.y ?? 0;
    const stops = [...(links[2]?.path.matchAll(/([\d.]+),([\d.]+)(?=C|$)/g) ?? [])].map(([, x, y]) => [Number(x), Number(y)]);
    const inside = stops.filter(([x]) => x === 200);
    expect(inside).toHaveLength(1);
    expect((inside[0]?.[1] ?? 0) + (links[2]?.width ?? 0) / 2).toBeLessThan(top);
  });

  it('stands with nothing at all', () => {
    expect(layout([], [], MEASURES).height).toBe(0);
  });
});
