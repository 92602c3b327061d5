/** What people saved: who made it, finding it, and the ranges of saved reports and boards. */
import type { BoardRange, Report, SavedReport } from '../api/types';
import { type Days, PRESETS, type RangeChoice } from './dates';
import type { ChartKind, ReportState } from './url_state';

/** `account:1` as a person reads it. */
export function who(actor: string): string {
  return actor
    .replace(/^account:/, 'Account ')
    .replace(/^service_account:/, 'Service ')
    .replace(/^api_secret:.*/, 'API secret');
}

/** Whether all words are somewhere in the texts, in any case; the server searches alike. */
export function contains(words: string, texts: readonly string[]): boolean {
  const text = texts.join('\n').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Days of a range that moves with the calendar; `undefined` for one that stays. */
export function lastDays(range: RangeChoice): number | undefined {
  return PRESETS.find(({ value }) => value === range)?.days;
}

/** The choice of a saved report: the moving range it was saved with, if the app knows it, or its days. */
export function rangeChoice(days: Days, moving: number | null | undefined): RangeChoice {
  return PRESETS.find((preset) => preset.days === moving)?.value ?? days;
}

/** What the builder shows of a saved report. */
export function stateOf({ report, last_days, chart }: SavedReport): ReportState {
  return {
    range: rangeChoice(report.range, last_days),
    chart: (chart as ChartKind | null | undefined) ?? 'line',
    ...(typeof report.filter === 'string' ? { filter: report.filter } : {}),
    question: report.question,
  };
}

export function boardRange(range: RangeChoice): BoardRange {
  return typeof range === 'string' ? { last_days: lastDays(range) ?? 30 } : range;
}

/** The choice of a board; a number of days that no preset has becomes the days that it means today. */
export function choiceOfBoard(range: BoardRange | null | undefined, daysUntilToday: (days: number) => Days): RangeChoice | null {
  if (!range) return null;
  if (!('last_days' in range)) return range;
  return PRESETS.find((preset) => preset.days === range.last_days)?.value ?? daysUntilToday(range.last_days);
}

/** What a kind of report is called. A new kind is a line here. */
export const KINDS: Record<Report['question']['kind'], { label: string }> = {
  insights: { label: 'Insights' },
  funnel: { label: 'Funnel' },
  retention: { label: 'Retention' },
  lifecycle: { label: 'Lifecycle' },
  stickiness: { label: 'Stickiness' },
  flow: { label: 'Flow' },
  frequency: { label: 'Frequency' },
};

export function kindOf(saved: SavedReport): { label: string } {
  return KINDS[saved.report.question.kind];
}
