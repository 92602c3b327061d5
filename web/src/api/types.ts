/** Short names for the generated schema; nothing is declared here by hand. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Report = Schemas['Report'];
export type Question = Schemas['Question'];
export type InsightsQuestion = Extract<Question, { kind: 'insights' }>;
export type FunnelQuestion = Extract<Question, { kind: 'funnel' }>;
export type RetentionQuestion = Extract<Question, { kind: 'retention' }>;
export type Metric = Schemas['Metric'];
export type Measure = Schemas['Measure'];
export type EventSelector = Schemas['EventSelector'];
export type Unit = Schemas['Unit'];
export type InsightsAnswer = Schemas['InsightsAnswer'];
export type Series = Schemas['Series'];
export type FunnelAnswer = Schemas['FunnelAnswer'];
export type FunnelSegment = Schemas['FunnelSegment'];
export type FunnelStep = Schemas['FunnelStep'];
export type RetentionAnswer = Schemas['RetentionAnswer'];
export type Cohort = Schemas['Cohort'];
export type Explained = Schemas['Explained'];
export type Explanation = Schemas['Explanation'];
export type DisclosureClass = Schemas['Class'];
export type Session = Schemas['Session'];
export type ProjectSummary = Schemas['ProjectSummary'];
export type Schema = Schemas['Schema'];
export type EventInfo = Schemas['EventInfo'];
export type PropertyInfo = Schemas['PropertyInfo'];
export type LiveEvent = Schemas['LiveEvent'];
export type PersonRow = Schemas['PersonRow'];
export type Person = Schemas['Person'];
export type PurposeCode = Schemas['PurposeCode'];
export type Purpose = Schemas['Purpose'];
export type Revealed = Schemas['Revealed'];
export type LedgerEntry = Schemas['LedgerEntry'];
export type Setup = Schemas['Setup'];
export type SavedReport = Schemas['SavedReport'];
export type ErrorBody = Schemas['ErrorBody'];
