import { describe, expect, it } from 'vitest';
import type {
  FlowAnswer,
  FlowQuestion,
  FrequencyAnswer,
  FrequencyQuestion,
  FunnelAnswer,
  FunnelQuestion,
  InsightsAnswer,
  InsightsQuestion,
  LifecycleAnswer,
  LifecycleQuestion,
  RetentionAnswer,
  RetentionQuestion,
  StickinessAnswer,
  StickinessQuestion,
} from '../api/types';
import { frequencyTable, lifecycleTable, stickinessTable } from './activity';
import {
  type BehindCell,
  BehindFlow,
  behindFlow,
  behindFrequency,
  behindFunnel,
  behindInsights,
  behindLifecycle,
  behindRetention,
  behindStickiness,
} from './behind';
import type { Table } from './csv';
import { newFunnel, newInsights, newLifecycle } from './definition';
import { flowTable, newFlow } from './flow';
import { funnelTable } from './funnel';
import { insightsTable } from './insights';

const LOCALE = 'en';

/** What opens at a row and the column of a name. */
function at({ header }: Table, behind: BehindCell, row: number, name: string) {
  const column = header.indexOf(name);
  expect(column, name).toBeGreaterThan(0);
  return behind(row, column);
}

describe('insights', () => {
  const question: InsightsQuestion = {
    ...newInsights('Buy'),
    metrics: [{ event: 'Buy', measure: 'unique' }, { event: 'Buy', measure: { sum: { property: 'price' } } }],
    formulas: [{ name: 'Each', formula: 'B / A' }],
    breakdown: ['properties["plan"]'],
    other: true,
    compare_previous: true,
    unit: 'day',
  };
  const line = (metric: number, segment: (string | null)[], other = false) => ({ metric, segment, other, values: [0, 4], total: 4 });
  const answer: InsightsAnswer = {
    buckets: ['2026-08-01', '2026-08-02'],
    series: [line(0, ['pro']), line(0, [], true), line(1, ['pro']), line(1, [], true), line(2, ['pro']), line(2, [], true)],
    segments_total: 3,
    previous: { buckets: ['2026-07-30', '2026-07-31'], series: [line(0, ['pro'])], segments_total: 3 },
  };
  const table = insightsTable(question, answer, LOCALE);
  const behind = behindInsights(question, answer, LOCALE);

  it('knows total, comparison and buckets by their columns', () => {
    expect(at(table, behind, 0, 'Whole range')?.choices[0]?.cell).toEqual({ kind: 'insights', metric: 0, segment: ['pro'] });
    expect(at(table, behind, 0, 'Period before')?.choices[0]?.cell).toEqual({ kind: 'insights', metric: 0, segment: ['pro'], previous: true });
    expect(behind(0, 4)?.choices[0]?.cell).toEqual({ kind: 'insights', metric: 0, bucket: 1, segment: ['pro'] });
    expect(behind(1, 1)?.choices[0]?.cell).toEqual({ kind: 'insights', metric: 0, other: true });
    expect(behind(0, 4)?.title).toContain('pro');
  });

  it('opens nothing where nobody is: zero counts, formulas, names', () => {
    expect(behind(0, 3)).toBeNull();
    expect(behind(2, 3)?.choices[0]?.cell).toMatchObject({ metric: 1, bucket: 0 });
    expect(behind(4, 1)).toBeNull();
    expect(behind(0, 0)).toBeNull();
    expect(behind(99, 1)).toBeNull();
  });
});

describe('funnels', () => {
  const question: FunnelQuestion = { ...newFunnel(['A', 'B']), breakdown: 'properties["plan"]' };
  const step = (count: number) => ({ count, persons: count });
  const answer = {
    overall: [
      { segment: [], steps: [step(5), step(2)] },
      { segment: ['pro'], steps: [step(3), step(0)] },
    ],
    buckets: [],
    trend: [],
    segments_total: 1,
  } as unknown as FunnelAnswer;
  const table = funnelTable(question, answer, LOCALE);
  const behind = behindFunnel(question, answer, LOCALE);

  it('knows who came to a step and who dropped off before it', () => {
    expect(at(table, behind, 0, 'People')?.choices[0]?.cell).toEqual({ kind: 'funnel', step: 0, side: 'reached', segment: [] });
    const dropped = at(table, behind, 3, 'Dropped');
    expect(dropped?.choices[0]?.cell).toEqual({ kind: 'funnel', step: 0, side: 'dropped_off', segment: ['pro'] });
    expect(dropped?.title).toContain('pro');
    expect(at(table, behind, 3, 'People')).toBeNull();
    expect(at(table, behind, 0, 'Dropped')).toBeNull();
    expect(at(table, behind, 0, 'Of first step')).toBeNull();
  });
});

