/** Building report definitions: what a new one looks like, and the small edits that keep it valid. */
import type {
  FrequencyQuestion,
  FunnelQuestion,
  InsightsQuestion,
  LifecycleQuestion,
  Measure,
  Metric,
  Question,
  Report,
  RetentionQuestion,
  StepSelector,
  StickinessQuestion,
  Unit,
} from '../api/types';
import { type PropertyRef, propertyOf, propertyText } from './expression';
import { eventName, propertyLabel } from './names';
import type { Days } from './dates';

export type MeasureKind =
  | 'unique'
  | 'active'
  | 'total'
  | 'per_person'
  | 'frequency'
  | 'sessions'
  | 'sum'
  | 'mean'
  | 'median'
  | 'percentile'
  | 'min'
  | 'max'
  | 'distinct';

export const MEASURE_LABELS: Record<MeasureKind, string> = {
  unique: 'People',
  active: 'Active people',
  total: 'Events',
  per_person: 'Events per person',
  frequency: 'Events of a person',
  sessions: 'Sessions',
  sum: 'Sum of',
  mean: 'Mean of',
  median: 'Median of',
  percentile: 'Percentile of',
  min: 'Smallest',
  max: 'Largest',
  distinct: 'Distinct values of',
};

const OF_PROPERTY: readonly MeasureKind[] = ['sum', 'mean', 'median', 'percentile', 'min', 'max', 'distinct'];

/** What one more number says about a measure: days of activity, an aggregate over people, a percentile. */
export type Aggregate = Extract<Measure, { frequency: unknown }>['frequency']['aggregate'];

export const ACTIVE_LABELS: readonly { days: number; label: string }[] = [
  { days: 1, label: 'on the day' },
  { days: 7, label: 'in 7 days' },
  { days: 30, label: 'in 30 days' },
];

export function measureKind(measure: Measure): MeasureKind {
  return typeof measure === 'string' ? measure : (Object.keys(measure)[0] as MeasureKind);
}

export function needsProperty(kind: MeasureKind): boolean {
  return OF_PROPERTY.includes(kind);
}

export function measureProperty(measure: Measure): PropertyRef | null {
  if (typeof measure === 'string' || !needsProperty(measureKind(measure))) return null;
  const [inner] = Object.values(measure) as { property: unknown }[];
  return propertyOf(inner?.property);
}

/** A measure of a kind, with the first choice for everything else that it asks for. */
export function measureOf(kind: MeasureKind, property: PropertyRef | null): Measure {
  const expression = { property: property ? propertyText(property) : '' };
  switch (kind) {
    case 'sum':
      return { sum: expression };
    case 'mean':
      return { mean: expression };
    case 'median':
      return { median: expression };
    case 'percentile':
      return { percentile: { ...expression, percentile: 90 } };
    case 'min':
      return { min: expression };
    case 'max':
      return { max: expression };
    case 'distinct':
      return { distinct: expression };
    case 'active':
      return { active: { days: 7 } };
    case 'frequency':
      return { frequency: { aggregate: 'median' } };
    default:
      return kind;
  }
}

/** Whether the buckets of a measure may be added up. Persons may not: one person can be in several. */
export function isAdditive(measure: Measure): boolean {
  const kind = measureKind(measure);
  return kind === 'total' || kind === 'sum' || kind === 'sessions';
}

/** Whether a measure only ever has whole numbers. */
export function isCount(measure: Measure): boolean {
  return ['total', 'unique', 'active', 'sessions', 'distinct'].includes(measureKind(measure));
}

export function aggregateLabel(aggregate: Aggregate): string {
  if (typeof aggregate === 'object') return `percentile ${aggregate.percentile}`;
  return { mean: 'mean', median: 'median', min: 'fewest', max: 'most' }[aggregate];
}

export function measureLabel(measure: Measure): string {
  const kind = measureKind(measure);
  const property = measureProperty(measure);
  if (typeof measure === 'object') {
    if ('active' in measure) {
      const { days } = measure.active;
      return `${MEASURE_LABELS.active} ${ACTIVE_LABELS.find((known) => known.days === days)?.label ?? `in ${days} days`}`;
    }
    if ('frequency' in measure) return `${MEASURE_LABELS.frequency}, ${aggregateLabel(measure.frequency.aggregate)}`;
    if ('percentile' in measure) return `Percentile ${measure.percentile.percentile} of ${property ? propertyLabel(property) : '…'}`;
  }
  if (!needsProperty(kind)) return MEASURE_LABELS[kind];
  return `${MEASURE_LABELS[kind]} ${property ? propertyLabel(property) : '…'}`;
}

export function metricLabel(metric: Metric): string {
  return `${eventName(metric.event)} · ${measureLabel(metric.measure)}`;
}

/** A metric that cannot be asked yet: its measure lacks the property. */
export function isMetricComplete(metric: Metric): boolean {
  return !needsProperty(measureKind(metric.measure)) || measureProperty(metric.measure) !== null;
}

export const SEGMENTS_SHOWN = 25;
const DAY_MS = 86_400_000;

export function newInsights(event: string | null, unit: Unit = 'day'): InsightsQuestion {
  return {
    kind: 'insights',
    metrics: [{ event, measure: 'unique' }],
    unit,
    breakdown: [],
    limit: SEGMENTS_SHOWN,
    other: true,
    compare_previous: false,
  };
}

/** A, B, C … */
export function letter(index: number): string {
  return String.fromCharCode(65 + index);
}

/** Whether everything is there that the question needs before it can be asked. */
export function isInsightsComplete({ metrics, formulas = [] }: InsightsQuestion): boolean {
  return metrics.every(isMetricComplete) && formulas.every(({ formula }) => formula.trim() !== '') && (formulas.length > 0 || metrics.some(({ hidden }) => !hidden));
}

export function newFunnel(events: readonly string[]): FunnelQuestion {
  const steps: StepSelector[] = events.slice(0, 3).map((event) => ({ event }));
  while (steps.length < 2) steps.push({ event: events[0] ?? null });
  return { kind: 'funnel', steps, window_ms: 7 * DAY_MS, tie_ms: 2_000, attempt: 'furthest', limit: 6 };
}

export function newRetention(event: string | null): RetentionQuestion {
  return {
    kind: 'retention',
    born: { event },
    returning: {},
    unit: 'week',
    intervals: 8,
    interval_rule: 'rolling',
    cohorts: 'birth',
    on_or_after: false,
    limit: 6,
  };
}

export function newFrequency(event: string | null): FrequencyQuestion {
  return { kind: 'frequency', active: { event }, unit: 'day', part: 'hour', limit: 6 };
}

export function newStickiness(event: string | null): StickinessQuestion {
  return { kind: 'stickiness', active: { event }, unit: 'week', limit: 6 };
}

export function newLifecycle(event: string | null): LifecycleQuestion {
  return { kind: 'lifecycle', active: { event }, unit: 'week', limit: 6 };
}

export function reportOf(question: Question, range: Days, filter: string | undefined, timezone?: string): Report {
  return { version: 1, range, ...(timezone ? { timezone } : {}), ...(filter ? { filter } : {}), question };
}
