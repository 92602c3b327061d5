import { describe, expect, it } from 'vitest';
import type { FunnelQuestion } from '../api/types';
import { newFunnel } from './definition';
import { attributionChoice, attributionOf, placeLabel, selectorsOf, stepLabel, withOrder, withSelectors, withoutStep } from './funnel_steps';

const question: FunnelQuestion = newFunnel(['A', 'B', 'C']);

describe('steps', () => {
  it('is one event or any of several, and goes back to the plain form', () => {
    const plain = { event: 'A', filter: 'true', first_time: true };
    const several = withSelectors(plain, [...selectorsOf(plain), { event: 'B' }]);
    expect(several).toEqual({ any_of: [{ event: 'A', filter: 'true' }, { event: 'B' }], first_time: true });
    expect(stepLabel(several)).toBe('A or B');
    expect(withSelectors(several, selectorsOf(several).slice(0, 1))).toEqual(plain);
  });

  it('says how many of a group are done where the order is open', () => {
    const steps = [{ event: 'A', anchored: true }, { event: 'B' }, { event: 'C' }];
    const labels = [0, 1, 2].map((place) => placeLabel({ ...question, order: 'any', steps }, place));
    expect(labels).toEqual(['A', '1 of B, C', '2 of B, C']);
    expect(placeLabel(question, 1)).toBe('B');
  });

  it('keeps exclusions and attribution on their steps when one is removed', () => {
    const exclusions = [{ event: 'X', from: 0, to: 2 }, { event: 'Y', from: 1, to: 2 }, { event: 'Z', from: 0 }];
    const left = withoutStep({ ...question, exclusions, attribution: { step: 2 } }, 1);
    expect(left.exclusions).toEqual([{ event: 'X', from: 0, to: 1 }, { event: 'Z', from: 0 }]);
    expect(left.attribution).toEqual({ step: 1 });
    expect(withoutStep({ ...question, attribution: 'last' }, 0).attribution).toBe('last');
    expect(withoutStep({ ...question, attribution: { step: 1 } }, 1).attribution).toEqual({ step: 0 });
  });

  it('reads attribution back as it was chosen', () => {
    for (const choice of ['first', 'last', 'any', '0', '2']) expect(attributionChoice(attributionOf(choice))).toBe(choice);
    expect(attributionChoice(undefined)).toBe('0');
  });

  it('has no anchors where the order is fixed', () => {
    const anchored = { ...question, steps: [{ event: 'A', anchored: true }, { event: 'B' }] };
    expect(withOrder(anchored, 'strict')).toEqual({ order: 'strict', steps: [{ event: 'A' }, { event: 'B' }] });
    expect(withOrder(anchored, 'any')).toEqual({ order: 'any' });
  });
});
