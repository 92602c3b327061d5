import { describe, expect, it } from 'vitest';
import type { FunnelAnswer, FunnelQuestion, InsightsAnswer, InsightsQuestion, RetentionAnswer, RetentionQuestion } from '../api/types';
import {
  MEASURE_LABELS,
  type MeasureKind,
  isAdditive,
  isInsightsComplete,
  isMetricComplete,
  measureKind,
  measureLabel,
  measureOf,
  metricLabel,
  newFunnel,
  newInsights,
  newLifecycle,
} from './definition';
import { funnelTable, pathsOf, trendOf } from './funnel';
import { insightsTable, linesOf } from './insights';
import { figures, tilesOf, topRows } from './overview';
import { atLeastShares, exactlyShares, lifecycleTable, reachedParts, stageValues } from './activity';
import { curvesOf, intervalLabel, retentionTable, sharesOf } from './retention';

describe('insights', () => {
  const question: InsightsQuestion = {
    ...newInsights('Signed Up'),
    breakdown: ['properties["mp_country_code"]'],
    compare_previous: true,
  };
  const answer: InsightsAnswer = {
    buckets: ['2026-08-01', '2026-08-02'],
    series: [
      { metric: 0, segment: ['FR'], values: [3, 4], total: 5 },
      { metric: 0, segment: [null], values: [1, 0], total: 1 },
    ],
    segments_total: 2,
    previous: {
      buckets: ['2026-07-30', '2026-07-31'],
      series: [{ metric: 0, segment: [null], values: [2, 2], total: 3 }],
      segments_total: 1,
    },
  };

  it('keeps the total that was answered: people of two days are not added up', () => {
    const [france] = linesOf(question, answer, 'en');
    expect(france).toMatchObject({ label: 'France', total: 5 });
    expect(insightsTable(question, answer, 'en').rows[0]).toEqual(['France', 5, 0, 3, 4]);
  });

  it('compares a segment with itself, wherever it stood', () => {
    const lines = linesOf(question, answer, 'en');
    expect(lines[1]).toMatchObject({ label: 'not set', previous: [2, 2], previousTotal: 3 });
    expect(lines[0]).toMatchObject({ previous: [], previousTotal: 0 });
  });

  it('gives every row one cell a column', () => {
    const { header, rows } = insightsTable(question, answer, 'en');
    expect(rows.map((row) => row.length)).toEqual([header.length, header.length]);
  });

  it('tells metrics of the same name apart', () => {
    const metrics = [{ event: 'A', measure: 'total' }, { event: 'A', measure: 'total' }, { event: 'A', measure: 'total', filter: 'true' }] as const;
    const series = metrics.map((_, metric) => ({ metric, segment: [], values: [1], total: 1 }));
    const lines = linesOf({ ...newInsights(null), metrics: [...metrics] }, { buckets: ['2026-08-01'], series, segments_total: 1 });
    expect(lines.map(({ label }) => label)).toEqual(['A: A · Events', 'B: A · Events', 'A · Events (filtered)']);
  });

  it('shows formulas, hidden metrics, the others and what has no result', () => {
    const asked: InsightsQuestion = {
      ...newInsights('A'),
      metrics: [{ event: 'A', measure: 'total', hidden: true }],
      formulas: [{ name: 'Share', formula: '1 / A' }, { formula: 'A + 1' }],
      breakdown: [{ value: 'properties["price"]', edges: 'auto' }],
      compare: { shift: { count: 2, unit: 'week' } },
    };
    const series = [
      { metric: 1, segment: ['10 - 20'], values: [null, 1], total: 0.5 },
      { metric: 1, segment: [], other: true, values: [2, 3], total: null },
      { metric: 2, segment: ['10 - 20'], values: [1, 2], total: 3 },
    ];
    const given: InsightsAnswer = { buckets: ['2026-08-01', '2026-08-02'], partial: [false, true], series, segments_total: 9, previous: { buckets: [], series: [], segments_total: 9 } };
    const { header, rows } = insightsTable(asked, given, 'en');
    expect(linesOf(asked, given, 'en').map(({ label }) => label)).toEqual(['10 - 20 · Share', 'All others · Share', '10 - 20 · A + 1']);
    expect(header[2]).toBe('2 weeks before');
    expect(header.at(-1)).toContain('(in part)');
    expect(rows[0]).toEqual(['10 - 20 · Share', 0.5, 0, null, 1]);
    expect(rows[1]?.[1]).toBeNull();
  });

  it('knows what a question still lacks', () => {
    const { metrics } = newInsights('A');
    expect(isInsightsComplete(newInsights('A'))).toBe(true);
    expect(isInsightsComplete({ ...newInsights('A'), formulas: [{ formula: ' ' }] })).toBe(false);
    expect(isInsightsComplete({ ...newInsights('A'), metrics: metrics.map((metric) => ({ ...metric, hidden: true })) })).toBe(false);
  });

  it('names every measure', () => {
    const price = { scope: 'properties', name: 'price' } as const;
    const names = (Object.keys(MEASURE_LABELS) as MeasureKind[]).map((kind) => measureLabel(measureOf(kind, price)));
    expect(names).toContain('Active people in 7 days');
    expect(names).toContain('Events of a person, median');
    expect(names).toContain('Percentile 90 of price');
    expect(names).toContain('Distinct values of price');
    expect(new Set(names).size).toBe(names.length);
  });

  it('names metrics', () => {
    const sum = { event: 'Paid', measure: measureOf('sum', { scope: 'properties', name: 'amount' }) } as const;
    expect(metricLabel(sum)).toBe('Paid · Sum of amount');
    expect(metricLabel({ measure: 'unique' })).toBe('Any event · People');
    expect(measureKind(sum.measure)).toBe('sum');
    expect(isMetricComplete({ measure: measureOf('mean', null) })).toBe(false);
    expect([isAdditive('total'), isAdditive('unique'), isAdditive(sum.measure)]).toEqual([true, false, true]);
  });
});

