/** Definitions of cohorts as the builder edits them. */
import type { CohortDefinition, CohortRule } from '../api/types';

export type RuleKind = CohortRule['kind'];

export const RULE_LABELS: Record<RuleKind, string> = {
  did: 'Did something',
  sequence: 'Did things in order',
  profile: 'Has a profile',
  cohort: 'Is in a cohort',
  persons: 'Is on a list',
  cell: 'Is behind a report’s number',
  all: 'All of …',
  any: 'Any of …',
  not: 'Not …',
};

/** The kinds that the builder can begin; a number of a report is saved from the report. */
export const NEW_KINDS: RuleKind[] = ['did', 'sequence', 'profile', 'cohort', 'persons', 'all', 'any', 'not'];

const DAY_MS = 86_400_000;

export function newRule(kind: RuleKind): CohortRule {
  switch (kind) {
    case 'sequence':
      return { kind, steps: [{}, {}], window_ms: 7 * DAY_MS, when: { last_days: 30 } };
    case 'profile':
      return { kind, filter: 'true' };
    case 'cohort':
      return { kind, cohort: 0 };
    case 'persons':
      return { kind, persons: [] };
    case 'all':
    case 'any':
      return { kind, rules: [newRule('did')] };
    case 'not':
      return { kind, rule: newRule('did') };
    default:
      return { kind: 'did', events: {}, count: { at_least: 1 }, when: { last_days: 30 } };
  }
}

export function newCohort(): CohortDefinition {
  return { rule: { kind: 'all', rules: [newRule('did')] } };
}

export type CountKind = 'at_least' | 'at_most' | 'exactly';
export const COUNT_LABELS: Record<CountKind, string> = { at_least: 'at least', at_most: 'at most', exactly: 'exactly' };

type Did = Extract<CohortRule, { kind: 'did' }>;

export function countParts(count: Did['count']): { kind: CountKind; times: number } {
  if ('at_least' in count) return { kind: 'at_least', times: count.at_least };
  if ('at_most' in count) return { kind: 'at_most', times: count.at_most };
  return { kind: 'exactly', times: count.exactly };
}

export function countOf(kind: CountKind, times: number): Did['count'] {
  const whole = Math.max(0, Math.round(times) || 0);
  if (kind === 'at_least') return { at_least: whole };
  return kind === 'at_most' ? { at_most: whole } : { exactly: whole };
}

/** The numbers of a list as somebody pastes them: split by whatever is no digit. */
export function numbersOf(text: string): number[] {
  const numbers = text.split(/[^\d]+/).filter((part) => part !== '');
  return [...new Set(numbers.map(Number).filter((number) => Number.isSafeInteger(number) && number > 0))];
}
