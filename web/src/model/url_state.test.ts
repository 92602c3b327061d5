import { describe, expect, it } from 'vitest';
import { newFunnel, newInsights, newRetention } from './definition';
import { type ReportState, decodeState, encodeState, rangeOf } from './url_state';

describe('a report in the address', () => {
  const states: ReportState[] = [
    { range: '30d', chart: 'line', question: newInsights(null) },
    { range: { from: '2026-08-01', to: '2026-08-31' }, chart: 'ranking', filter: 'properties["ville"] == "Zürich 🏔"', question: newInsights('é"\\') },
    { range: '7d', chart: 'line', question: newFunnel(['A', 'B', 'C', 'D']) },
    { range: '12m', chart: 'columns', question: newRetention('A') },
  ];

  it.each(states)('comes back as it was: $question.kind $range', (state) => {
    expect(decodeState(`#${encodeState(state)}`, state.question.kind)).toEqual(state);
  });

  it('holds only characters that survive mails and chats', () => {
    expect(encodeState(states[1] as ReportState)).toMatch(/^[\w=&.~-]+$/);
  });

  it.each(['', '#', 'range=30d', 'range=30d&q=%%%', 'range=30d&q=bm90IGpzb24', 'range=2026-02-30..2026-03-01&q=e30', 'range=30d&q=e30'])(
    'takes nothing from %s',
    (fragment) => expect(decodeState(fragment, 'insights')).toBeNull(),
  );

  it('does not take another kind of report', () => {
    expect(decodeState(encodeState(states[2] as ReportState), 'retention')).toBeNull();
  });

  it('reads ranges', () => {
    expect(rangeOf('7d')).toBe('7d');
    expect(rangeOf('2026-01-01..2026-01-31')).toEqual({ from: '2026-01-01', to: '2026-01-31' });
    expect(rangeOf('2026-02-01..2026-01-31')).toBeNull();
    expect(rangeOf('8d')).toBeNull();
  });
});
