//! A question in words, as the app shows it beside the number.

mod activity;
mod cell;
pub(crate) mod cohort;
mod flow;
mod funnel;
mod insights;
mod retention;

use crate::sql::SqlQuestion;
use ledger::Class;
use model::Expression;
use model::report::{
    Aggregate, Attempt, Breakdown, Cohorts, Compare, Edges, EventSelector, Frequency, Funnel, Insights, Intervals,
    Lifecycle, Measure, Metric, Question, Report, Retention, ShiftUnit, Stickiness, Unit,
};

/// The question as English sentences.
pub(crate) fn words(report: &Report, zone: &str) -> String {
    let asked = match &report.question {
        Question::Insights(insights) => insights::words(insights),
        Question::Funnel(funnel) => funnel::words(funnel),
        Question::Retention(retention) => retention::words(retention),
        Question::Frequency(frequency) => activity::frequency(frequency),
        Question::Stickiness(stickiness) => activity::stickiness(stickiness),
        Question::Lifecycle(lifecycle) => activity::lifecycle(lifecycle),
        Question::Flow(flow) => flow::words(flow),
    };
    let mut words = format!(
        "{asked} From {} to {}, days in {zone}.",
        report.range.from, report.range.to
    );
    if let Some(filter) = &report.filter {
        words.push_str(&format!(" Only events where {filter}."));
    }
    words
}

/// What an answer to a statement shows.
pub(crate) fn statement(question: &SqlQuestion, class: Class) -> String {
    let shown = match class {
        Class::D0 => "Numbers over ten or more persons each",
        Class::D1 => "Numbers, some of them over fewer than ten persons",
        Class::D2 | Class::D3 => "Rows, or numbers that cannot be shown to be over ten or more persons each",
    };
    format!(
        "{shown}; at most {} rows of the statement. Days and hours are in UTC.",
        question.limit
    )
}

fn selector(selector: &EventSelector) -> String {
    selected(selector.event.as_deref(), selector.filter.as_ref())
}

fn selected(event: Option<&str>, filter: Option<&Expression>) -> String {
    let event = event.map_or_else(|| "any event".to_owned(), |event| format!("\"{event}\""));
    match filter {
        None => event,
        Some(filter) => format!("{event} where {filter}"),
    }
}

fn split_by(breakdown: &[Expression], limit: usize) -> String {
    if breakdown.is_empty() {
        return String::new();
    }
    let values: Vec<String> = breakdown.iter().map(Expression::to_string).collect();
    format!(", split by {}, the {limit} largest", values.join(" and "))
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Quarter => "quarter",
    }
}

fn duration(length_ms: i64) -> String {
    let units = [
        (86_400_000, "day"),
        (3_600_000, "hour"),
        (60_000, "minute"),
        (1_000, "second"),
    ];
    for (unit_ms, name) in units {
        if length_ms % unit_ms == 0 && length_ms > 0 {
            let count = length_ms / unit_ms;
            return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        }
    }
    format!("{length_ms} ms")
}
