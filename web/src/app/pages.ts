/**
 * The places of the app and what they are called: the navigation, in order. `routes.ts` says which page stands where.
 *
 * Groups go from what is looked at daily to what is set up once: what people made and come back to, the kinds of
 * reports, persons, the project.
 */
import type { IconName } from '../components/icons';

export interface Place {
  path: string;
  label: string;
  icon: IconName;
  /** For those who ask questions of their own; others look at what was saved. */
  asks?: true;
}

export interface Group {
  label: string;
  /** The first group needs no heading on screen; a screen reader still hears one. */
  plain?: boolean;
  places: Place[];
}

export const GROUPS: Group[] = [
  {
    label: 'Home',
    plain: true,
    places: [
      { path: '/', label: 'Overview', icon: 'overview', asks: true },
      { path: '/boards', label: 'Boards', icon: 'boards' },
      { path: '/reports', label: 'Saved reports', icon: 'save' },
    ],
  },
  {
    label: 'Reports',
    places: [
      { path: '/insights', label: 'Insights', icon: 'insights', asks: true },
      { path: '/funnels', label: 'Funnels', icon: 'funnels', asks: true },
      { path: '/flows', label: 'Flows', icon: 'flows', asks: true },
      { path: '/retention', label: 'Retention', icon: 'retention', asks: true },
      { path: '/sql', label: 'SQL', icon: 'sql', asks: true },
    ],
  },
  {
    label: 'Persons',
    places: [
      { path: '/people', label: 'People', icon: 'people' },
      { path: '/cohorts', label: 'Cohorts', icon: 'cohorts', asks: true },
      { path: '/live', label: 'Live', icon: 'live' },
      { path: '/ledger', label: 'Ledger', icon: 'ledger' },
    ],
  },
  {
    label: 'Project',
    places: [
      { path: '/annotations', label: 'Annotations', icon: 'annotations' },
      { path: '/properties', label: 'Properties', icon: 'properties' },
      { path: '/setup', label: 'Setup', icon: 'setup' },
    ],
  },
];

/** The places for those who may ask, and for those who only look. */
export function groupsFor(mayAsk: boolean): Group[] {
  const groups = GROUPS.map((group) => ({ ...group, places: group.places.filter((place) => mayAsk || !place.asks) }));
  return groups.filter((group) => group.places.length > 0);
}

/** The questions about coming back, one page each; the navigation lists the first. */
export const RETENTION_PAGES: { path: string; label: string }[] = [
  { path: '/retention', label: 'Retention' },
  { path: '/retention/lifecycle', label: 'Lifecycle' },
  { path: '/retention/stickiness', label: 'Stickiness' },
  { path: '/retention/frequency', label: 'Frequency' },
];

/** Whether a place is where the app is, or above it: `/people` for `/people/7`. */
export function isCurrent(place: string, path: string): boolean {
  return path === place || (place !== '/' && path.startsWith(`${place}/`));
}

export function titleOf(path: string): string {
  const [, parent, number] = /^\/(people|boards|reports)\/(\d+)$/.exec(path) ?? [];
  if (parent) return `${{ people: 'Person', boards: 'Board', reports: 'Report' }[parent] ?? ''} ${number}`;
  if (path === '/login') return 'Sign in';
  const place = [...GROUPS.flatMap((group) => group.places), ...RETENTION_PAGES].find((known) => known.path === path);
  return place?.label ?? 'Not found';
}
