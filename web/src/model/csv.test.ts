import { describe, expect, it } from 'vitest';
import { csv, fileName, json } from './csv';

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
      rows.at(-1)?.push(cell);
      cell = '';
      if (char === '\n' && at < text.length - 1) rows.push([]);
    } else if (char !== '\r') cell += char;
  }
  return rows;
}

describe('csv', () => {
  it('comes back cell by cell', () => {
    const cells = ['plain', 'a,b', 'say "hi"', 'two\r\nlines', '', 'ünï😀'];
    expect(read(csv({ header: cells, rows: [cells] }))).toEqual([cells, cells]);
  });

  it.each(['=1+1', '+1', '-1+1', '@SUM(A1)', '\tx', '\rx', '＝1', '＋1', '－1', '＠x', '=cmd|"/c calc"!A1'])('disarms %j', (cell) => {
    const [[first]] = read(csv({ header: [cell], rows: [] })) as [[string]];
    expect(first).toBe(`'${cell}`);
  });

  it('leaves numbers alone, also negative ones', () => {
    expect(csv({ header: ['n'], rows: [[-3.5], [null], ['-7'], ['-1e-7']] })).toBe('n\r\n-3.5\r\n\r\n-7\r\n-1e-7\r\n');
  });

  /** Small tables of everything that has a meaning in CSV or in a spreadsheet, the same ones in every run. */
  it('comes back whole and begins no cell with a formula, whatever is in it', () => {
    const parts = ['=', '+', '-', '@', '\t', '\r', '\n', '"', ',', "'", '＝', '1', '.', 'e', 'é', '😀', ' '];
    let seed = 1;
    const draw = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 2_000; round += 1) {
      const cells = Array.from({ length: 1 + draw(4) }, () => Array.from({ length: draw(6) }, () => parts[draw(parts.length)]).join(''));
      const [back = []] = read(csv({ header: cells, rows: [] }));
      back.forEach((cell, index) => {
        const original = cells[index] ?? '';
        const dangerous = /^[=+\-@\t\r\n＝＋－＠]/.test(cell) && !Number.isFinite(Number(cell));
        expect(dangerous, JSON.stringify(cell)).toBe(false);
        expect([original, `'${original}`]).toContain(cell);
      });
    }
  });

  it('keeps values bare as JSON', () => {
    expect(JSON.parse(json({ header: ['a', 'a'], rows: [['=1', -2], [null, 'x']] }))).toEqual({
      columns: ['a', 'a'],
      rows: [['=1', -2], [null, 'x']],
    });
  });

  it('names the file after what is in it', () => {
    const days = { from: '2026-01-01', to: '2026-01-31' };
    expect(fileName('Insights: ../x', 'csv', days)).toBe('insights-x_2026-01-01_2026-01-31.csv');
    expect(fileName('…', 'json')).toBe('table.json');
  });
});