describe('retention', () => {
  const question = { kind: 'retention', born: {}, returning: {}, unit: 'week', intervals: 2 } as RetentionQuestion;
  const cohorts = [
    { born: 4, returned: [3, 0], complete: 2 },
    { born: 0, returned: [0], complete: 1 },
  ];
  const segment = { segment: ['pro'], cohorts, curve: [] };
  const answer: RetentionAnswer = { buckets: ['2026-08-03', '2026-08-10'], segments: [segment], segments_total: 1 };
  const behind = behindRetention(question, answer, segment, 'pro', LOCALE);

  it('offers who came back and who did not', () => {
    const cell = { kind: 'retention', bucket: 0, segment: ['pro'] };
    expect(behind(0, null)?.choices.map(({ cell }) => cell)).toEqual([cell]);
    expect(behind(0, 0)?.choices.map(({ cell }) => cell)).toEqual([
      { ...cell, interval: 0, side: 'returned' },
      { ...cell, interval: 0, side: 'not_returned' },
    ]);
    expect(behind(0, 0)?.title).toMatch(/Week 0.*pro/);
    // Nobody came back: the others first.
    expect(behind(0, 1)?.choices[0]?.cell).toMatchObject({ interval: 1, side: 'not_returned' });
  });

  it('opens nothing where nobody was born or the interval has not begun', () => {
    expect(behind(0, 2)).toBeNull();
    expect(behind(1, null)).toBeNull();
    expect(behind(1, 0)).toBeNull();
    expect(behind(2, 0)).toBeNull();
  });
});

describe('activity', () => {
  const buckets = ['2026-08-03', '2026-08-10'];

  it('knows the stages of a lifecycle', () => {
    const question: LifecycleQuestion = { ...newLifecycle('A'), unit: 'week' };
    const bucket = { new: 1, returning: 2, resurrected: 0, dormant: 3 };
    const answer: LifecycleAnswer = {
      buckets,
      partial: [false, false],
      segments: [{ segment: [], buckets: [bucket, bucket] }, { segment: ['x'], buckets: [bucket, bucket] }],
      segments_total: 1,
    };
    const table = lifecycleTable(question, answer, LOCALE);
    const behind = behindLifecycle(question, answer, LOCALE);
    expect(at(table, behind, 3, 'Dormant')?.choices[0]?.cell).toEqual({ kind: 'lifecycle', bucket: 1, stage: 'dormant', segment: ['x'] });
    expect(at(table, behind, 0, 'New')?.choices[0]?.cell).toMatchObject({ bucket: 0, stage: 'new' });
    expect(at(table, behind, 0, 'Returning')?.choices[0]?.cell).toMatchObject({ stage: 'returning' });
    for (const name of ['Resurrected', 'Active', 'Change']) expect(at(table, behind, 0, name), name).toBeNull();
  });

  it('knows the days of stickiness', () => {
    const question = { kind: 'stickiness', active: {}, unit: 'week' } as StickinessQuestion;
    const bucket = { exactly: [0, 2, 0, 0, 0, 0, 0], at_least: [2, 2, 0, 0, 0, 0, 0], ratio: 0.2 };
    const answer: StickinessAnswer = {
      buckets,
      partial: [false, false],
      days: [7, 7],
      segments: [{ segment: [], buckets: [bucket, bucket] }],
      segments_total: 0,
    };
    const table = stickinessTable(question, answer, LOCALE);
    const behind = behindStickiness(question, answer, LOCALE);
    expect(at(table, behind, 1, 'Active')?.choices[0]?.cell).toMatchObject({ bucket: 1, days: 1, count: 'at_least' });
    expect(at(table, behind, 0, '2 days')?.choices[0]?.cell).toMatchObject({ bucket: 0, days: 2, count: 'exactly' });
    expect(at(table, behind, 0, '1 day')).toBeNull();
    expect(at(table, behind, 0, 'Mean day')).toBeNull();
  });

  it('knows the parts of frequency', () => {
    const question = { kind: 'frequency', active: {}, unit: 'day', part: 'hour' } as FrequencyQuestion;
    const answer: FrequencyAnswer = {
      buckets,
      partial: [false, false],
      segments: [{ segment: [], at_least: [[3, 1], [0, 0]] }],
      segments_total: 0,
    };
    const table = frequencyTable(question, answer, LOCALE);
    const behind = behindFrequency(question, answer, LOCALE);
    expect(at(table, behind, 0, '2+ hours')?.choices[0]?.cell).toMatchObject({ kind: 'frequency', bucket: 0, at_least: 2 });
    expect(at(table, behind, 0, '2+ hours')?.title).toContain('at least 2 hours');
    expect(at(table, behind, 1, '1+ hours')).toBeNull();
  });
});