describe('funnel', () => {
  const question: FunnelQuestion = { ...newFunnel(['A', 'B', 'C']), breakdown: 'properties["plan"]', unit: 'day' };
  const steps = (...counts: number[]) => counts.map((count, index) => ({ count, ...(index > 0 && count > 0 ? { mean_ms_from_previous: 1000, mean_ms_from_start: 1000 * index } : {}) }));
  const answer: FunnelAnswer = {
    overall: [
      { segment: [], steps: steps(100, 40, 10) },
      { segment: ['pro'], steps: steps(60, 30, 10) },
      { segment: [null], steps: steps(40, 10, 0) },
    ],
    buckets: ['2026-08-01', '2026-08-02'],
    trend: [
      [{ segment: [], steps: steps(50, 20, 5) }, { segment: ['pro'], steps: steps(0, 0, 0) }, { segment: [null], steps: steps(50, 20, 5) }],
      [{ segment: [], steps: steps(50, 20, 5) }, { segment: ['pro'], steps: steps(50, 20, 5) }, { segment: [null], steps: steps(0, 0, 0) }],
    ],
    segments_total: 2,
  };

  it('ties: lost and kept make up the step before, in every segment', () => {
    for (const { steps } of pathsOf(question, answer)) {
      steps.forEach((step, index) => {
        const before = steps[index - 1]?.count ?? step.count;
        expect(step.count + step.lost).toBe(before);
      });
    }
  });

  it('shows shares of the first and of the step before', () => {
    const [all] = pathsOf(question, answer);
    expect(all?.steps.map(({ fromStart, fromPrevious }) => [fromStart, fromPrevious])).toEqual([[1, 1], [0.4, 0.4], [0.1, 0.25]]);
    expect(all).toMatchObject({ label: 'Everybody', conversion: 0.1, meanToConvert: 2000 });
  });

  it('has no time where nobody came, and no share of nobody', () => {
    expect(pathsOf(question, answer)[2]).toMatchObject({ label: 'not set', conversion: 0, meanToConvert: null });
    expect(trendOf(question, answer).map(({ values }) => values)).toEqual([[0.1, 0.1], [0, 0.1], [0.1, 0]]);
  });

  it('gives every row one cell a column', () => {
    const { header, rows } = funnelTable(question, answer);
    expect(rows).toHaveLength(9);
    expect(rows.every((row) => row.length === header.length)).toBe(true);
  });
});

