import { describe, expect, it } from 'vitest';
import { addDays, ago, bucketLong, bucketShort, daysBetween, isDay, previousRange, rangeText, resolveRange, runningBucket, today, unitFor, unitsFor, wallClock } from './dates';

describe('days', () => {
  it('counts both ends, also over leap days and changes of the clock', () => {
    expect(daysBetween({ from: '2026-03-28', to: '2026-03-30' })).toBe(3);
    expect(daysBetween({ from: '2028-02-28', to: '2028-03-01' })).toBe(3);
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
  });

  it('knows days that are none', () => {
    expect(isDay('2026-02-29')).toBe(false);
    expect(isDay('2028-02-29')).toBe(true);
    expect(isDay('2026-2-1')).toBe(false);
  });

  it('asks the zone what day it is', () => {
    const justBeforeMidnightUtc = Date.parse('2026-11-22T23:30:00Z');
    expect(today('Europe/Paris', justBeforeMidnightUtc)).toBe('2026-11-23');
    expect(today('America/New_York', justBeforeMidnightUtc)).toBe('2026-11-22');
    expect(today('Nowhere/Land', justBeforeMidnightUtc)).toBe('2026-11-22');
  });

  it('puts the range before right before', () => {
    const range = resolveRange('7d', '2026-11-22');
    expect(range).toEqual({ from: '2026-11-16', to: '2026-11-22' });
    expect(previousRange(range)).toEqual({ from: '2026-11-09', to: '2026-11-15' });
  });

  it('takes units that stay under the limit of buckets', () => {
    const perDay = { minute: 1440, hour: 24, day: 1, week: 1, month: 1, quarter: 1 };
    for (const days of [1, 2, 7, 31, 90, 366, 3660]) {
      for (const unit of unitsFor(days)) expect(days * perDay[unit]).toBeLessThanOrEqual(10_000);
      expect(unitsFor(days).length).toBeGreaterThan(0);
    }
    expect(unitFor(1)).toBe('hour');
    expect(unitFor(30)).toBe('day');
  });
});

describe('buckets as text', () => {
  it.each([
    ['2026-08-01', 'day', '1 Aug', 'Sat, 1 Aug 2026'],
    ['2026-08-03', 'week', '3 Aug', 'Week of 3 Aug 2026'],
    ['2026-08-01', 'month', 'Aug 26', 'August 2026'],
    ['2026-07-01', 'quarter', 'Q3 2026', 'Q3 2026'],
    ['2026-08-01 13:05:00', 'minute', '13:05', 'Sat, 1 Aug 2026, 13:05'],
  ] as const)('%s by %s', (bucket, unit, short, long) => {
    expect(bucketShort(bucket, unit, 'en-GB')).toBe(short);
    expect(bucketLong(bucket, unit, 'en-GB').replace(' at ', ', ')).toBe(long);
  });

  it('is in the language of the reader', () => {
    expect(rangeText({ from: '2026-08-01', to: '2026-08-31' }, 'fr')).toContain('août');
  });
});

describe('now', () => {
  const buckets = ['2026-11-20', '2026-11-21', '2026-11-22'];

  it('is the time on the wall of the zone', () => {
    expect(wallClock('Asia/Tokyo', Date.parse('2026-11-22T15:04:05Z'))).toBe('2026-11-23 00:04:05');
  });

  it('knows the bucket that is still filling', () => {
    expect(runningBucket(buckets, '2026-11-22', '2026-11-22 18:00:00')).toBe(2);
    expect(runningBucket(buckets, '2026-11-22', '2026-11-23 00:00:00')).toBeNull();
    expect(runningBucket(['2026-11-16'], '2026-11-22', '2026-11-22 18:00:00')).toBe(0);
    expect(runningBucket(['2026-11-22 17:00:00', '2026-11-22 18:00:00', '2026-11-22 19:00:00'], '2026-11-22', '2026-11-22 18:30:00')).toBe(1);
  });

  it('names days at midnight, and hours between', () => {
    expect(bucketShort('2026-11-22 00:00:00', 'hour', 'en-GB')).toBe('22 Nov');
    expect(bucketShort('2026-11-22 06:00:00', 'hour', 'en-GB')).toBe('06:00');
  });
});

it('says how long ago, never in the future', () => {
  expect(ago(1_000_000 - 65_000, 1_000_000, 'en')).toBe('1 min. ago');
  expect(ago(1_000_500, 1_000_000, 'en')).toBe('now');
});
