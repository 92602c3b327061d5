/** A breakdown of insights: an expression, or an expression whose numbers are put into ranges. */

export type Edges = 'auto' | { at: number[] };

export interface Ranges {
  value: string;
  edges: Edges;
}

export type Breakdown = string | Ranges;

export function rangesOf(breakdown: unknown): Ranges | null {
  return typeof breakdown === 'object' && breakdown !== null && 'edges' in breakdown ? (breakdown as Ranges) : null;
}

/** The expression that is split by. */
export function breakdownValue(breakdown: unknown): unknown {
  return rangesOf(breakdown)?.value ?? breakdown;
}

/** Edges as somebody writes them: `10, 20, 50`. `null` when they are not ascending numbers. */
export function readEdges(text: string): number[] | null {
  const parts = text.split(/[,;\s]+/).filter((part) => part !== '');
  const edges = parts.map(Number);
  const ascending = edges.every((edge, index) => Number.isFinite(edge) && (index === 0 || edge > (edges[index - 1] ?? 0)));
  return edges.length > 0 && edges.length <= 100 && ascending ? edges : null;
}
