/** An answer of a funnel as steps with their conversion. */
import type { Durations, FunnelAnswer, FunnelQuestion, FunnelSegment } from '../api/types';
import { duration } from './format';
import { placeLabel } from './funnel_steps';
import { segmentLabel, type Table } from './insights';

export interface Step {
  label: string;
  count: number;
  /** Share of the first step, 0 … 1. */
  fromStart: number;
  /** Share of the step before; 1 for the first. */
  fromPrevious: number;
  lost: number;
  meanFromPrevious: number | null;
  /** Where the question asks for times. */
  timesFromPrevious: Durations | null;
  timesFromStart: Durations | null;
}

export interface Path {
  key: string;
  label: string;
  /** As the answer names it; empty for everybody. */
  segment: FunnelSegment['segment'];
  /** What is counted: `people`, `attempts`, `sessions`. */
  unit: string;
  steps: Step[];
  /** Share of the first step that reached the last. */
  conversion: number;
  meanToConvert: number | null;
}

export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

export type FunnelCount = NonNullable<FunnelQuestion['count']>;

const COUNTED: Record<FunnelCount, string> = { uniques: 'people', totals: 'attempts', sessions: 'sessions' };

export function funnelCount(question: FunnelQuestion): FunnelCount {
  return question.count ?? 'uniques';
}

/** Whether a question uses what most do not. */
export function isAdvanced(question: FunnelQuestion): boolean {
  return (
    funnelCount(question) !== 'uniques' ||
    question.attempt === 'first' ||
    (question.window_sessions ?? null) !== null ||
    (question.exclusions ?? []).length > 0 ||
    (question.hold ?? []).length > 0
  );
}

export function pathOf(question: FunnelQuestion, segment: FunnelSegment, locale?: string): Path {
  const first = segment.steps[0]?.count ?? 0;
  const steps = segment.steps.map((step, index) => {
    const before = index === 0 ? step.count : (segment.steps[index - 1]?.count ?? 0);
    return {
      label: placeLabel(question, index),
      count: step.count,
      fromStart: share(step.count, first),
      fromPrevious: share(step.count, before),
      lost: before - step.count,
      meanFromPrevious: step.mean_ms_from_previous ?? null,
      timesFromPrevious: step.times_from_previous ?? null,
      timesFromStart: step.times_from_start ?? null,
    };
  });
  const last = segment.steps.at(-1);
  const breakdown = question.breakdown === undefined ? [] : [question.breakdown];
  return {
    key: JSON.stringify(segment.segment),
    label: segment.segment.length === 0 ? 'Everybody' : segmentLabel(segment.segment, breakdown, locale),
    segment: segment.segment,
    unit: COUNTED[funnelCount(question)],
    steps,
    conversion: share(last?.count ?? 0, first),
    meanToConvert: last?.mean_ms_from_start ?? null,
  };
}

export function pathsOf(question: FunnelQuestion, answer: FunnelAnswer, locale?: string): Path[] {
  return answer.overall.map((segment) => pathOf(question, segment, locale));
}

/** Conversion over time, one line a segment; the same order as `overall`. */
export function trendOf(question: FunnelQuestion, answer: FunnelAnswer, locale?: string): { label: string; values: number[] }[] {
  return answer.overall.map((segment, index) => ({
    label: pathOf(question, segment, locale).label,
    values: answer.trend.map((bucket) => {
      const steps = bucket[index]?.steps ?? [];
      return share(steps.at(-1)?.count ?? 0, steps[0]?.count ?? 0);
    }),
  }));
}

export function funnelTable(question: FunnelQuestion, answer: FunnelAnswer, locale?: string): Table {
  const counted = COUNTED[funnelCount(question)];
  const withTimes = (question.times ?? null) !== null;
  return {
    header: [
      'Segment',
      'Step',
      'Event',
      counted.charAt(0).toUpperCase() + counted.slice(1),
      'Of first step',
      'Of step before',
      'Dropped',
      'Mean time',
      ...(withTimes ? ['Median time'] : []),
    ],
    rows: pathsOf(question, answer, locale).flatMap((path) =>
      path.steps.map((step, index) => [
        path.label,
        index + 1,
        step.label,
        step.count,
        round(step.fromStart),
        round(step.fromPrevious),
        step.lost,
        step.meanFromPrevious === null ? null : duration(step.meanFromPrevious),
        ...(withTimes ? [step.timesFromPrevious && duration(step.timesFromPrevious.median_ms)] : []),
      ]),
    ),
  };
}

/** The spans of a path that have times: the whole way first, then each step from the one before. */
export function timeChoices(path: Path): { label: string; times: Durations | null; count: number; unit: string }[] {
  const last = path.steps.length - 1;
  const whole = path.steps[last];
  const between = path.steps.slice(1).map((step, index) => ({
    label: `Step ${index + 1} to ${index + 2}`,
    times: step.timesFromPrevious,
    count: step.count,
    unit: path.unit,
  }));
  const all = { label: 'First to last step', times: whole?.timesFromStart ?? null, count: whole?.count ?? 0, unit: path.unit };
  return last > 1 ? [all, ...between] : [all];
}

/** `1 min – 2 min`, `under 1 s`, `180 d and more`. */
export function binLabel({ from_ms: from, to_ms: to }: { from_ms: number; to_ms?: number | null }): string {
  if (to === null || to === undefined) return `${duration(from)} and more`;
  return from === 0 ? `under ${duration(to)}` : `${duration(from)} – ${duration(to)}`;
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
