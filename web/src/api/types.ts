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
export type RetentionAnswer = Schemas['RetentionAnswer'];
export type Cohort = Schemas['Cohort'];
export type Explained = Schemas['Explained'];
export type Explanation = Schemas['Explanation'];
export type DisclosureClass = Schemas['Class'];
export type Session = Schemas['SessionView'];
export type Project = Schemas['ProjectView'];
export type Schema = Schemas['SchemaView'];
export type Value = Schemas['ValueView'];
export type EventRow = Schemas['EventRowView'];
export type PersonRow = Schemas['PersonView'];
export type Profile = Schemas['ProfileView'];
export type PurposeCode = Schemas['PurposeCode'];
export type Purpose = Schemas['PurposeBody'];
export type Revealed = Schemas['RevealView'];
export type LedgerEntry = Schemas['LedgerEntryView'];
export type Setup = Schemas['SetupView'];
export type SavedReport = Schemas['SavedReport'];
