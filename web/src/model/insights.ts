/** An answer of numbers over time as lines, and as a table. */
import type { InsightsAnswer, InsightsQuestion, Series } from '../api/types';
import type { Table } from './csv';
import { bucketLong } from './dates';
import { metricLabel } from './definition';
import { propertyOf } from './expression';
import { propertyLabel, valueName } from './names';

export type { Table } from './csv';

export interface Line {
  /** The same for the same metric and segment, whatever the order. */
  key: string;
  label: string;
  metric: number;
  values: number[];
  total: number;
  previous?: number[];
  previousTotal?: number;
}

function keyOf({ metric, segment }: Series): string {
  return `${metric}:${JSON.stringify(segment)}`;
}

export function segmentLabel(segment: readonly unknown[], breakdown: readonly unknown[], locale?: string): string {
  return segment.map((part, index) => valueName(propertyOf(breakdown[index])?.name ?? null, part, locale)).join(' · ');
}

export function linesOf(question: InsightsQuestion, answer: InsightsAnswer, locale?: string): Line[] {
  const before = new Map((answer.previous?.series ?? []).map((series) => [keyOf(series), series]));
  return answer.series.map((series) => {
    const earlier = before.get(keyOf(series));
    return {
      key: keyOf(series),
      label: lineLabel(question, series, locale),
      metric: series.metric,
      values: series.values,
      total: series.total,
      ...(answer.previous ? { previous: earlier?.values ?? [], previousTotal: earlier?.total ?? 0 } : {}),
    };
  });
}

/** The name of a metric, told apart by its letter from another one of the same name. */
function metricName({ metrics }: InsightsQuestion, index: number): string {
  const names = metrics.map((metric) => metricLabel(metric) + (metric.filter ? ' (filtered)' : ''));
  const name = names[index] ?? `Metric ${index + 1}`;
  const letter = String.fromCharCode(65 + index);
  return names.indexOf(name) === names.lastIndexOf(name) ? name : `${letter}: ${name}`;
}

function lineLabel(question: InsightsQuestion, series: Series, locale?: string): string {
  const name = metricName(question, series.metric);
  if (series.segment.length === 0) return name;
  const segment = segmentLabel(series.segment, question.breakdown ?? [], locale);
  return question.metrics.length === 1 ? segment : `${segment} · ${name}`;
}

/** The whole answer, one row a line: the accessible form of the chart, and the download. */
export function insightsTable(question: InsightsQuestion, answer: InsightsAnswer, locale?: string): Table {
  const first = (question.breakdown ?? []).map((expression) => {
    const property = propertyOf(expression);
    return property ? propertyLabel(property) : String(expression);
  });
  const previous = answer.previous ? ['Period before'] : [];
  const lines = linesOf(question, answer, locale);
  return {
    header: [
      first.length > 0 ? first.join(' · ') : 'Metric',
      'Whole range',
      ...previous,
      ...answer.buckets.map((bucket) => bucketLong(bucket, question.unit, locale)),
    ],
    rows: lines.map((line) => [
      line.label,
      line.total,
      ...(answer.previous ? [line.previousTotal ?? 0] : []),
      ...line.values,
    ]),
  };
}
