/** Which people stand behind a cell of an answer's table: what to ask the server for, and what to call them. */
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
  NodePlace,
  PathStep,
  ReportCell,
  RetentionAnswer,
  RetentionQuestion,
  RetentionSegment,
  StickinessAnswer,
  StickinessQuestion,
} from '../api/types';
import { segmentName, STAGES } from './activity';
import { bucketLong } from './dates';
import { isCount } from './definition';
import { columnLabel, nodeDetail, nodeLabel, pathName, segmentName as flowSegmentName } from './flow';
import { pathsOf } from './funnel';
import { comparedLabel, linesOf } from './insights';
import { intervalLabel } from './retention';

/** A number whose people can be asked for. */
export interface Behind {
  title: string;
  /** What can be looked at; one, or several to choose between, the first at first. */
  choices: readonly [Choice, ...Choice[]];
}

interface Choice {
  label: string;
  cell: ReportCell;
}

export type BehindCell = (row: number, column: number) => Behind | null;

type Segment = readonly unknown[];

function one(title: string, cell: ReportCell): Behind {
  return { title, choices: [{ label: title, cell }] };
}

/** A title with the name of its segment; everybody needs none. */
function titled(title: string, segment: Segment, name: string): string {
  return segment.length === 0 ? title : `${title} · ${name}`;
}

/** Rows of a table that goes through the buckets of one segment after the other. */
function placeOf(row: number, buckets: number): { segment: number; bucket: number } {
  return { segment: Math.floor(row / Math.max(1, buckets)), bucket: row % Math.max(1, buckets) };
}

/** As `insightsTable` lays out its columns: name, total, the compared total, buckets. */
export function behindInsights(question: InsightsQuestion, answer: InsightsAnswer, locale?: string): BehindCell {
  const lines = linesOf(question, answer, locale);
  const compared = answer.previous ? 1 : 0;
  return (row, column) => {
    const [series, line] = [answer.series[row], lines[row]];
    const metric = question.metrics[line?.metric ?? -1];
    if (!series || !line || !metric || column === 0) return null;
    const previous = compared === 1 && column === 2;
    const bucket = column > 1 + compared ? column - 2 - compared : undefined;
    const value = previous ? line.previousTotal : bucket === undefined ? line.total : line.values[bucket];
    // Of events without any there is nobody; a sum can be 0 and yet be made of something.
    if (value === null || value === undefined || (value === 0 && isCount(metric.measure))) return null;
    const time = previous
      ? comparedLabel(question)
      : bucket === undefined
        ? 'whole range'
        : bucketLong(answer.buckets[bucket] ?? '', question.unit, locale);
    return one(`${line.label}, ${time}`, {
      kind: 'insights',
      metric: line.metric,
      ...(bucket === undefined ? {} : { bucket }),
      ...(series.other ? { other: true } : { segment: series.segment }),
      ...(previous ? { previous } : {}),
    });
  };
}

/** As `funnelTable`: a row is a step of a segment. */
export function behindFunnel(question: FunnelQuestion, answer: FunnelAnswer, locale?: string): BehindCell {
  const COUNT = 3;
  const DROPPED = 6;
  const paths = pathsOf(question, answer, locale);
  return (row, column) => {
    const { segment: place, bucket: index } = placeOf(row, question.steps.length);
    const path = paths[place];
    if (!path) return null;
    if (column === COUNT && path.steps[index]?.count) {
      return behindStep(path.segment, path.label, index, path.steps[index]?.label ?? '', 'reached');
    }
    if (column === DROPPED && path.steps[index]?.lost) {
      return behindStep(path.segment, path.label, index - 1, path.steps[index - 1]?.label ?? '', 'dropped_off');
    }
    return null;
  };
}

export function behindStep(segment: Segment, name: string, step: number, label: string, side: 'reached' | 'dropped_off'): Behind {
  const title = side === 'reached' ? `Came to step ${step + 1}, ${label}` : `Dropped off after step ${step + 1}, ${label}`;
  return one(titled(title, segment, name), { kind: 'funnel', step, side, segment: [...segment] as never });
}

