/** Editing the steps of a funnel: a step is one event or any of several, and exclusions and attribution name steps. */
import type { Attribution, EventSelector, Exclusion, FunnelQuestion, StepSelector } from '../api/types';
import { eventName } from './names';

/** The events that are the step: one or several. */
export function selectorsOf(step: StepSelector): EventSelector[] {
  const { any_of: several = [], event, filter } = step;
  return several.length > 0 ? several : [{ ...(event === undefined ? {} : { event }), ...(filter === undefined ? {} : { filter }) }];
}

/** The step with these events instead; one event takes the plain form. */
export function withSelectors(step: StepSelector, selectors: readonly EventSelector[]): StepSelector {
  const { first_time, anchored } = step;
  const flags = { ...(first_time ? { first_time } : {}), ...(anchored ? { anchored } : {}) };
  const [only, ...others] = selectors;
  return others.length === 0 ? { ...only, ...flags } : { any_of: [...selectors], ...flags };
}

export function stepLabel(step: StepSelector | undefined): string {
  return step ? selectorsOf(step).map(({ event }) => eventName(event)).join(' or ') : eventName(null);
}

/** What a bar stands for: in any order it is how many steps were done, whichever they were. */
export function placeLabel(question: FunnelQuestion, place: number): string {
  if (question.order !== 'any' || question.steps[place]?.anchored) return stepLabel(question.steps[place]);
  const anchored = (index: number) => question.steps[index]?.anchored === true;
  let first = place;
  while (first > 0 && !anchored(first - 1)) first -= 1;
  let end = place + 1;
  while (end < question.steps.length && !anchored(end)) end += 1;
  if (end - first === 1) return stepLabel(question.steps[place]);
  return `${place - first + 1} of ${question.steps.slice(first, end).map(stepLabel).join(', ')}`;
}

/** The parts of a question that still fit after step `removed` is gone. */
export function withoutStep(question: FunnelQuestion, removed: number): Partial<FunnelQuestion> {
  const steps = question.steps.toSpliced(removed, 1);
  const moved = (step: number) => (step > removed ? step - 1 : step);
  const exclusions = (question.exclusions ?? []).flatMap((exclusion): Exclusion[] => {
    const from = moved(exclusion.from ?? 0);
    const to = exclusion.to === null || exclusion.to === undefined ? undefined : Math.min(moved(exclusion.to), steps.length - 1);
    if (from >= (to ?? steps.length - 1)) return [];
    return [{ ...exclusion, from, ...(to === undefined ? {} : { to }) }];
  });
  const step = attributedStep(question.attribution);
  const attribution: Attribution | undefined = step === null ? question.attribution : { step: step === removed ? 0 : moved(step) };
  return { steps, exclusions, ...(attribution === undefined ? {} : { attribution }) };
}

/** The step that gives an attempt its segment, if it is a particular one. */
export function attributedStep(attribution: Attribution | undefined): number | null {
  if (attribution === undefined) return 0;
  return typeof attribution === 'object' ? attribution.step : null;
}

/** As the value of a select: `first`, `last`, `any` or the index of a step. */
export function attributionOf(choice: string): Attribution {
  return choice === 'first' || choice === 'last' || choice === 'any' ? choice : { step: Number(choice) };
}

export function attributionChoice(attribution: Attribution | undefined): string {
  return typeof attribution === 'string' ? attribution : String(attributedStep(attribution) ?? 0);
}

/** With anchors taken off where the order has none. */
export function withOrder(question: FunnelQuestion, order: 'ordered' | 'any' | 'strict'): Partial<FunnelQuestion> {
  if (order === 'any') return { order };
  return { order, steps: question.steps.map((step) => withFlag(step, 'anchored', false)) };
}

export function withFlag(step: StepSelector, flag: 'first_time' | 'anchored', on: boolean): StepSelector {
  if (on) return { ...step, [flag]: true };
  const changed = { ...step };
  if (flag === 'anchored') delete changed.anchored;
  else delete changed.first_time;
  return changed;
}

/** The selector with another filter, or none. */
export function withFilter<S extends { filter?: unknown }>(selector: S, filter: string | undefined): S {
  const changed = { ...selector };
  if (filter === undefined) delete changed.filter;
  else changed.filter = filter;
  return changed;
}
