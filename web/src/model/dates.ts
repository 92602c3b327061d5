/**
 * Calendar days and report buckets. Days are plain `YYYY-MM-DD` text, as in reports: a day has no time zone, so all
 * arithmetic runs in UTC and only "today" and instants ask for the project's zone.
 */
import type { Unit } from '../api/types';

export interface Days {
  from: string;
  to: string;
}

export type Preset = '7d' | '30d' | '90d' | '12m';
/** `30d` keeps moving with the calendar; a pair of days stays. */
export type RangeChoice = Preset | Days;

export const PRESETS: { value: Preset; label: string; days: number }[] = [
  { value: '7d', label: '7 days', days: 7 },
  { value: '30d', label: '30 days', days: 30 },
  { value: '90d', label: '90 days', days: 90 },
  { value: '12m', label: '12 months', days: 365 },
];

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

function utc(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function isDay(text: string): boolean {
  return DAY.test(text) && !Number.isNaN(utc(text)) && dayOf(utc(text)) === text;
}

export function addDays(day: string, days: number): string {
  return dayOf(utc(day) + days * DAY_MS);
}

/** Days from `from` to `to`, both included. */
export function daysBetween({ from, to }: Days): number {
  return Math.round((utc(to) - utc(from)) / DAY_MS) + 1;
}

/** Today in a time zone; an unknown zone counts as UTC. */
export function today(timezone: string, now: number = Date.now()): string {
  const parts = (zone: string) =>
    new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(now);
  try {
    return parts(timezone);
  } catch {
    return parts('UTC');
  }
}

/** The clock on the wall of a zone, in the form of report buckets. */
export function wallClock(timezone: string, now: number = Date.now()): string {
  const parts = (zone: string) =>
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', timeStyle: 'medium' }).format(now);
  try {
    return `${today(timezone, now)} ${parts(timezone)}`;
  } catch {
    return `${today('UTC', now)} ${parts('UTC')}`;
  }
}

/** Index of the bucket that is still filling; `null` when all are over. Buckets behind it have not begun. */
export function runningBucket(buckets: readonly string[], to: string, clock: string): number | null {
  if (clock.slice(0, 10) > to) return null;
  const running = buckets.findLastIndex((bucket) => bucket <= clock);
  return running < 0 ? null : running;
}

/** How many buckets a label may skip, so that labels fall on round times. */
export function labelSteps(unit: Unit): number[] {
  if (unit === 'hour') return [1, 2, 3, 6, 12, 24, 48, 72, 168];
  if (unit === 'minute') return [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
  return [];
}

export function resolveRange(choice: RangeChoice, todayIs: string): Days {
  if (typeof choice !== 'string') return choice;
  const days = PRESETS.find((preset) => preset.value === choice)?.days ?? 30;
  return { from: addDays(todayIs, 1 - days), to: todayIs };
}

/** The range of equal length that ends the day before. */
export function previousRange(range: Days): Days {
  const days = daysBetween(range);
  return { from: addDays(range.from, -days), to: addDays(range.from, -1) };
}

/** The unit that gives a readable number of points. */
export function unitFor(days: number): Unit {
  if (days <= 2) return 'hour';
  if (days <= 95) return 'day';
  return days <= 400 ? 'week' : 'month';
}

/** Units that stay legible and inside the limits of a report. */
export function unitsFor(days: number): Unit[] {
  const units: Unit[] = [];
  if (days <= 1) units.push('minute');
  if (days <= 31) units.push('hour');
  units.push('day');
  if (days >= 7) units.push('week');
  if (days >= 28) units.push('month');
  if (days >= 90) units.push('quarter');
  return units;
}

function bucketMs(bucket: string): number {
  return Date.parse(`${bucket.replace(' ', 'T')}${bucket.length > 10 ? '' : 'T00:00:00'}Z`);
}

function formatter(locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' });
}

/** A bucket as an axis label: short. */
export function bucketShort(bucket: string, unit: Unit, locale?: string): string {
  const at = bucketMs(bucket);
  if (unit === 'minute' || (unit === 'hour' && !bucket.endsWith('00:00:00'))) {
    return formatter(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
  }
  if (unit === 'quarter') return quarter(bucket);
  if (unit === 'month') return formatter(locale, { month: 'short', year: '2-digit' }).format(at);
  return formatter(locale, { month: 'short', day: 'numeric' }).format(at);
}

/** A bucket in full, for tooltips and tables. */
export function bucketLong(bucket: string, unit: Unit, locale?: string): string {
  const at = bucketMs(bucket);
  const day: Intl.DateTimeFormatOptions = { weekday: 'short', month: 'short', day: 'numeric', year: 'numeric' };
  if (unit === 'quarter') return quarter(bucket);
  if (unit === 'month') return formatter(locale, { month: 'long', year: 'numeric' }).format(at);
  if (unit === 'week') return `Week of ${formatter(locale, { month: 'short', day: 'numeric', year: 'numeric' }).format(at)}`;
  if (unit === 'day') return formatter(locale, day).format(at);
  return formatter(locale, { ...day, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

function quarter(bucket: string): string {
  return `Q${Math.floor((Number(bucket.slice(5, 7)) - 1) / 3) + 1} ${bucket.slice(0, 4)}`;
}

/** `1 – 30 Aug 2026` in the manner of the locale. */
export function rangeText({ from, to }: Days, locale?: string): string {
  return formatter(locale, { month: 'short', day: 'numeric', year: 'numeric' }).formatRange(utc(from), utc(to));
}

/** An instant in the project's zone. */
export function instant(ms: number, timezone: string, options?: Intl.DateTimeFormatOptions, locale?: string): string {
  const shown: Intl.DateTimeFormatOptions = options ?? { dateStyle: 'medium', timeStyle: 'medium' };
  try {
    return new Intl.DateTimeFormat(locale, { ...shown, timeZone: timezone }).format(ms);
  } catch {
    return new Intl.DateTimeFormat(locale, { ...shown, timeZone: 'UTC' }).format(ms);
  }
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

/** `3 minutes ago`. */
export function ago(ms: number, now: number = Date.now(), locale?: string): string {
  const past = Math.max(0, now - ms);
  const [unit, size] = STEPS.find(([, step]) => past >= step) ?? ['second', 1_000];
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' }).format(-Math.floor(past / size), unit);
}
