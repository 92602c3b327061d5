/** An answer of retention as a curve and as a triangle. */
import type { CurvePoint, RetentionAnswer, RetentionQuestion } from '../api/types';
import type { Cell } from './csv';
import { bucketLong } from './dates';
import { share } from './funnel';
import { segmentLabel, type Table } from './insights';

export interface Curve {
  label: string;
  born: number;
  /** Share of those born that returned, by interval, over the cohorts in which it is over; `null` where it is in none. */
  shares: (number | null)[];
}

export function sharesOf(curve: readonly CurvePoint[]): (number | null)[] {
  return curve.map(({ born, returned }) => (born === 0 ? null : share(returned, born)));
}

export function curvesOf(question: RetentionQuestion, answer: RetentionAnswer, locale?: string): Curve[] {
  const breakdown = question.breakdown === undefined ? [] : [question.breakdown];
  return answer.segments.map(({ segment, cohorts, curve }) => ({
    label: segment.length === 0 ? 'Everybody' : segmentLabel(segment, breakdown, locale),
    born: cohorts.reduce((sum, cohort) => sum + cohort.born, 0),
    shares: sharesOf(curve),
  }));
}

/** `Day 3`, or `Day 4–7` for an interval of several. */
export function intervalLabel(question: Pick<RetentionQuestion, 'unit' | 'brackets'>, interval: number): string {
  const unit = { day: 'Day', week: 'Week', month: 'Month' }[question.unit as 'day' | 'week' | 'month'];
  const brackets = question.brackets ?? [];
  if (brackets.length === 0) return `${unit} ${interval}`;
  const first = brackets.slice(0, interval).reduce((sum, length) => sum + length, 0);
  const last = first + (brackets[interval] ?? 1) - 1;
  return first === last ? `${unit} ${first}` : `${unit} ${first}–${last}`;
}

/** Each about twice as long as the one before, as people forget. */
export const BRACKETS_DEFAULT = [1, 1, 2, 4, 7, 15];

export function retentionTable(question: RetentionQuestion, answer: RetentionAnswer, locale?: string): Table {
  const breakdown = question.breakdown === undefined ? [] : [question.breakdown];
  const intervals = Array.from({ length: question.intervals + 1 }, (_, interval) => interval);
  return {
    header: ['Segment', 'Cohort', 'People', ...intervals.map((interval) => intervalLabel(question, interval)), 'Intervals over'],
    rows: answer.segments.flatMap(({ segment, cohorts }) =>
      cohorts.map((cohort, index): Cell[] => [
        segment.length === 0 ? 'Everybody' : segmentLabel(segment, breakdown, locale),
        bucketLong(answer.buckets[index] ?? '', question.unit, locale),
        cohort.born,
        ...intervals.map((interval) => cohort.returned[interval] ?? null),
        cohort.complete,
      ]),
    ),
  };
}
