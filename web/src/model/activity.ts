/** Answers of frequency, stickiness and lifecycle as lines and tables. */
import type {
  FrequencyAnswer,
  FrequencyQuestion,
  LifecycleAnswer,
  LifecycleBucket,
  LifecycleQuestion,
  StickinessAnswer,
  StickinessBucket,
  StickinessQuestion,
} from '../api/types';
import type { Cell } from './csv';
import { bucketLong } from './dates';
import { share } from './funnel';
import { segmentLabel, type Table } from './insights';

type Question = FrequencyQuestion | StickinessQuestion | LifecycleQuestion;

export function segmentName(question: Question, segment: readonly unknown[], locale?: string): string {
  if (segment.length === 0) return 'Everybody';
  return segmentLabel(segment, question.breakdown === undefined ? [] : [question.breakdown], locale);
}

export const STAGES: { key: keyof LifecycleBucket; label: string }[] = [
  { key: 'returning', label: 'Returning' },
  { key: 'resurrected', label: 'Resurrected' },
  { key: 'new', label: 'New' },
  { key: 'dormant', label: 'Dormant' },
];

/** Per bucket the persons of a stage; those who left count below the line. */
export function stageValues(buckets: readonly LifecycleBucket[], stage: keyof LifecycleBucket): number[] {
  return buckets.map((bucket) => (stage === 'dormant' ? -bucket.dormant : bucket[stage]));
}

export function lifecycleTable(question: LifecycleQuestion, answer: LifecycleAnswer, locale?: string): Table {
  return {
    header: ['Segment', 'Time', 'New', 'Returning', 'Resurrected', 'Active', 'Dormant', 'Change'],
    rows: answer.segments.flatMap(({ segment, buckets }) =>
      buckets.map((bucket, index): Cell[] => {
        const active = bucket.new + bucket.returning + bucket.resurrected;
        return [
          segmentName(question, segment, locale),
          bucketLong(answer.buckets[index] ?? '', question.unit, locale),
          bucket.new,
          bucket.returning,
          bucket.resurrected,
          active,
          bucket.dormant,
          bucket.new + bucket.resurrected - bucket.dormant,
        ];
      }),
    ),
  };
}

/** Whole buckets where there are any: a cut one has fewer days to be active on. */
function whole<T>(buckets: readonly T[], partial: readonly boolean[]): T[] {
  const over = buckets.filter((_, index) => !partial[index]);
  return over.length > 0 ? over : [...buckets];
}

/** Of those active in a bucket, the share with exactly 1, 2, … days, over all whole buckets together. */
export function exactlyShares(buckets: readonly StickinessBucket[], partial: readonly boolean[]): number[] {
  return sharesOfFirst(whole(buckets, partial).map(({ exactly }) => exactly), whole(buckets, partial).map(({ at_least }) => at_least));
}

/** Of those active in a bucket, the share with at least 1, 2, … parts, over all whole buckets together. */
export function atLeastShares(lists: readonly (readonly number[])[], partial: readonly boolean[]): number[] {
  return sharesOfFirst(whole(lists, partial), whole(lists, partial));
}

function sharesOfFirst(lists: readonly (readonly number[])[], atLeast: readonly (readonly number[])[]): number[] {
  const active = atLeast.reduce((sum, list) => sum + (list[0] ?? 0), 0);
  const length = lists[0]?.length ?? 0;
  return Array.from({ length }, (_, place) => share(lists.reduce((sum, list) => sum + (list[place] ?? 0), 0), active));
}

export function activePersons(lists: readonly (readonly number[])[]): number {
  return lists.reduce((sum, list) => sum + (list[0] ?? 0), 0);
}

export function stickinessTable(question: StickinessQuestion, answer: StickinessAnswer, locale?: string): Table {
  const days = answer.segments[0]?.buckets[0]?.exactly.length ?? 0;
  const names = Array.from({ length: days }, (_, index) => (index === 0 ? '1 day' : `${index + 1} days`));
  return {
    header: ['Segment', 'Time', 'Active', 'Mean day', ...names],
    rows: answer.segments.flatMap(({ segment, buckets }) =>
      buckets.map((bucket, index): Cell[] => [
        segmentName(question, segment, locale),
        bucketLong(answer.buckets[index] ?? '', question.unit, locale),
        bucket.at_least[0] ?? 0,
        bucket.ratio ?? null,
        ...bucket.exactly,
      ]),
    ),
  };
}

export function frequencyTable(question: FrequencyQuestion, answer: FrequencyAnswer, locale?: string): Table {
  const parts = answer.segments[0]?.at_least[0]?.length ?? 0;
  const names = Array.from({ length: parts }, (_, index) => `${index + 1}+ ${question.part}s`);
  return {
    header: ['Segment', 'Time', ...names],
    rows: answer.segments.flatMap(({ segment, at_least }) =>
      at_least.map((counts, index): Cell[] => [
        segmentName(question, segment, locale),
        bucketLong(answer.buckets[index] ?? '', question.unit, locale),
        ...counts,
      ]),
    ),
  };
}

/** How many parts are worth showing: up to the most that anybody reached. */
export function reachedParts(lists: readonly (readonly number[])[]): number {
  return lists.reduce((max, list) => Math.max(max, list.findLastIndex((count) => count > 0) + 1), 1);
}