describe('flows', () => {
  const question: FlowQuestion = newFlow(['Visit']);
  const none = { count: 0, persons: 0 };
  const node = (event: string | null, count: number, ends = none) => ({
    kind: event === null ? ('other' as const) : ('event' as const),
    ...(event === null ? {} : { event }),
    stands_for: event === null ? 2 : 0,
    count,
    persons: count,
    began: none,
    dropped_off: ends,
    window_ended: none,
  });
  const visit = { column: 0, kind: 'event' as const, event: 'Visit' };
  const answer: FlowAnswer = {
    columns: [
      { part: 'anchor', anchor: 0, distance: 0 },
      { part: 'after', anchor: 0, distance: 1 },
    ],
    segments: [
      {
        segment: [],
        complete: { count: 5, persons: 5 },
        incomplete: none,
        steps: [
          { reached: { count: 5, persons: 5 }, nodes: [node('Visit', 5, { count: 1, persons: 1 })] },
          { reached: { count: 4, persons: 4 }, nodes: [node('Buy', 3), node(null, 1)] },
        ],
        links: [{ from: { column: 0, node: 0 }, to: { column: 1, node: 1 }, count: 1, persons: 1 }],
        paths: [{ steps: [visit, { column: 1, kind: 'event', event: 'Buy' }], count: 3, persons: 3, dropped_off: none, window_ended: none }],
        paths_total: 3,
      },
    ],
    segments_total: 0,
  };
  const table = flowTable(question, answer, LOCALE);
  const behind = behindFlow(question, answer, LOCALE);

  it('names nodes and links by what they are', () => {
    expect(at(table, behind, 0, 'Count')?.choices[0]?.cell).toEqual({ kind: 'flow', number: { node: { at: visit, side: 'through' } }, segment: [] });
    expect(at(table, behind, 0, 'Dropped off')?.choices[0]?.cell).toMatchObject({ number: { node: { side: 'dropped_off' } } });
    expect(at(table, behind, 0, 'Dropped off')?.title).toMatch(/^Dropped off after Visit/);
    expect(at(table, behind, 2, 'People')?.choices[0]?.cell).toMatchObject({ number: { node: { at: { column: 1, kind: 'other' } } } });
    const link = at(table, behind, 3, 'Count');
    expect(link?.choices[0]?.cell).toMatchObject({ number: { link: { from: visit, to: { column: 1, kind: 'other' } } } });
    expect(link?.title).toBe('Visit → Other (2)');
    expect(at(table, behind, 3, 'Dropped off')).toBeNull();
    expect(at(table, behind, 1, 'Began')).toBeNull();
  });

  it('names whole paths', () => {
    const [segment] = answer.segments;
    if (!segment) throw new Error('there is one');
    const flow = new BehindFlow(question, answer, segment, LOCALE);
    expect(flow.path(0)).toMatchObject({ title: 'Visit → Buy', choices: [{ cell: { number: { path: { steps: segment.paths[0]?.steps } } } }] });
    expect(flow.path(1)).toBeNull();
    expect(flow.all('incomplete').choices[0]?.cell).toEqual({ kind: 'flow', number: 'incomplete', segment: [] });
  });
});
