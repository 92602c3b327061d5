/**
 * Where the bars and bands of a flow lie. Columns go from left to right, the nodes of one from the top down in the
 * order given; a band that skips columns has a place of its own above the nodes of each, so that it runs past them and
 * not through them.
 */

export interface Place {
  column: number;
  node: number;
}

export interface LinkIn {
  from: Place;
  to: Place;
  count: number;
}

export interface NodeBox {
  x: number;
  y: number;
  height: number;
  /** Where the part begins that goes no further. */
  endY: number;
  endHeight: number;
}

export interface Band {
  path: string;
  width: number;
}

export interface Layout {
  /** By column and node, as given. */
  nodes: NodeBox[][];
  /** As given. */
  links: Band[];
  /** Left edges of the columns that have nodes; `null` for the others, which take no room. */
  xs: (number | null)[];
  width: number;
  height: number;
}

export interface Measures {
  height: number;
  columnWidth: number;
  barWidth: number;
  /** Room right of the last column's bar, for its labels. */
  tail: number;
}

const GAP = 14;
/** Two lines of text beside a bar, however thin it is. */
const LABEL = 34;
const HEIGHT_MIN = 2;

interface Slot {
  y: number;
  height: number;
}

export function layout(counts: readonly (readonly number[])[], links: readonly LinkIn[], measures: Measures): Layout {
  const shown = counts.flatMap((nodes, column) => (nodes.length > 0 ? [column] : []));
  const position = new Map(shown.map((column, index) => [column, index]));
  const at = (column: number) => position.get(column) ?? 0;
  const passing = shown.map((_, index) =>
    links.flatMap((link, number) => (at(link.from.column) < index && index < at(link.to.column) ? [number] : [])),
  );

  const loads = shown.map((column, index) => {
    const own = sum(counts[column] ?? []);
    const through = sum((passing[index] ?? []).map((number) => links[number]?.count ?? 0));
    const items = (counts[column]?.length ?? 0) + (through > 0 ? 1 : 0);
    return { total: own + through, gaps: GAP * (items - 1) };
  });
  const scales = loads.map(({ total, gaps }) => Math.max(40, measures.height - gaps) / Math.max(1, total));
  const scale = Math.min(...scales, measures.height);
  const size = (count: number) => Math.max(HEIGHT_MIN, count * scale);

  const xs = counts.map((_, column) => {
    const index = position.get(column);
    return index === undefined ? null : index * measures.columnWidth;
  });
  const nodes: NodeBox[][] = counts.map(() => []);
  const detours: Map<number, Slot>[] = shown.map(() => new Map<number, Slot>());
  let height = 0;
  shown.forEach((column, index) => {
    let y = 0;
    for (const number of passing[index] ?? []) {
      const width = size(links[number]?.count ?? 0);
      detours[index]?.set(number, { y, height: width });
      y += width;
    }
    if (y > 0) y += GAP;
    for (const count of counts[column] ?? []) {
      const box = size(count);
      nodes[column]?.push({ x: xs[column] ?? 0, y, height: box, endY: y, endHeight: 0 });
      y += Math.max(box, LABEL) + GAP;
    }
    height = Math.max(height, y);
  });

  const leaving = stack(links, nodes, 'from', 'to', scale);
  const arriving = stack(links, nodes, 'to', 'from', scale);
  const bands = links.map((link, number) => {
    const width = Math.max(1, link.count * scale);
    const start = (nodes[link.from.column]?.[link.from.node]?.x ?? 0) + measures.barWidth;
    const end = nodes[link.to.column]?.[link.to.node]?.x ?? 0;
    const stops: [number, number][] = [[start, leaving.at[number] ?? 0]];
    for (let index = at(link.from.column) + 1; index < at(link.to.column); index += 1) {
      const slot = detours[index]?.get(number);
      const x = index * measures.columnWidth;
      const y = (slot?.y ?? 0) + (slot?.height ?? 0) / 2;
      stops.push([x, y], [x + measures.barWidth, y]);
    }
    stops.push([end, arriving.at[number] ?? 0]);
    return { path: curve(stops), width };
  });
  nodes.forEach((column, index) =>
    column.forEach((box, node) => {
      const used = leaving.used.get(`${index} ${node}`) ?? 0;
      box.endY = box.y + used;
      box.endHeight = Math.max(0, box.height - used);
    }),
  );
  return {
    nodes,
    links: bands,
    xs,
    width: Math.max(0, shown.length - 1) * measures.columnWidth + measures.barWidth + measures.tail,
    height,
  };
}

/** Stacks the bands at one side of every node in the order of their other ends. */
function stack(links: readonly LinkIn[], nodes: readonly NodeBox[][], side: 'from' | 'to', other: 'from' | 'to', scale: number) {
  const at: number[] = [];
  const used = new Map<string, number>();
  const order = links.map((_, number) => number);
  const far = (number: number) => {
    const place = links[number]?.[other];
    if (!place) return 0;
    // What skips columns runs above their nodes, so the farther it goes the higher it leaves.
    const skipped = Math.abs(place.column - (links[number]?.[side].column ?? 0));
    return (nodes[place.column]?.[place.node]?.y ?? 0) - skipped * 100_000;
  };
  order.sort((a, b) => far(a) - far(b));
  for (const number of order) {
    const link = links[number];
    if (!link) continue;
    const { column, node } = link[side];
    const key = `${column} ${node}`;
    const before = used.get(key) ?? 0;
    const width = link.count * scale;
    at[number] = (nodes[column]?.[node]?.y ?? 0) + before + width / 2;
    used.set(key, before + width);
  }
  return { at, used };
}

function curve(stops: readonly [number, number][]): string {
  const [first, ...rest] = stops;
  if (!first) return '';
  let [x, y] = first;
  let path = `M${round(x)},${round(y)}`;
  for (const [nextX, nextY] of rest) {
    const middle = (x + nextX) / 2;
    path += `C${round(middle)},${round(y)} ${round(middle)},${round(nextY)} ${round(nextX)},${round(nextY)}`;
    [x, y] = [nextX, nextY];
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
