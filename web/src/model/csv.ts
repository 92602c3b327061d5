/** A table as CSV (RFC 4180) that no spreadsheet runs as a program. */

export type Cell = string | number | null;

/** Characters that make a spreadsheet read a cell as a formula, with their full-width forms. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

function field(cell: Cell): string {
  if (cell === null) return '';
  // A number of ours is a number; only text that came from outside can be a formula.
  if (typeof cell === 'number') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((cells) => cells.map(field).join(',') + '\r\n').join('');
}

export function fileName(title: string, from: string, to: string): string {
  const words = title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60);
  return `${words || 'report'}_${from}_${to}.csv`;
}

/** Hands a file to the browser's downloads. */
export function download(name: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