/** Of a cohort, by row of its table: all who were born (column `null`), or who came back in an interval and who did not. */
export function behindRetention(
  question: RetentionQuestion,
  answer: RetentionAnswer,
  { segment, cohorts }: RetentionSegment,
  name: string,
  locale?: string,
): (row: number, interval: number | null) => Behind | null {
  return (bucket, interval) => {
    const cohort = cohorts[bucket];
    const cell = { kind: 'retention' as const, bucket, segment };
    if (!cohort || cohort.born === 0) return null;
    const time = bucketLong(answer.buckets[bucket] ?? '', question.unit, locale);
    if (interval === null) return one(titled(`${time} · everybody`, segment, name), cell);
    const returned = cohort.returned[interval];
    if (returned === undefined) return null;
    const back: Choice = { label: 'Came back', cell: { ...cell, interval, side: 'returned' } };
    const not: Choice = { label: 'Did not', cell: { ...cell, interval, side: 'not_returned' } };
    return {
      title: titled(`${time} · ${intervalLabel(question, interval)}`, segment, name),
      choices: returned === 0 ? [not, back] : [back, not],
    };
  };
}

/** As `lifecycleTable`: active people and the change are sums of these. */
export function behindLifecycle(question: LifecycleQuestion, answer: LifecycleAnswer, locale?: string): BehindCell {
  const columns: Record<number, (typeof STAGES)[number]['key']> = { 2: 'new', 3: 'returning', 4: 'resurrected', 6: 'dormant' };
  return (row, column) => {
    const { segment: place, bucket } = placeOf(row, answer.buckets.length);
    const [found, stage] = [answer.segments[place], columns[column]];
    if (!found || !stage || !found.buckets[bucket]?.[stage]) return null;
    const label = STAGES.find(({ key }) => key === stage)?.label ?? stage;
    const title = `${label}, ${bucketLong(answer.buckets[bucket] ?? '', question.unit, locale)}`;
    const name = segmentName(question, found.segment, locale);
    return one(titled(title, found.segment, name), { kind: 'lifecycle', bucket, stage, segment: found.segment });
  };
}

/** As `stickinessTable`: active people, their mean day, then exactly 1, 2, … days. */
export function behindStickiness(question: StickinessQuestion, answer: StickinessAnswer, locale?: string): BehindCell {
  const ACTIVE = 2;
  const FIRST_DAY = 4;
  return (row, column) => {
    const { segment: place, bucket } = placeOf(row, answer.buckets.length);
    const found = answer.segments[place];
    const numbers = found?.buckets[bucket];
    if (!found || !numbers) return null;
    const days = column === ACTIVE ? 1 : column - FIRST_DAY + 1;
    const persons = column === ACTIVE ? numbers.at_least[0] : numbers.exactly[column - FIRST_DAY];
    if (!persons) return null;
    const what = column === ACTIVE ? 'Active' : `Active on ${days === 1 ? '1 day' : `${days} days`}`;
    const title = `${what}, ${bucketLong(answer.buckets[bucket] ?? '', question.unit, locale)}`;
    const name = segmentName(question, found.segment, locale);
    const count = column === ACTIVE ? ('at_least' as const) : ('exactly' as const);
    return one(titled(title, found.segment, name), { kind: 'stickiness', bucket, days, count, segment: found.segment });
  };
}

