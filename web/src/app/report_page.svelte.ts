/** What the builders share: a definition that is edited, its address, and the answer that belongs to it. */
import { untrack } from 'svelte';
import { api } from '../api/client';
import type { Explained, Question, Report, SavedReport } from '../api/types';
import { type Days, type RangeChoice, resolveRange, today } from '../model/dates';
import { reportOf } from '../model/definition';
import { stateOf } from '../model/saved';
import { type ChartKind, type ReportState, decodeState, encodeState } from '../model/url_state';
import { Resource } from './resource.svelte';
import { route } from './router.svelte';
import { session } from './session.svelte';

type QuestionOf<K extends Question['kind']> = Extract<Question, { kind: K }>;

export type PageState<K extends Question['kind']> = ReportState<QuestionOf<K>>;

/** An answer together with the definition that it answers, which may already be older than the one on screen. */
export interface Answered<K extends Question['kind']> {
  report: Report;
  question: QuestionOf<K>;
  explained: Explained;
}

/** Time for a burst of edits to end before the server is asked. */
const SETTLE_MS = 200;

export class ReportPage<K extends Question['kind']> {
  state = $state.raw<PageState<K> | null>(null);
  readonly answer = new Resource<Answered<K>>();

  constructor(
    private readonly kind: K,
    private readonly isComplete: (question: QuestionOf<K>) => boolean,
  ) {}

  get days(): Days {
    return resolveRange(this.state?.range ?? '30d', today(session.timezone));
  }

  get report(): Report | null {
    return this.state && reportOf(this.state.question, this.days, this.state.filter);
  }

  get complete(): boolean {
    return this.state !== null && this.isComplete(this.state.question);
  }

  /** Takes the definition from the address, or begins with a new one over a range. */
  enter(begin: () => QuestionOf<K>, range: RangeChoice = '30d'): void {
    this.state = decodeState(route.fragment, this.kind) ?? { range, chart: 'line', question: begin() };
  }

  /** Enters once it is known which events there are, most frequent first; call from an effect. */
  enterWithEvents(begin: (events: string[]) => QuestionOf<K>): void {
    const events = session.schema?.events ?? (session.schemaFailed ? [] : null);
    if (!events || untrack(() => this.state !== null)) return;
    this.enter(() => begin([...events].sort((a, b) => b.rows - a.rows).map(({ name }) => name)));
  }

  edit(part: Partial<QuestionOf<K>>): void {
    if (this.state) this.state = { ...this.state, question: { ...this.state.question, ...part } };
  }

  set(part: { range?: RangeChoice; chart?: ChartKind; filter?: string | undefined }): void {
    if (this.state) this.state = { ...this.state, ...part };
  }

  open(saved: SavedReport): void {
    const state = stateOf(saved);
    if (state.question.kind !== this.kind) return;
    this.state = { ...state, question: state.question as QuestionOf<K> };
  }

  /** Writes the address and asks anew; call from an effect. Returns what to do before the next run. */
  follow(): (() => void) | undefined {
    const { state, report } = this;
    if (!state || !report) return undefined;
    untrack(() => route.setFragment(encodeState(state)));
    if (!this.complete || session.projectId === 0) return undefined;
    const timer = setTimeout(() => this.ask(), SETTLE_MS);
    return () => clearTimeout(timer);
  }

  ask(): void {
    const { state, report } = this;
    if (!state || !report) return;
    const project = session.projectId;
    const { question } = state;
    void this.answer.load(async (signal) => {
      const explained = await api.post('/api/v1/projects/{project}/query', { path: { project }, body: report, signal });
      return { report, question, explained };
    });
  }
}
