//! The slow, obviously right evaluator of report definitions.
//!
//! Every number that Frostpane shows can be checked here: plain loops over plain lists, one pass per question asked,
//! nothing cached, nothing shared with the engine but the words of `model`. Where this crate and `query` differ, one
//! of them is wrong, and `model::report` says which. It is written to be read beside that module, sentence by
//! sentence; speed is no aim.
//!
//! What the definitions leave open is decided as follows, in both engines:
//! - An explicit null reads as *not set*.
//! - A group key reads as the list of its group numbers.
//! - Arithmetic whose result no double holds is not set, like a division by zero.
//! - A breakdown by an instant (`event["$time"]`) shows local time as ISO text.
//! - Segments of equal size are ordered: not set, booleans, numbers, texts.
//! - A local hour or minute that the clock shows without interruption is one bucket, so that the hour repeated in
//!   autumn is one bucket of two hours, and the minutes of it come twice.
//! - Whatever a definition evaluates, it evaluates on every event it applies to, so a type error (contract X9)
//!   does not depend on the order of evaluation.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod calendar;
mod cohort;
mod expression;
mod flow;
mod frequency;
mod funnel;
mod history;
mod insights;
mod lifecycle;
mod retention;
mod segment;
mod sessions;
mod surroundings;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use model::report::{Answer, InvalidReport, Question, Report, ReportCell};
use model::{Cohort, EventTime, Expression, PersonNumber};
use std::collections::BTreeSet;
use surroundings::Surroundings;

pub use expression::TypeError;
pub use history::{History, HistoryEvent};

/// Why the reference has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The definition breaks a rule of its kind, or names an unknown time zone or a date that no calendar has.
    #[error(transparent)]
    Invalid(#[from] InvalidReport),
    /// An expression met a value of a type that it cannot use (contract X9).
    #[error(transparent)]
    Type(#[from] TypeError),
}

/// Answers `report` over `history`; `now` decides what has begun and what is over.
pub fn answer(
    report: &Report,
    timezone_default: &str,
    history: &History,
    now: EventTime,
) -> Result<Answer, ReferenceError> {
    report.check()?;
    let zone = zone(report.timezone.as_deref().unwrap_or(timezone_default))?;
    let around = Surroundings::new(history, timezone_default, now);
    around.prepare(report)?;
    let asked = Asked {
        report,
        zone: &zone,
        rows: history::rows(&around),
        now,
    };
    Ok(match &report.question {
        Question::Insights(insights) => Answer::Insights(insights::answer(&asked, insights)?),
        Question::Funnel(funnel) => Answer::Funnel(funnel::answer(&asked, funnel)?),
        Question::Retention(retention) => Answer::Retention(retention::answer(&asked, retention)?),
        Question::Frequency(frequency) => Answer::Frequency(frequency::frequency(&asked, frequency)?),
        Question::Stickiness(stickiness) => Answer::Stickiness(frequency::stickiness(&asked, stickiness)?),
        Question::Lifecycle(lifecycle) => Answer::Lifecycle(lifecycle::answer(&asked, lifecycle)?),
        Question::Flow(flow) => Answer::Flow(flow::answer(&asked, flow)?),
    })
}

/// Who is behind one number of the answer to `report`.
pub fn members(
    report: &Report,
    cell: &ReportCell,
    timezone_default: &str,
    history: &History,
    now: EventTime,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    members_among(&Surroundings::new(history, timezone_default, now), report, cell)
}

fn members_among(
    around: &Surroundings<'_>,
    report: &Report,
    cell: &ReportCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    report.check()?;
    cell.check(report)?;
    let zone = zone(report.timezone.as_deref().unwrap_or(around.timezone))?;
    around.prepare(report)?;
    let asked = Asked {
        report,
        zone: &zone,
        rows: history::rows(around),
        now: around.now,
    };
    Ok(match (cell, &report.question) {
        (ReportCell::Insights(cell), Question::Insights(insights)) => insights::members(&asked, insights, cell)?,
        (ReportCell::Flow(cell), Question::Flow(flow)) => flow::members(&asked, flow, cell)?,
        (ReportCell::Funnel(cell), Question::Funnel(funnel)) => funnel::members(&asked, funnel, cell)?,
        (ReportCell::Retention(cell), Question::Retention(retention)) => retention::members(&asked, retention, cell)?,
        (ReportCell::Frequency(cell), Question::Frequency(frequency)) => frequency::members(&asked, frequency, cell)?,
        (ReportCell::Stickiness(cell), Question::Stickiness(stickiness)) => {
            frequency::sticky_members(&asked, stickiness, cell)?
        }
        (ReportCell::Lifecycle(cell), Question::Lifecycle(lifecycle)) => lifecycle::members(&asked, lifecycle, cell)?,
        _ => BTreeSet::new(),
    })
}

/// Who is in a cohort at `now`.
pub fn cohort(
    cohort: &Cohort,
    timezone: &str,
    history: &History,
    now: EventTime,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    cohort.check()?;
    cohort::members(&Surroundings::new(history, timezone, now), cohort)
}

/// What the event selected by `expression` has as its value, for checking single expressions.
pub fn evaluate(
    expression: &Expression,
    timezone: &str,
    history: &History,
) -> Result<Vec<model::report::Segment>, ReferenceError> {
    let zone = zone(timezone)?;
    let around = Surroundings::new(history, timezone, EventTime(0));
    let rows = history::rows(&around);
    let mut values = Vec::new();
    for row in &rows {
        values.push(segment::values_of(
            &expression::evaluate(expression, row, &zone)?,
            &zone,
        ));
    }
    Ok(values)
}

fn zone(name: &str) -> Result<TimeZone, InvalidReport> {
    TimeZone::get(name).map_err(|_| InvalidReport {
        at: "/timezone",
        message: "no such time zone".into(),
    })
}

/// A question with everything it is asked of.
struct Asked<'a> {
    report: &'a Report,
    zone: &'a TimeZone,
    rows: Vec<history::Row<'a>>,
    now: EventTime,
}

impl Asked<'_> {
    /// The rows with `from_ms <= time < to_ms`, of an event that one of `selectors` names, that pass the report's filter.
    fn rows_between<'s>(
        &self,
        from_ms: i64,
        to_ms: i64,
        events: impl Iterator<Item = &'s Option<String>> + Clone,
    ) -> Result<Vec<&history::Row<'_>>, TypeError> {
        let mut kept = Vec::new();
        for row in &self.rows {
            let named = events
                .clone()
                .any(|event| event.as_ref().is_none_or(|name| *name == row.event.name));
            if named
                && from_ms <= row.event.time.0
                && row.event.time.0 < to_ms
                && self.passes(&self.report.filter, row)?
            {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// Whether an event is selected by name and filter.
    fn selects(
        &self,
        event: &Option<String>,
        filter: &Option<Expression>,
        row: &history::Row<'_>,
    ) -> Result<bool, TypeError> {
        if event.as_ref().is_some_and(|name| *name != row.event.name) {
            return Ok(false);
        }
        self.passes(filter, row)
    }

    fn passes(&self, filter: &Option<Expression>, row: &history::Row<'_>) -> Result<bool, TypeError> {
        match filter {
            None => Ok(true),
            Some(filter) => Ok(expression::evaluate(filter, row, self.zone)? == expression::Evaluated::Bool(true)),
        }
    }
}
