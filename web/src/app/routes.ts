/** Which page stands at which path. A page about one thing is handed its number: `/people/{number}`. */
import type { Component } from 'svelte';
import Annotations from '../pages/Annotations.svelte';
import Board from '../pages/Board.svelte';
import Boards from '../pages/Boards.svelte';
import Flows from '../pages/Flows.svelte';
import Frequency from '../pages/Frequency.svelte';
import Cohorts from '../pages/Cohorts.svelte';
import Definitions from '../pages/Definitions.svelte';
import Funnels from '../pages/Funnels.svelte';
import Insights from '../pages/Insights.svelte';
import Ledger from '../pages/Ledger.svelte';
import Lifecycle from '../pages/Lifecycle.svelte';
import Live from '../pages/Live.svelte';
import NotFound from '../pages/NotFound.svelte';
import Overview from '../pages/Overview.svelte';
import People from '../pages/People.svelte';
import Person from '../pages/Person.svelte';
import Report from '../pages/Report.svelte';
import Reports from '../pages/Reports.svelte';
import Retention from '../pages/Retention.svelte';
import Setup from '../pages/Setup.svelte';
import Stickiness from '../pages/Stickiness.svelte';
import Sql from '../pages/Sql.svelte';

const PAGES: Record<string, Component> = {
  '/': Overview,
  '/boards': Boards,
  '/reports': Reports,
  '/insights': Insights,
  '/funnels': Funnels,
  '/flows': Flows,
  '/retention': Retention,
  '/retention/lifecycle': Lifecycle,
  '/retention/stickiness': Stickiness,
  '/retention/frequency': Frequency,
  '/sql': Sql,
  '/live': Live,
  '/people': People,
  '/cohorts': Cohorts,
  '/properties': Definitions,
  '/ledger': Ledger,
  '/annotations': Annotations,
  '/setup': Setup,
};

const NUMBERED: Record<string, Component<{ number: number }>> = {
  '/people': Person,
  '/boards': Board,
  '/reports': Report,
};

export type Match = { page: Component } | { page: Component<{ number: number }>; number: number };

export function match(path: string): Match {
  const [, parent = '', number = ''] = /^(\/.+)\/([1-9]\d{0,15})$/.exec(path) ?? [];
  const numbered = NUMBERED[parent];
  if (numbered) return { page: numbered, number: Number(number) };
  return { page: PAGES[path] ?? NotFound };
}
