//! From cells to an answer, noting whom it shows.
//!
//! An answer is class D1 when one of its cells holds one to nine persons, and then discloses exactly these (secrecy
//! contract 5.1). Only cells that are in the answer count: a segment beyond the limit shows nobody.

mod flow;
mod formula;
mod frequency;
mod funnel;
pub(crate) mod insights;
mod lifecycle;
mod retention;

use crate::QueryError;
use crate::calendar::Buckets;
use crate::operators::cells::{Cell, Cells};
use crate::persons::Crowd;
use crate::plan;
use crate::segments::compare;
use datafusion::error::DataFusionError;
use jiff::tz::TimeZone;
use ledger::{Class, Disclosure};
use model::report::{Answer, FlowAnswer, Question, Report, ReportCell, Segment};
use model::{EventTime, PersonNumber};
use roaring::RoaringTreemap;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The cells of a report, and the buckets they speak of.
pub(crate) struct Computed {
    pub cells: Cells,
    pub buckets: Option<std::sync::Arc<Buckets>>,
    /// A flow's answer, and whom it shows.
    pub flow: Option<(FlowAnswer, RoaringTreemap)>,
}

/// Builds the answer and collects the persons of its small cells.
pub(crate) struct Reading<'a> {
    pub report: &'a Report,
    pub zone: &'a TimeZone,
    pub now: EventTime,
    shown: RoaringTreemap,
}

impl<'a> Reading<'a> {
    pub fn new(report: &'a Report, zone: &'a TimeZone, now: EventTime) -> Reading<'a> {
        Reading {
            report,
            zone,
            now,
            shown: RoaringTreemap::new(),
        }
    }

    /// The answer of every kind but insights, which are several computations; see [`Reading::insights`].
    pub fn answer(&mut self, computed: Computed) -> Result<Answer, QueryError> {
        Ok(match &self.report.question {
            Question::Insights(_) => {
                let fault = DataFusionError::Internal("insights are read by themselves".into());
                return Err(QueryError::Internal(fault));
            }
            Question::Funnel(funnel) => Answer::Funnel(self.funnel(funnel, computed)),
            Question::Retention(retention) => Answer::Retention(self.retention(retention, computed)?),
            Question::Frequency(frequency) => Answer::Frequency(self.frequency(frequency, computed)?),
            Question::Stickiness(stickiness) => Answer::Stickiness(self.stickiness(stickiness, computed)?),
            Question::Lifecycle(lifecycle) => Answer::Lifecycle(self.lifecycle(lifecycle, computed)?),
            Question::Flow(_) => Answer::Flow(self.flow(computed)?),
        })
    }

    /// What handing out the answer discloses.
    pub fn disclosure(self, question_digest: [u8; 32]) -> Disclosure {
        let class = if self.shown.is_empty() { Class::D0 } else { Class::D1 };
        let fields = match class {
            Class::D0 => Default::default(),
            _ => fields_of(self.report),
        };
        Disclosure {
            class,
            persons: self.shown,
            fields,
            question_digest,
        }
    }

    /// Notes that a cell is in the answer.
    fn show<'c>(&mut self, cell: Option<&'c Cell>) -> Option<&'c Cell> {
        let cell = cell?;
        self.show_crowd(&cell.crowd);
        Some(cell)
    }

    /// Notes that the answer is about a person, whatever its numbers are.
    pub fn show_person(&mut self, person: PersonNumber) {
        self.shown.insert(person.0);
    }

    /// Notes that a number of these persons is in the answer.
    fn show_crowd(&mut self, crowd: &Crowd) {
        if !crowd.is_many() {
            self.shown.extend(crowd.few().iter().copied());
        }
    }
}

/// What an answer about single persons says of them: properties and events of the question.
fn fields_of(report: &Report) -> BTreeSet<String> {
    let fields = plan::fields_of(&plan::expressions(report));
    let events = plan::events(report).into_iter().flatten().cloned();
    fields.into_iter().chain(events).collect()
}

/// What being behind a number of the report says of a person.
pub(crate) fn fields_behind(report: &Report, cell: &ReportCell) -> BTreeSet<String> {
    let mut fields = fields_of(report);
    fields.extend(cell.events().into_iter().map(str::to_owned));
    fields
}

/// Places of segments, largest first, then by value.
fn largest_first(cells: &Cells, mut sized: Vec<(u32, f64)>) -> Vec<u32> {
    let segment = |place: u32| -> &Segment { &cells.segments()[place as usize] };
    sized.sort_by(|(left, left_size), (right, right_size)| {
        right_size
            .partial_cmp(left_size)
            .unwrap_or(Ordering::Equal)
            .then_with(|| compare(segment(*left), segment(*right)))
    });
    sized.into_iter().map(|(place, _)| place).collect()
}

/// Names of the buckets that an answer shows.
fn names(buckets: Option<&Buckets>) -> Vec<String> {
    buckets.map(|buckets| buckets.names.clone()).unwrap_or_default()
}
