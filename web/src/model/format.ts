/** Numbers and values as a person reads them. Every function takes the locale, so that tests do not depend on one. */

const full = new Map<string, Intl.NumberFormat>();

function numbers(locale: string | undefined, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale ?? ''}${JSON.stringify(options)}`;
  const format = full.get(key) ?? new Intl.NumberFormat(locale, options);
  full.set(key, format);
  return format;
}

/** `1,234,567`; at most two decimals. */
export function number(value: number, locale?: string): string {
  return numbers(locale, { maximumFractionDigits: 2 }).format(value);
}

/** `1.2M`: for axes and tiles. */
export function compact(value: number, locale?: string): string {
  if (Math.abs(value) < 10_000) return number(value, locale);
  return numbers(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

/** A share of 1 as `12.3%`: one digit always, so that columns stand straight; nothing and all need none. */
export function percent(share: number, locale?: string): string {
  const digits = share === 0 || share === 1 ? 0 : 1;
  return numbers(locale, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share);
}

/** A share on an axis. */
export function percentTick(share: number, locale?: string): string {
  return numbers(locale, { style: 'percent', maximumFractionDigits: 1 }).format(share);
}

/** `+12.3%` against an earlier value; `null` where there is nothing to compare with. */
export function change(now: number, before: number): number | null {
  return before === 0 ? null : (now - before) / before;
}

export function signedPercent(share: number, locale?: string): string {
  return numbers(locale, { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' }).format(share);
}

const DURATIONS: [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** The two largest units: `1 d 4 h`, `3 min 20 s`, `840 ms`. */
export function duration(ms: number): string {
  const first = DURATIONS.findIndex(([, size]) => ms >= size);
  const [name, size] = DURATIONS[first] ?? ['', 0];
  if (size === 0) return `${Math.round(ms)} ms`;
  const whole = Math.floor(ms / size);
  const [lesser, lesserSize] = DURATIONS[first + 1] ?? ['', 0];
  const rest = lesserSize === 0 ? 0 : Math.floor((ms - whole * size) / lesserSize);
  return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${lesser}`;
}

/** `1.4 MB`. */
export function bytes(count: number, locale?: string): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return `${numbers(locale, { maximumFractionDigits: power === 0 ? 0 : 1 }).format(count / 1000 ** power)} ${units[power] ?? 'B'}`;
}

/** A property value of any JSON kind on one line. */
export function value(json: unknown, locale?: string): string {
  if (json === null || json === undefined) return 'not set';
  if (typeof json === 'number') return number(json, locale);
  if (typeof json === 'string') return json === '' ? '(empty)' : json;
  if (typeof json === 'boolean') return json ? 'true' : 'false';
  if (Array.isArray(json)) return json.length === 0 ? '(empty)' : json.map((item) => value(item, locale)).join(', ');
  return JSON.stringify(json);
}

export function plural(count: number, one: string, many = `${one}s`, locale?: string): string {
  return `${number(count, locale)} ${count === 1 ? one : many}`;
}
