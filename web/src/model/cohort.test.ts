import { describe, expect, it } from 'vitest';
import { type RuleKind, NEW_KINDS, countOf, countParts, newRule, numbersOf } from './cohort';

describe('cohorts', () => {
  it('begins every kind of rule as what it is', () => {
    for (const kind of NEW_KINDS) expect(newRule(kind satisfies RuleKind).kind).toBe(kind);
  });

  it('takes counts apart and puts them together', () => {
    for (const count of [{ at_least: 3 }, { at_most: 0 }, { exactly: 1 }]) {
      const { kind, times } = countParts(count);
      expect(countOf(kind, times)).toEqual(count);
    }
    expect(countOf('at_least', Number.NaN)).toEqual({ at_least: 0 });
  });

  it('reads pasted numbers', () => {
    expect(numbersOf('7, 8\n8;  12x0')).toEqual([7, 8, 12]);
    expect(numbersOf('')).toEqual([]);
  });
});
