/** What the SQL page needs to know about statements and their rows, apart from showing them. */
import type { Cell } from './csv';

export interface Position {
  line: number;
  column: number;
}

/** Where a refusal points: the server writes `/sql line 3 column 7`. */
export function positionOf(at: string | null): Position | null {
  const found = /^\/sql line (\d+) column (\d+)$/.exec(at ?? '');
  return found ? { line: Number(found[1]), column: Number(found[2]) } : null;
}

/** The place in the text as an offset; the end of the line where the column is beyond it. */
export function offsetOf(text: string, { line, column }: Position): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return Math.min(before + Math.min(column - 1, lines[line - 1]?.length ?? 0), text.length);
}

/** A name as a statement must write it. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const RESERVED = new Set(['group', 'order', 'select', 'from', 'where', 'limit', 'having', 'by', 'as', 'on', 'join', 'case', 'end', 'when']);

/** A value of an answer as a cell of a table or file: lists as their JSON. */
export function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}
