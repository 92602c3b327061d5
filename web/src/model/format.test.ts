import { describe, expect, it } from 'vitest';
import { bytes, change, compact, duration, number, percent, plural, signedPercent, value } from './format';
import { valueName } from './names';

describe('numbers', () => {
  it('groups in the manner of the locale', () => {
    expect(number(1234567.891, 'en')).toBe('1,234,567.89');
    expect(number(1234567, 'de')).toBe('1.234.567');
  });

  it('shortens only where digits would not be read anyway', () => {
    expect(compact(9999, 'en')).toBe('9,999');
    expect(compact(12_345, 'en')).toBe('12.3K');
    expect(compact(1_250_000, 'en')).toBe('1.3M');
  });

  it('shows shares with the digits that matter', () => {
    expect([0, 0.004, 0.1234, 0.5, 1].map((share) => percent(share, 'en'))).toEqual(['0%', '0.4%', '12.3%', '50.0%', '100%']);
    expect(signedPercent(0.12, 'en')).toBe('+12%');
    expect(signedPercent(0, 'en')).toBe('0%');
  });

  it('has no change from nothing', () => {
    expect(change(5, 0)).toBeNull();
    expect(change(15, 10)).toBeCloseTo(0.5);
  });

  it.each([
    [0, '0 ms'],
    [840, '840 ms'],
    [59_000, '59 s'],
    [200_000, '3 min 20 s'],
    [7_200_000, '2 h'],
    [100_800_000, '1 d 4 h'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('measures data in thousands', () => {
    expect([0, 999, 1_400_000, 3e12].map((count) => bytes(count, 'en'))).toEqual(['0 B', '999 B', '1.4 MB', '3 TB']);
  });

  it('counts one thing as one thing', () => {
    expect(plural(1, 'person', 'people', 'en')).toBe('1 person');
    expect(plural(1200, 'person', 'people', 'en')).toBe('1,200 people');
  });
});

describe('values', () => {
  it.each([
    [null, 'not set'],
    ['', '(empty)'],
    [3.5, '3.5'],
    [true, 'true'],
    [['a', 1], 'a, 1'],
    [{ a: 1 }, '{"a":1}'],
  ])('%j reads %s', (json, text) => expect(value(json, 'en')).toBe(text));

  it('knows countries, and leaves what only looks like one', () => {
    expect(valueName('mp_country_code', 'FR', 'en')).toBe('France');
    expect(valueName('plan', 'FR', 'en')).toBe('FR');
    expect(valueName('mp_country_code', 'France', 'en')).toBe('France');
    expect(valueName('$referring_domain', '$direct', 'en')).toBe('Direct');
  });
});