/** As `frequencyTable`: at least 1, 2, … parts. */
export function behindFrequency(question: FrequencyQuestion, answer: FrequencyAnswer, locale?: string): BehindCell {
  const FIRST = 2;
  return (row, column) => {
    const { segment: place, bucket } = placeOf(row, answer.buckets.length);
    const found = answer.segments[place];
    const atLeast = column - FIRST + 1;
    if (!found || atLeast < 1 || !found.at_least[bucket]?.[atLeast - 1]) return null;
    const parts = `${question.part}${atLeast === 1 ? '' : 's'}`;
    const title = `Active in at least ${atLeast} ${parts}, ${bucketLong(answer.buckets[bucket] ?? '', question.unit, locale)}`;
    const name = segmentName(question, found.segment, locale);
    return one(titled(title, found.segment, name), { kind: 'frequency', bucket, at_least: atLeast, segment: found.segment });
  };
}

type FlowSide = 'through' | 'began' | 'dropped_off' | 'window_ended';
const SIDES: Record<FlowSide, string> = {
  through: '',
  began: 'Began at ',
  dropped_off: 'Dropped off after ',
  window_ended: 'Went on later after ',
};

/** The people behind the numbers of one segment of a flow. */
export class BehindFlow {
  constructor(
    private readonly question: FlowQuestion,
    private readonly answer: FlowAnswer,
    private readonly segment: FlowAnswer['segments'][number],
    private readonly locale?: string,
  ) {}

  all(number: 'complete' | 'incomplete'): Behind {
    return this.of(number === 'complete' ? 'Took a path' : 'Missed an anchor', number);
  }

  node(place: NodePlace, side: FlowSide): Behind | null {
    const node = this.segment.steps[place.column]?.nodes[place.node];
    if (!node) return null;
    const counts = {
      through: node.count,
      began: node.began.count,
      dropped_off: node.dropped_off.count,
      window_ended: node.window_ended.count,
    };
    if (counts[side] === 0) return null;
    const column = this.answer.columns[place.column];
    const where = column ? `, ${columnLabel(this.question, column)}` : '';
    return this.of(`${SIDES[side]}${this.name(place)}${where}`, { node: { at: this.step(place), side } });
  }

  link({ from, to }: { from: NodePlace; to: NodePlace }): Behind {
    return this.of(`${this.name(from)} → ${this.name(to)}`, { link: { from: this.step(from), to: this.step(to) } });
  }

  path(index: number): Behind | null {
    const path = this.segment.paths[index];
    if (!path) return null;
    return this.of(pathName(this.question, path.steps, this.locale), { path: { steps: path.steps } });
  }

  private of(title: string, number: Extract<ReportCell, { kind: 'flow' }>['number']): Behind {
    const { segment } = this.segment;
    const name = flowSegmentName(this.question, this.segment, this.locale);
    return one(titled(title, segment, name), { kind: 'flow', number, segment });
  }

  private name({ column, node }: NodePlace): string {
    const found = this.segment.steps[column]?.nodes[node];
    if (!found) return '';
    return [nodeLabel(found, found.stands_for), nodeDetail(this.question, found, this.locale)].filter(Boolean).join(': ');
  }

  private step({ column, node }: NodePlace): PathStep {
    const { kind = 'event', event, value } = this.segment.steps[column]?.nodes[node] ?? {};
    return { column, kind, ...(event ? { event } : {}), ...(value && value.length > 0 ? { value } : {}) };
  }
}

/** As `flowTable`: the nodes of each segment, then its links. */
export function behindFlow(question: FlowQuestion, answer: FlowAnswer, locale?: string): BehindCell {
  const sides: Record<number, FlowSide> = { 4: 'through', 5: 'through', 6: 'began', 7: 'dropped_off', 8: 'window_ended' };
  const rows = answer.segments.flatMap((segment) => {
    const behind = new BehindFlow(question, answer, segment, locale);
    const nodes = segment.steps.flatMap(({ nodes }, column) =>
      nodes.map((_, node) => (side: FlowSide) => behind.node({ column, node }, side)),
    );
    const links = segment.links.map((link) => (side: FlowSide) => (side === 'through' ? behind.link(link) : null));
    return [...nodes, ...links];
  });
  return (row, column) => {
    const side = sides[column];
    return side ? (rows[row]?.(side) ?? null) : null;
  };
}
