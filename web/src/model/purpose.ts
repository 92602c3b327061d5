/** Why an identity may be shown; the codes are the contract's. */
import type { Purpose, PurposeCode } from '../api/types';

export const TEXT_MIN = 10;
export const TEXT_MAX = 500;

export const PURPOSES: { code: PurposeCode; label: string }[] = [
  { code: 'support', label: 'Helping this person' },
  { code: 'fraud', label: 'Fraud' },
  { code: 'security', label: 'Security' },
  { code: 'legal', label: 'Legal duty' },
  { code: 'access_request', label: 'Request by the person' },
  { code: 'incident', label: 'Incident' },
  { code: 'migration', label: 'Migration' },
  { code: 'product_research', label: 'Product research' },
];

export function purposeLabel(code: string): string {
  return PURPOSES.find((purpose) => purpose.code === code)?.label ?? code;
}

/** In characters as the server counts them: Unicode scalars, not UTF-16 units. */
export function textLength(text: string): number {
  return [...text.trim()].length;
}

export function isPurposeComplete({ text }: Purpose): boolean {
  const length = textLength(text);
  return length >= TEXT_MIN && length <= TEXT_MAX;
}