describe('retention', () => {
  const cohorts = [
    { born: 10, returned: [8, 5, 2], complete: 2 },
    { born: 30, returned: [15, 3], complete: 1 },
    { born: 0, returned: [0, 0], complete: 1 },
    { born: 7, returned: [], complete: 0 },
  ];
  const curve = [
    { born: 40, returned: 23 },
    { born: 10, returned: 5 },
    { born: 0, returned: 0 },
    { born: 0, returned: 0 },
  ];

  it('shows the mean that was answered, and none where nobody is through', () => {
    expect(sharesOf(curve)).toEqual([23 / 40, 0.5, null, null]);
  });

  it('shows every interval that was asked for', () => {
    const question = { kind: 'retention', born: {}, returning: {}, unit: 'week', intervals: 3 } as RetentionQuestion;
    const answer: RetentionAnswer = {
      buckets: ['a', 'b', 'c', 'd'].map((_, i) => `2026-08-0${i + 3}`),
      segments: [{ segment: [], cohorts, curve }],
      segments_total: 0,
    };
    expect(curvesOf(question, answer)[0]).toMatchObject({ label: 'Everybody', born: 47 });
    expect(curvesOf(question, answer)[0]?.shares).toHaveLength(4);
    const { header, rows } = retentionTable(question, answer, 'en');
    expect(rows.every((row) => row.length === header.length)).toBe(true);
    expect(rows[1]?.slice(2)).toEqual([30, 15, 3, null, null, 1]);
  });

  it('names brackets by their units', () => {
    const labels = [0, 1, 2, 3].map((interval) => intervalLabel({ unit: 'day', brackets: [1, 1, 2, 4] }, interval));
    expect(labels).toEqual(['Day 0', 'Day 1', 'Day 2–3', 'Day 4–7']);
    expect(intervalLabel({ unit: 'month' }, 4)).toBe('Month 4');
  });
});

describe('activity', () => {
  it('shows those who left below the line', () => {
    const buckets = [{ new: 3, returning: 4, resurrected: 1, dormant: 2 }];
    expect([stageValues(buckets, 'new'), stageValues(buckets, 'dormant')]).toEqual([[3], [-2]]);
    const answer = { buckets: ['2026-08-03'], partial: [false], segments: [{ segment: [], buckets }], segments_total: 0 };
    const { header, rows } = lifecycleTable(newLifecycle('A'), answer, 'en');
    expect(rows).toEqual([['Everybody', 'Week of Aug 3, 2026', 3, 4, 1, 8, 2, 2]]);
    expect(header).toHaveLength(8);
  });

  it('takes the whole buckets together, or all where none is whole', () => {
    const buckets = [
      { at_least: [4, 1], exactly: [3, 1] },
      { at_least: [6, 4], exactly: [2, 4] },
    ];
    expect(exactlyShares(buckets, [false, false])).toEqual([0.5, 0.5]);
    expect(exactlyShares(buckets, [true, false])).toEqual([2 / 6, 4 / 6]);
    expect(atLeastShares([[4, 1], [6, 4]], [true, true])).toEqual([1, 0.5]);
  });

  it('shows as many parts as somebody reached', () => {
    expect(reachedParts([[4, 1, 0], [6, 4, 2], [0, 0, 0]])).toBe(3);
    expect(reachedParts([])).toBe(1);
  });
});

describe('overview', () => {
  it('compares each figure with the period before', () => {
    const series = (total: number, metric: number) => ({ metric, segment: [], values: [total], total });
    const tiles = tilesOf(figures(['$mp_web_page_view']), {
      buckets: ['2026-08-01'],
      series: [12, 20, 30, 2.5].map(series),
      segments_total: 1,
      previous: { buckets: ['2026-07-31'], series: [10, 0, 30, 2].map(series), segments_total: 1 },
    });
    expect(tiles.map(({ total, change }) => [total, change])).toEqual([[12, 0.2], [20, null], [30, 0], [2.5, 0.25]]);
  });

  it('counts the most frequent event where no pages are viewed', () => {
    expect(figures(['Docs Viewed', 'Paid']).map(({ label }) => label)).toEqual(['People', 'Docs Viewed', 'All events', 'Events per person']);
    expect(figures(['Paid', '$mp_web_page_view'])[1]).toMatchObject({ label: 'Page views', metric: { event: '$mp_web_page_view' } });
    expect(figures([])).toHaveLength(3);
  });

  it('lists the largest first and leaves out nothing but zeros', () => {
    const series = [['a', 1], ['b', 9], [null, 4], ['c', 0]].map(([value, total]) => ({ metric: 0, segment: [value], values: [], total: total as number }));
    const rows = topRows('plan', { buckets: [], series, segments_total: 4 }, 'en');
    expect(rows.map(({ label, value, raw }) => [label, value, raw])).toEqual([['b', 9, 'b'], ['(not set)', 4, null], ['a', 1, 'a']]);
  });
});
