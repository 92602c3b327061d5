/** Where annotations stand on a chart over time. */
import type { Annotation } from '../api/types';
import { instant, wallClock } from './dates';

/** What happened in one bucket of a chart. */
export interface ChartMark {
  bucket: number;
  notes: { id: number; when: string; text: string; tags: readonly string[] }[];
}

const WHEN: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };

/** Annotations by the bucket that holds them; those before the first bucket or after the last day are not shown. */
export function marksOf(
  annotations: readonly Annotation[],
  buckets: readonly string[],
  to: string,
  timezone: string,
  locale?: string,
): ChartMark[] {
  const marks = new Map<number, ChartMark>();
  for (const { id, annotation } of annotations) {
    // Buckets are the report zone's clock as text, so that comparing text compares times.
    const clock = wallClock(timezone, annotation.time_ms);
    const bucket = clock.slice(0, 10) > to ? -1 : buckets.findLastIndex((start) => start <= clock);
    if (bucket < 0) continue;
    const when = instant(annotation.time_ms, timezone, clock.endsWith('00:00:00') ? { dateStyle: 'medium' } : WHEN, locale);
    const note = { id, when, text: annotation.description, tags: annotation.tags ?? [] };
    const mark = marks.get(bucket);
    if (mark) mark.notes.push(note);
    else marks.set(bucket, { bucket, notes: [note] });
  }
  return [...marks.values()].sort((a, b) => a.bucket - b.bucket);
}
