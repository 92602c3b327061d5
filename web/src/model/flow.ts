/** An answer of a flow as columns of named nodes, links and whole paths. */
import type { EventSelector, FlowAnswer, FlowColumn, FlowNode, FlowQuestion, FlowSegment, NodeName, PathStep } from '../api/types';
import { propertyOf } from './expression';
import { plural } from './format';
import { segmentLabel, type Table } from './insights';
import { eventName, valueName } from './names';

const DAY_MS = 86_400_000;
export const ANCHORS_MAX = 5;
export const STEPS_MAX = 10;
/** Events that have a colour of their own. */
const COLOURED = 7;

export function newFlow(events: readonly string[]): FlowQuestion {
  const anchors: EventSelector[] = [{ event: events[0] ?? null }];
  return {
    kind: 'flow',
    anchors,
    before: 0,
    between: 3,
    after: 4,
    window_ms: DAY_MS,
    session_timeout_ms: 30 * 60_000,
    count: 'person',
    expand: [],
    collapse: 'all',
    hide: [],
    only: [],
    nodes: 6,
    paths: 20,
    limit: 6,
  };
}

/** The same question with steps where it would have none at all. */
export function withSteps(question: FlowQuestion): FlowQuestion {
  const none = question.anchors.length === 1 && !question.before && !question.after;
  return none ? { ...question, after: 1 } : question;
}

export interface NodeView {
  key: string;
  label: string;
  /** The value that the event is told apart by. */
  detail: string | null;
  name: NodeName;
  count: number;
  persons: number;
  standsFor: number;
  began: number;
  droppedOff: number;
  windowEnded: number;
  /** Place among the colours; `null` for what stands for several. */
  colour: number | null;
}

export interface ColumnView {
  key: number;
  label: string;
  reached: number;
  nodes: NodeView[];
}

export function unitOf(question: FlowQuestion, count: number): string {
  switch (question.count) {
    case 'session':
      return plural(count, 'session');
    case 'total':
      return plural(count, 'path');
    default:
      return plural(count, 'person', 'people');
  }
}

export function columnLabel(question: FlowQuestion, column: FlowColumn): string {
  const of = question.anchors.length > 1 ? ` of anchor ${column.anchor + 1}` : '';
  switch (column.part) {
    case 'before':
      return column.distance === 1 ? '1 step before' : `${column.distance} steps before`;
    case 'anchor':
      return question.anchors.length > 1 ? `Anchor ${column.anchor + 1}` : 'Anchor';
    case 'between':
      return `Step ${column.distance} after anchor ${column.anchor + 1}`;
    case 'more':
      return `Further steps${of}`;
    case 'after':
      return column.distance === 1 ? '1 step after' : `${column.distance} steps after`;
  }
}

export function nodeLabel(name: NodeName, standsFor: number): string {
  if (name.kind === 'other') return `Other (${standsFor})`;
  if (name.kind === 'more') return 'More';
  return eventName(name.event);
}

/** The property that events of a name are told apart by. */
function expandedBy(question: FlowQuestion, event: string | null | undefined): string | null {
  const expansion = (question.expand ?? []).find((one) => !one.event || one.event === event);
  const property = expansion && propertyOf(expansion.property);
  return property ? property.name : null;
}

export function nodeDetail(question: FlowQuestion, name: NodeName, locale?: string): string | null {
  if (!name.value || name.value.length === 0) return null;
  return valueName(expandedBy(question, name.event), name.value[0], locale);
}

/** Events by how often they are met, so that one has the same colour in every column. */
function colours(segment: FlowSegment): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { nodes } of segment.steps) {
    for (const { event, count } of nodes) {
      if (event) counts.set(event, (counts.get(event) ?? 0) + count);
    }
  }
  const ordered = [...counts].sort(([a, left], [b, right]) => right - left || a.localeCompare(b));
  return new Map(ordered.map(([event], index) => [event, Math.min(index, COLOURED)]));
}

