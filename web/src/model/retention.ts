/** An answer of retention as a curve and as a triangle. */
import type { Cohort, RetentionAnswer, RetentionQuestion } from '../api/types';
import type { Cell } from './csv';
import { bucketLong } from './dates';
import { share } from './funnel';
import { segmentLabel, type Table } from './insights';

export interface Curve {
  label: string;
  born: number;
  /** Share of those born that returned, by interval; `null` where no cohort has come so far. */
  shares: (number | null)[];
}

/** Over all cohorts that have reached the interval: the young ones do not drag it down. */
export function shareAt(cohorts: readonly Cohort[], interval: number): number | null {
  const reached = cohorts.filter((cohort) => cohort.born > 0 && cohort.returned.length > interval);
  if (reached.length === 0) return null;
  const born = reached.reduce((sum, cohort) => sum + cohort.born, 0);
  return share(
    reached.reduce((sum, cohort) => sum + (cohort.returned[interval] ?? 0), 0),
    born,
  );
}

export function curvesOf(question: RetentionQuestion, answer: RetentionAnswer, locale?: string): Curve[] {
  const breakdown = question.breakdown === undefined ? [] : [question.breakdown];
  return answer.segments.map(({ segment, cohorts }) => ({
    label: segment.length === 0 ? 'Everybody' : segmentLabel(segment, breakdown, locale),
    born: cohorts.reduce((sum, cohort) => sum + cohort.born, 0),
    shares: Array.from({ length: question.intervals + 1 }, (_, interval) => shareAt(cohorts, interval)),
  }));
}

export function intervalLabel(question: RetentionQuestion, interval: number): string {
  const unit = { day: 'Day', week: 'Week', month: 'Month' }[question.unit as 'day' | 'week' | 'month'];
  return `${unit} ${interval}`;
}

export function retentionTable(question: RetentionQuestion, answer: RetentionAnswer, locale?: string): Table {
  const breakdown = question.breakdown === undefined ? [] : [question.breakdown];
  const intervals = Array.from({ length: question.intervals + 1 }, (_, interval) => interval);
  return {
    header: ['Segment', 'Cohort', 'People', ...intervals.map((interval) => intervalLabel(question, interval))],
    rows: answer.segments.flatMap(({ segment, cohorts }) =>
      cohorts.map((cohort, index): Cell[] => [
        segment.length === 0 ? 'Everybody' : segmentLabel(segment, breakdown, locale),
        bucketLong(answer.buckets[index] ?? '', question.unit, locale),
        cohort.born,
        ...intervals.map((interval) => cohort.returned[interval] ?? null),
      ]),
    ),
  };
}
