/** An answer of a funnel as steps with their conversion. */
import type { EventSelector, FunnelAnswer, FunnelQuestion, FunnelSegment } from '../api/types';
import { duration } from './format';
import { segmentLabel, type Table } from './insights';
import { eventName } from './names';

export interface Step {
  label: string;
  count: number;
  /** Share of the first step, 0 … 1. */
  fromStart: number;
  /** Share of the step before; 1 for the first. */
  fromPrevious: number;
  lost: number;
  meanFromPrevious: number | null;
}

export interface Path {
  key: string;
  label: string;
  steps: Step[];
  /** Share of the first step that reached the last. */
  conversion: number;
  meanToConvert: number | null;
}

export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

export function stepLabel(selector: EventSelector | undefined): string {
  return eventName(selector?.event);
}

export function pathOf(question: FunnelQuestion, segment: FunnelSegment, locale?: string): Path {
  const first = segment.steps[0]?.count ?? 0;
  const steps = segment.steps.map((step, index) => {
    const before = index === 0 ? step.count : (segment.steps[index - 1]?.count ?? 0);
    return {
      label: stepLabel(question.steps[index]),
      count: step.count,
      fromStart: share(step.count, first),
      fromPrevious: share(step.count, before),
      lost: before - step.count,
      meanFromPrevious: step.mean_ms_from_previous ?? null,
    };
  });
  const last = segment.steps.at(-1);
  const breakdown = question.breakdown === undefined ? [] : [question.breakdown];
  return {
    key: JSON.stringify(segment.segment),
    label: segment.segment.length === 0 ? 'Everybody' : segmentLabel(segment.segment, breakdown, locale),
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
  return {
    header: ['Segment', 'Step', 'Event', 'People', 'Of first step', 'Of step before', 'Dropped', 'Mean time'],
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
      ]),
    ),
  };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