export function columnsOf(question: FlowQuestion, answer: FlowAnswer, segment: FlowSegment, locale?: string): ColumnView[] {
  const colour = colours(segment);
  const nodeOf = (node: FlowNode): NodeView => ({
    key: JSON.stringify([node.kind, node.event, node.value]),
    label: nodeLabel(node, node.stands_for),
    detail: nodeDetail(question, node, locale),
    name: { kind: node.kind, event: node.event, value: node.value },
    count: node.count,
    persons: node.persons,
    standsFor: node.stands_for,
    began: node.began.count,
    droppedOff: node.dropped_off.count,
    windowEnded: node.window_ended.count,
    colour: node.event ? (colour.get(node.event) ?? null) : null,
  });
  return answer.columns.map((column, index) => ({
    key: index,
    label: columnLabel(question, column),
    reached: segment.steps[index]?.reached.count ?? 0,
    nodes: (segment.steps[index]?.nodes ?? []).map(nodeOf),
  }));
}

export function segmentName(question: FlowQuestion, segment: FlowSegment, locale?: string): string {
  if (segment.segment.length === 0) return 'Everybody';
  return segmentLabel(segment.segment, question.breakdown === undefined ? [] : [question.breakdown], locale);
}

/** A whole path in one line. */
export function pathName(question: FlowQuestion, steps: readonly PathStep[], locale?: string): string {
  const name = (step: PathStep) => [step.kind === 'more' ? '…' : nodeLabel(step, 0), nodeDetail(question, step, locale)];
  return steps.map((step) => name(step).filter(Boolean).join(': ')).join(' → ');
}

export interface PathView {
  key: string;
  steps: { label: string; detail: string | null; anchor: boolean }[];
  count: number;
  persons: number;
  droppedOff: number;
  windowEnded: number;
}

export function pathsOf(question: FlowQuestion, answer: FlowAnswer, segment: FlowSegment, locale?: string): PathView[] {
  return segment.paths.map((path) => ({
    key: JSON.stringify(path.steps),
    steps: path.steps.map((step) => ({
      label: step.kind === 'more' ? '…' : nodeLabel(step, 0),
      detail: nodeDetail(question, step, locale),
      anchor: answer.columns[step.column]?.part === 'anchor',
    })),
    count: path.count,
    persons: path.persons,
    droppedOff: path.dropped_off.count,
    windowEnded: path.window_ended.count,
  }));
}

/** Every node and link, one row each: the accessible form of the chart, and the download. */
export function flowTable(question: FlowQuestion, answer: FlowAnswer, locale?: string): Table {
  const rows = answer.segments.flatMap((segment) => {
    const name = segmentName(question, segment, locale);
    const columns = columnsOf(question, answer, segment, locale);
    const label = (node: NodeView | undefined) => (node ? [node.label, node.detail].filter(Boolean).join(': ') : '');
    const nodes = columns.flatMap((column) =>
      column.nodes.map((node) => [
        name,
        column.label,
        label(node),
        '',
        node.count,
        node.persons,
        node.began,
        node.droppedOff,
        node.windowEnded,
      ]),
    );
    const links = segment.links.map(({ from, to, count, persons }) => [
      name,
      columns[from.column]?.label ?? '',
      label(columns[from.column]?.nodes[from.node]),
      label(columns[to.column]?.nodes[to.node]),
      count,
      persons,
      null,
      null,
      null,
    ]);
    return [...nodes, ...links];
  });
  return {
    header: ['Segment', 'Step', 'Node', 'To', 'Count', 'People', 'Began', 'Dropped off', 'Window ended'],
    rows,
  };
}

/** The question with an event's nodes told apart by another property. */
export function expandBy(question: FlowQuestion, event: string, property: string): FlowQuestion {
  const others = (question.expand ?? []).filter((expansion) => expansion.event !== event);
  return { ...question, expand: [{ event, property }, ...others] };
}

export function withoutExpansion(question: FlowQuestion, event: string): FlowQuestion {
  return { ...question, expand: (question.expand ?? []).filter((expansion) => expansion.event !== event) };
}

export function isAnchor(question: FlowQuestion, event: string): boolean {
  return question.anchors.some((anchor) => anchor.event === event);
}

export function hideEvent(question: FlowQuestion, event: string): FlowQuestion {
  if (isAnchor(question, event)) return question;
  const without = (names: readonly string[] | undefined) => (names ?? []).filter((name) => name !== event);
  return { ...question, hide: [...without(question.hide), event], only: without(question.only) };
}
