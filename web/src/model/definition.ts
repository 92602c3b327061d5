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

export type MeasureKind = 'total' | 'unique' | 'per_person' | 'sum' | 'mean' | 'min' | 'max';

export const MEASURE_LABELS: Record<MeasureKind, string> = {
  unique: 'People',
  total: 'Events',
  per_person: 'Events per person',
  sum: 'Sum of',
  mean: 'Mean of',
  min: 'Smallest',
  max: 'Largest',
};

export function measureKind(measure: Measure): MeasureKind {
  return typeof measure === 'string' ? measure : (Object.keys(measure)[0] as MeasureKind);
}

export function needsProperty(kind: MeasureKind): boolean {
  return kind === 'sum' || kind === 'mean' || kind === 'min' || kind === 'max';
}

export function measureProperty(measure: Measure): PropertyRef | null {
  if (typeof measure === 'string') return null;
  const [inner] = Object.values(measure) as { property: unknown }[];
  return propertyOf(inner?.property);
}

export function measureOf(kind: MeasureKind, property: PropertyRef | null): Measure {
  const expression = { property: property ? propertyText(property) : '' };
  switch (kind) {
    case 'sum':
      return { sum: expression };
    case 'mean':
      return { mean: expression };
    case 'min':
      return { min: expression };
    case 'max':
      return { max: expression };
    default:
      return kind;
  }
}

/** Whether the buckets of a measure may be added up. Persons may not: one person can be in several. */
export function isAdditive(measure: Measure): boolean {
  const kind = measureKind(measure);
  return kind === 'total' || kind === 'sum';
}

export function measureLabel(measure: Measure): string {
  const kind = measureKind(measure);
  const property = measureProperty(measure);
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
    compare_previous: false,
  };
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
