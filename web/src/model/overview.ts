/** The questions of the overview, and what its tiles show. */
import type { InsightsAnswer, Metric, Report, Unit } from '../api/types';
import { type Days, daysBetween, unitFor } from './dates';
import { propertyText } from './expression';
import { change } from './format';
import { eventName, valueName } from './names';

export const PAGE_VIEW = '$mp_web_page_view';
const ROWS = 8;

export interface Tile {
  label: string;
  explanation: string;
  total: number;
  values: number[];
  previous: number[];
  /** Against the period before; `null` without one. */
  change: number | null;
}

export interface Figure {
  label: string;
  explanation: string;
  metric: Metric;
}

/** What the tiles count. Where no pages are viewed, the most frequent event stands in their place. */
export function figures(events: readonly string[]): Figure[] {
  const main = events.includes(PAGE_VIEW) ? PAGE_VIEW : events[0];
  const views: Figure = {
    label: main === PAGE_VIEW ? 'Page views' : eventName(main),
    explanation: `Events “${eventName(main)}”`,
    metric: { ...(main === undefined ? {} : { event: main }), measure: 'total' },
  };
  return [
    { label: 'People', explanation: 'Distinct persons with any event', metric: { measure: 'unique' } },
    ...(main === undefined ? [] : [views]),
    { label: 'All events', explanation: 'Also those of nobody', metric: { measure: 'total' } },
    { label: 'Events per person', explanation: 'Events of persons by distinct persons', metric: { measure: 'per_person' } },
  ];
}

export function overviewUnit(range: Days): Unit {
  return unitFor(daysBetween(range));
}

export function tilesReport(range: Days, filter: string | undefined, shown: readonly Figure[]): Report {
  return {
    version: 1,
    range,
    ...(filter ? { filter } : {}),
    question: { kind: 'insights', metrics: shown.map(({ metric }) => metric), unit: overviewUnit(range), compare_previous: true },
  };
}

export function tilesOf(shown: readonly Figure[], answer: InsightsAnswer): Tile[] {
  return shown.map(({ label, explanation }, metric) => {
    const now = answer.series.find((series) => series.metric === metric);
    const before = answer.previous?.series.find((series) => series.metric === metric);
    return {
      label,
      explanation,
      total: now?.total ?? 0,
      values: (now?.values ?? []).map((value) => value ?? 0),
      previous: (before?.values ?? []).map((value) => value ?? 0),
      change: change(now?.total ?? 0, before?.total ?? 0),
    };
  });
}

/** People by the values of one property; one bucket is enough, only totals are shown. */
export function topReport(range: Days, filter: string | undefined, property: string, onlySet = false): Report {
  const name = propertyText({ scope: 'properties', name: property });
  return {
    version: 1,
    range,
    ...(filter ? { filter } : {}),
    question: {
      kind: 'insights',
      metrics: [{ ...(onlySet ? { filter: `defined(${name})` } : {}), measure: 'unique' }],
      unit: 'quarter',
      breakdown: [name],
      limit: ROWS,
    },
  };
}

/** Totals of the most frequent events so far; which of them lead in this range the answer tells. */
export function topEventsReport(range: Days, filter: string | undefined, events: readonly string[]): Report {
  return {
    version: 1,
    range,
    ...(filter ? { filter } : {}),
    question: { kind: 'insights', metrics: events.slice(0, 20).map((event) => ({ event, measure: 'total' })), unit: 'quarter' },
  };
}

export interface TopRow {
  key: string;
  label: string;
  value: number;
  /** The value to filter by; `null` where it is not set. */
  raw: string | null;
}

export function topRows(property: string, answer: InsightsAnswer, locale?: string): TopRow[] {
  return answer.series
    .map(({ segment, total }) => ({
      key: JSON.stringify(segment),
      label: segment[0] === null ? '(not set)' : valueName(property, segment[0], locale),
      value: total ?? 0,
      raw: typeof segment[0] === 'string' ? segment[0] : null,
    }))
    .filter((row) => row.value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, ROWS);
}
