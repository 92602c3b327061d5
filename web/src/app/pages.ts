/** The places of the app and what they are called. */
import type { IconName } from '../components/icons';

export interface Place {
  path: string;
  label: string;
  icon: IconName;
}

export const GROUPS: { label: string; places: Place[] }[] = [
  {
    label: 'Reports',
    places: [
      { path: '/', label: 'Overview', icon: 'overview' },
      { path: '/insights', label: 'Insights', icon: 'insights' },
      { path: '/funnels', label: 'Funnels', icon: 'funnels' },
      { path: '/retention', label: 'Retention', icon: 'retention' },
    ],
  },
  {
    label: 'Persons',
    places: [
      { path: '/live', label: 'Live', icon: 'live' },
      { path: '/people', label: 'People', icon: 'people' },
      { path: '/ledger', label: 'Ledger', icon: 'ledger' },
    ],
  },
  { label: 'Project', places: [{ path: '/setup', label: 'Setup', icon: 'setup' }] },
];

export function titleOf(path: string): string {
  const person = /^\/people\/(\d+)$/.exec(path)?.[1];
  if (person) return `Person ${person}`;
  if (path === '/login') return 'Sign in';
  const place = GROUPS.flatMap((group) => group.places).find((known) => known.path === path);
  return place?.label ?? 'Not found';
}
