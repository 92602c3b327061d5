import { describe, expect, it } from 'vitest';
import { cellOf, offsetOf, positionOf, quoted } from './sql';

describe('statements', () => {
  it('finds where a refusal points', () => {
    expect(positionOf('/sql line 3 column 7')).toEqual({ line: 3, column: 7 });
    expect(positionOf('/limit')).toBeNull();
    expect(positionOf(null)).toBeNull();
    const text = 'select *\nfrom events\nwhere plann = 1';
    expect(text.slice(offsetOf(text, { line: 3, column: 7 }))).toBe('plann = 1');
    expect(offsetOf(text, { line: 2, column: 99 })).toBe('select *\nfrom events'.length);
    expect(offsetOf(text, { line: 9, column: 1 })).toBe(text.length);
  });

  it('quotes names that need it', () => {
    expect(['plan', '$browser', 'Plan', 'group', 'a"b'].map(quoted)).toEqual(['plan', '"$browser"', '"Plan"', '"group"', '"a""b"']);
  });

  it('puts values into files', () => {
    expect([null, 1.5, 'a', true, [1, null]].map(cellOf)).toEqual([null, 1.5, 'a', 'true', '[1,null]']);
  });
});
