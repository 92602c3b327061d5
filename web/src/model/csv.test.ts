import { describe, expect, it } from 'vitest';
import { csv, fileName } from './csv';

/** A reader of RFC 4180, written without looking at the writer. */
function read(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quoted) {
      if (char === '"' && text[at + 1] === '"') cell += text[(at += 1)] ?? '';
      else if (char === '"') quoted = false;
      else cell += char;
    } else if (char === '"') quoted = true;
    else if (char === ',' || char === '\n') {
      rows.at(-1)?.push(cell.replace(/\r$/, ''));
      cell = '';
      if (char === '\n' && at < text.length - 1) rows.push([]);
    } else cell += char;
  }
  return rows;
}

describe('csv', () => {
  it('comes back cell by cell', () => {
    const cells = ['plain', 'a,b', 'say "hi"', 'two\r\nlines', '', 'ünï😀'];
    expect(read(csv(cells, [cells]))).toEqual([cells, cells]);
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '＝1', '＋1', '－1', '＠x', '=cmd|"/c calc"!A1'])('disarms %j', (cell) => {
    const [[first]] = read(csv([cell], [])) as [[string]];
    expect(first).toBe(`'${cell}`.replace(/\r$/, ''));
  });

  it('leaves numbers alone, also negative ones', () => {
    expect(csv(['n'], [[-3.5], [null]])).toBe('n\r\n-3.5\r\n\r\n');
  });

  it('names the file after what is in it', () => {
    expect(fileName('Insights: ../x', '2026-01-01', '2026-01-31')).toBe('insights-x_2026-01-01_2026-01-31.csv');
  });
});
