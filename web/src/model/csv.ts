/** A table as a file: CSV (RFC 4180) that no spreadsheet runs as a program, or JSON. */

export type Cell = string | number | null;

export interface Table {
  header: readonly string[];
  rows: readonly (readonly Cell[])[];
}

/** Characters that make a spreadsheet read a cell as a formula, with their full-width forms. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
/** A plain number is no formula, also a negative one. */
const NUMBER = /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i;

function field(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const safe = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv({ header, rows }: Table): string {
  return [header, ...rows].map((cells) => cells.map(field).join(',') + '\r\n').join('');
}

/** The same as JSON: names of the columns, and rows of bare values. Two columns may have one name, so rows are no objects. */
export function json({ header, rows }: Table): string {
  return JSON.stringify({ columns: header, rows }, null, 1) + '\n';
}

export type FileKind = 'csv' | 'json';

export function fileName(title: string, kind: FileKind, days?: { from: string; to: string }): string {
  const words = title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60);
  return `${words || 'table'}${days ? `_${days.from}_${days.to}` : ''}.${kind}`;
}

/** Who double-clicks a CSV file opens it in a spreadsheet, which reads UTF-8 only behind this mark. */
const BYTE_ORDER_MARK = '\uFEFF';

/** Hands a table to the browser's downloads. */
export function download(name: string, kind: FileKind, table: Table): void {
  const [content, type] = kind === 'csv' ? [BYTE_ORDER_MARK + csv(table), 'text/csv'] : [json(table), 'application/json'];
  const url = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
