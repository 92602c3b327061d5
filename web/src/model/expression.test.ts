import { describe, expect, it } from 'vitest';
import { type Clause, clausesOf, isComplete, operatorsFor, textOf } from './clause';
import { parseExpression, propertyOf, propertyText, quote } from './expression';

const browser = { scope: 'properties' as const, name: '$browser' };
const plan = { scope: 'user' as const, name: 'plan "x" \\ y' };

describe('rows and expressions', () => {
  const cases: [string, Clause[], string][] = [
    ['one value', [{ property: browser, operator: 'is', values: ['Chrome'] }], 'properties["$browser"] == "Chrome"'],
    ['values', [{ property: browser, operator: 'is', values: ['A', 'B'] }], 'properties["$browser"] in ["A", "B"]'],
    ['not a value', [{ property: browser, operator: 'is_not', values: ['A'] }], 'properties["$browser"] != "A"'],
    ['not values', [{ property: browser, operator: 'is_not', values: ['A', 'B'] }], 'not (properties["$browser"] in ["A", "B"])'],
    ['part', [{ property: browser, operator: 'contains', values: ['hro'] }], '"hro" in properties["$browser"]'],
    ['no part', [{ property: browser, operator: 'not_contains', values: ['hro'] }], 'not ("hro" in properties["$browser"])'],
    ['number', [{ property: browser, operator: 'at_least', values: [-2.5] }], 'properties["$browser"] >= -2.5'],
    ['flag', [{ property: browser, operator: 'is_false', values: [] }], 'properties["$browser"] == false'],
    ['set', [{ property: browser, operator: 'set', values: [] }], 'defined(properties["$browser"])'],
    ['not set', [{ property: browser, operator: 'not_set', values: [] }], 'not (defined(properties["$browser"]))'],
    ['quotes', [{ property: plan, operator: 'is', values: ['"a\\'] }], 'user["plan \\"x\\" \\\\ y"] == "\\"a\\\\"'],
    [
      'several',
      [
        { property: browser, operator: 'is', values: ['A'] },
        { property: plan, operator: 'set', values: [] },
      ],
      '(properties["$browser"] == "A") and (defined(user["plan \\"x\\" \\\\ y"]))',
    ],
  ];

  it.each(cases)('%s: there and back', (_, clauses, text) => {
    expect(textOf(clauses)).toBe(text);
    expect(clausesOf(text)).toEqual(clauses);
  });

  it('reads the form in which the server prints what it stored', () => {
    const printed = 'properties["$browser"] == "Chrome" and properties["n"] > 3 and not defined(user["plan"])';
    expect(clausesOf(printed)?.map(({ operator, values }) => [operator, values])).toEqual([
      ['is', ['Chrome']],
      ['greater', [3]],
      ['not_set', []],
    ]);
  });

  it.each(['properties["a"] == "x" or properties["b"] == "y"', 'properties["a"] + 1 > 2', 'floor(properties["a"]) == 1', '((', 'x y'])(
    'leaves %s as text',
    (text) => expect(clausesOf(text)).toBeNull(),
  );

  it('asks only rows that say enough', () => {
    const open: Clause = { property: browser, operator: 'is', values: [] };
    expect(isComplete(open)).toBe(false);
    expect(textOf([open])).toBeUndefined();
    expect(isComplete({ ...open, operator: 'greater', values: [Number.NaN] })).toBe(false);
    expect(isComplete({ ...open, operator: 'set' })).toBe(true);
  });

  it('offers what fits the kinds a property was seen with', () => {
    expect(operatorsFor(['number'])[0]).toBe('equals');
    expect(operatorsFor(['bool'])).toEqual(['is_true', 'is_false', 'set', 'not_set']);
    expect(operatorsFor([])[0]).toBe('is');
    expect(operatorsFor(['string', 'number'])).toContain('greater');
  });
});

describe('text form', () => {
  it('reads precedence like the server: or, and, not, comparison', () => {
    const tree = parseExpression('not a_is == 1 and properties["b"] in [1, -2] OR true');
    expect(tree).toBeNull(); // A bare name stands alone or not at all.
    expect(parseExpression('not properties["a"] == 1 and true or false')).toMatchObject({
      op: 'or',
      left: { op: 'and', left: { kind: 'not', inner: { op: '==' } } },
    });
  });

  it('knows a plain property, also a bare one', () => {
    expect(propertyOf('$browser')).toEqual(browser);
    expect(propertyOf(propertyText(plan))).toEqual(plan);
    expect(propertyOf('properties["a"] == 1')).toBeNull();
    expect(propertyOf({ property: {} })).toBeNull();
  });

  it('quotes what would end a string', () => {
    expect(quote('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(parseExpression(quote('a"b\\c'))).toEqual({ kind: 'literal', value: 'a"b\\c' });
  });

  it('reads what the project saved as properties', () => {
    for (const ref of [
      { scope: 'cohort', name: '12' },
      { scope: 'computed', name: 'a "b"' },
    ] as const) {
      expect(propertyOf(propertyText(ref))).toEqual(ref);
    }
    expect(parseExpression('cohort(x + 1)')).toBeNull();
  });
});
