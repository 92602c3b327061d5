/**
 * A report in the address, so that a link shows the same thing to somebody else.
 *
 * It lives in the fragment, which a browser never sends: filter values stay out of every access log. The range is kept
 * as it was chosen, so that "30 days" in a link means the last 30 days of whoever opens it.
 */
import { isRecord } from '../api/json';
import type { Question } from '../api/types';
import { type RangeChoice, PRESETS, isDay } from './dates';

export type ChartKind = 'line' | 'columns' | 'ranking';

export interface ReportState<Q extends Question = Question> {
  range: RangeChoice;
  chart: ChartKind;
  filter?: string;
  question: Q;
}

const CHARTS: ChartKind[] = ['line', 'columns', 'ranking'];

export function encodeState(state: ReportState): string {
  const chart = state.chart === 'line' ? '' : `&chart=${state.chart}`;
  return `range=${rangeParameter(state.range)}${chart}&q=${toBase64({ filter: state.filter, question: state.question })}`;
}

/** The state that a fragment holds; `null` when it holds none, or one of another kind of report. */
export function decodeState<K extends Question['kind']>(
  fragment: string,
  kind: K,
): ReportState<Extract<Question, { kind: K }>> | null {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  const range = rangeOf(parameters.get('range') ?? '');
  const content = fromBase64(parameters.get('q') ?? '');
  if (!range || !isRecord(content) || !isRecord(content.question) || content.question.kind !== kind) return null;
  const chart = CHARTS.find((name) => name === parameters.get('chart')) ?? 'line';
  const filter = typeof content.filter === 'string' ? content.filter : undefined;
  // The server checks every definition; here only what the screen itself relies on.
  const question = content.question as Extract<Question, { kind: K }>;
  return hasParts(question) ? { range, chart, filter, question } : null;
}

function hasParts(question: Question): boolean {
  switch (question.kind) {
    case 'insights':
      return Array.isArray(question.metrics) && question.metrics.length > 0 && question.metrics.every(isRecord);
    case 'funnel':
      return Array.isArray(question.steps) && question.steps.length > 1 && question.steps.every(isRecord);
    case 'flow':
      return Array.isArray(question.anchors) && question.anchors.length > 0 && question.anchors.every(isRecord);
    case 'retention':
      return isRecord(question.born) && isRecord(question.returning);
    case 'frequency':
    case 'stickiness':
    case 'lifecycle':
      return isRecord(question.active);
  }
}

export function rangeParameter(range: RangeChoice): string {
  return typeof range === 'string' ? range : `${range.from}..${range.to}`;
}

export function rangeOf(text: string): RangeChoice | null {
  const preset = PRESETS.find(({ value }) => value === text);
  if (preset) return preset.value;
  const [from = '', to = ''] = text.split('..');
  return isDay(from) && isDay(to) && from <= to ? { from, to } : null;
}

function toBase64(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64(text: string): unknown {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
  } catch {
    return null;
  }
}
