/** An answer of numbers over time as lines, and as a table. */
import type { InsightsAnswer, InsightsQuestion, Series } from '../api/types';
import type { Table } from './csv';
import { breakdownValue } from './breakdown';
import { bucketLong } from './dates';
import { isAdditive, isCount, letter, metricLabel } from './definition';
import { propertyOf } from './expression';
import { plural } from './format';
import { partName, propertyLabel } from './names';

export type { Table } from './csv';

export interface Line {
  /** The same for the same metric and segment, whatever the order. */
  key: string;
  label: string;
  /** Index of the metric; formulas go on behind. */
  metric: number;
  /** `null` where a formula has no result. */
  values: (number | null)[];
  total: number | null;
  previous?: (number | null)[];
  previousTotal?: number | null;
}

function keyOf({ metric, segment, other }: Series): string {
  return `${metric}:${other ? 'other' : JSON.stringify(segment)}`;
}

/** Server types leave out what is absent. */
function number(value: number | null | undefined): number | null {
  return value ?? null;
}

export function segmentLabel(segment: readonly unknown[], breakdown: readonly unknown[], locale?: string): string {
  return segment
    .map((part, index) => partName(propertyOf(breakdownValue(breakdown[index])), part, locale))
    .join(' · ');
}

export function linesOf(question: InsightsQuestion, answer: InsightsAnswer, locale?: string): Line[] {
  const before = new Map((answer.previous?.series ?? []).map((series) => [keyOf(series), series]));
  return answer.series.map((series) => {
    const earlier = before.get(keyOf(series));
    return {
      key: keyOf(series),
      label: lineLabel(question, series, locale),
      metric: series.metric,
      values: series.values.map(number),
      total: number(series.total),
      ...(answer.previous ? { previous: earlier?.values.map(number) ?? [], previousTotal: earlier ? number(earlier.total) : 0 } : {}),
    };
  });
}

/** The name of a metric, told apart by its letter from another one of the same name; or of a formula. */
function metricName({ metrics, formulas = [] }: InsightsQuestion, index: number): string {
  const formula = formulas[index - metrics.length];
  if (formula) return formula.name || formula.formula;
  const names = metrics.map((metric) => metricLabel(metric) + (metric.filter ? ' (filtered)' : ''));
  const name = names[index] ?? `Metric ${index + 1}`;
  return names.indexOf(name) === names.lastIndexOf(name) ? name : `${letter(index)}: ${name}`;
}

/** How many metrics and formulas the answer shows. */
export function shownCount({ metrics, formulas = [] }: InsightsQuestion): number {
  return metrics.filter(({ hidden }) => !hidden).length + formulas.length;
}

/** How numbers of a question are drawn: whether buckets may be stacked and added, and whether they are parts of whole ones. */
export function shapeOf(question: InsightsQuestion): { additive: boolean; fraction: boolean } {
  const shown = question.metrics.filter(({ hidden }) => !hidden);
  const counted = (question.formulas ?? []).length === 0;
  return {
    additive: counted && !question.cumulative && !question.rolling && shown.every(({ measure }) => isAdditive(measure)),
    fraction: !counted || shown.some(({ measure }) => !isCount(measure)),
  };
}

function lineLabel(question: InsightsQuestion, series: Series, locale?: string): string {
  const name = metricName(question, series.metric);
  if (series.segment.length === 0 && !series.other) return name;
  const segment = series.other ? 'All others' : segmentLabel(series.segment, question.breakdown ?? [], locale);
  return shownCount(question) === 1 ? segment : `${segment} · ${name}`;
}

/** What the answer is compared to, in a few words. */
export function comparedLabel({ compare }: InsightsQuestion): string {
  if (!compare) return 'Period before';
  if ('where' in compare) return 'Filtered';
  const { count, unit } = compare.shift;
  return `${plural(count, unit)} before`;
}

/** The whole answer, one row a line: the accessible form of the chart, and the download. */
export function insightsTable(question: InsightsQuestion, answer: InsightsAnswer, locale?: string): Table {
  const first = (question.breakdown ?? []).map((expression) => {
    const value = breakdownValue(expression);
    const property = propertyOf(value);
    return property ? propertyLabel(property) : String(value);
  });
  const previous = answer.previous ? [comparedLabel(question)] : [];
  const lines = linesOf(question, answer, locale);
  return {
    header: [
      first.length > 0 ? first.join(' · ') : 'Metric',
      'Whole range',
      ...previous,
      ...answer.buckets.map((bucket, index) => bucketLong(bucket, question.unit, locale) + (answer.partial?.[index] ? ' (in part)' : '')),
    ],
    rows: lines.map((line) => [
      line.label,
      line.total,
      ...(answer.previous ? [line.previousTotal ?? null] : []),
      ...line.values,
    ]),
  };
}
