/** What reserved names are called on screen. Names that a project chose itself are shown as they are. */
import { SvelteMap } from 'svelte/reactivity';
import { value } from './format';
import type { PropertyRef } from './expression';

/** Names of the project's cohorts by number, once they are loaded. */
export const cohortNames = new SvelteMap<string, string>();

export function cohortName(number: string): string {
  return cohortNames.get(number) ?? `Cohort ${number}`;
}

const EVENTS: Record<string, string> = {
  $mp_web_page_view: 'Page viewed',
  $mp_click: 'Clicked',
  $mp_input_change: 'Changed an input',
  $mp_scroll: 'Scrolled',
  $mp_submit: 'Submitted a form',
  $mp_session_start: 'Session started',
  $ae_session: 'App session',
  $ae_first_open: 'App first opened',
  $identify: 'Identified',
};

const PROPERTIES: Record<string, string> = {
  $avatar: 'Picture address',
  $created: 'Created',
  $email: 'E-mail',
  $first_name: 'First name',
  $last_name: 'Last name',
  $last_seen: 'Last seen',
  $name: 'Name',
  $phone: 'Phone',
  $import: 'Imported',
  $browser: 'Browser',
  $browser_version: 'Browser version',
  $city: 'City',
  $current_url: 'Page address',
  $device: 'Device',
  $initial_referrer: 'First referrer address',
  $initial_referring_domain: 'First referrer',
  $lib_version: 'SDK version',
  $manufacturer: 'Manufacturer',
  $model: 'Model',
  $os: 'Operating system',
  $os_version: 'System version',
  $referrer: 'Referrer address',
  $referring_domain: 'Referrer',
  $region: 'Region',
  $screen_width: 'Screen width',
  $search_engine: 'Search engine',
  $timezone: 'Time zone',
  $event_name: 'Event',
  current_url_path: 'Page path',
  current_domain: 'Site',
  mp_country_code: 'Country',
  $country_code: 'Country',
  mp_lib: 'SDK',
  utm_campaign: 'UTM campaign',
  utm_content: 'UTM content',
  utm_medium: 'UTM medium',
  utm_source: 'UTM source',
  utm_term: 'UTM term',
};

export function eventName(name: string | null | undefined): string {
  return name === null || name === undefined ? 'Any event' : (EVENTS[name] ?? name);
}

export function propertyName(name: string): string {
  return PROPERTIES[name] ?? name;
}

export function propertyLabel({ scope, name }: PropertyRef): string {
  if (scope === 'cohort') return `In cohort “${cohortName(name)}”`;
  return scope === 'user' ? `Person’s ${propertyName(name)}` : propertyName(name);
}

const COUNTRY = new Set(['mp_country_code', '$country_code']);

/** A value of what was broken down by: of a property, or whether one is in a cohort. */
export function partName(part: PropertyRef | null, raw: unknown, locale?: string): string {
  if (part?.scope !== 'cohort') return valueName(part?.name ?? null, raw, locale);
  return raw === true ? cohortName(part.name) : `Not ${cohortName(part.name)}`;
}

/** A value of a property as text, with what is known about that property. */
export function valueName(property: string | null, raw: unknown, locale?: string): string {
  if (property !== null && COUNTRY.has(property) && typeof raw === 'string' && /^[A-Z]{2}$/.test(raw)) {
    return new Intl.DisplayNames(locale, { type: 'region' }).of(raw) ?? raw;
  }
  if (property !== null && raw === '$direct') return 'Direct';
  if (property === '$current_url' && typeof raw === 'string') return raw.replace(/^https?:\/\//, '');
  return value(raw, locale);
}
