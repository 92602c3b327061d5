import { describe, expect, it } from 'vitest';
import type { Annotation } from '../api/types';
import { marksOf } from './marks';

function note(id: number, iso: string, tags: string[] = []): Annotation {
  const time_ms = Date.parse(iso);
  const record = { id, name: '', version: 1, created_ms: 0, created_by: '', changed_ms: 0, changed_by: '' };
  return { ...record, annotation: { time_ms, date: '', description: `note ${id}`, tags } };
}

const DAYS = ['2026-08-01', '2026-08-02', '2026-08-03'];

describe('marks', () => {
  it('stand at the bucket of their time in the zone of the report', () => {
    const notes = [note(1, '2026-08-01T23:30:00Z', ['a']), note(2, '2026-08-02T12:00:00Z')];
    const inUtc = marksOf(notes, DAYS, '2026-08-03', 'UTC', 'en-GB');
    expect(inUtc.map(({ bucket }) => bucket)).toEqual([0, 1]);
    expect(inUtc[0]?.notes[0]).toEqual({ id: 1, when: '1 Aug 2026, 23:30', text: 'note 1', tags: ['a'] });
    const inParis = marksOf(notes, DAYS, '2026-08-03', 'Europe/Paris', 'en-GB');
    expect(inParis.map(({ bucket, notes: found }) => [bucket, found.length])).toEqual([[1, 2]]);
  });

  it('leave out what lies before or after', () => {
    const notes = [note(1, '2026-07-31T23:59:59Z'), note(2, '2026-08-04T00:00:00Z'), note(3, '2026-08-03T23:59:59Z')];
    expect(marksOf(notes, DAYS, '2026-08-03', 'UTC').map(({ bucket }) => bucket)).toEqual([2]);
  });

  it('go by the hour where buckets are hours', () => {
    const hours = ['2026-08-01 00:00:00', '2026-08-01 01:00:00'];
    expect(marksOf([note(1, '2026-08-01T01:00:00Z')], hours, '2026-08-01', 'UTC', 'en-GB')[0]).toMatchObject({ bucket: 1 });
    expect(marksOf([note(1, '2026-08-01T00:00:00Z')], hours, '2026-08-01', 'UTC', 'en-GB')[0]?.notes[0]?.when).toBe('1 Aug 2026');
  });
});
