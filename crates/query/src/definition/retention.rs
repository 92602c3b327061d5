//! Retention in words.

use super::*;

pub(super) fn words(retention: &Retention) -> String {
    let born = match retention.cohorts {
        Cohorts::Birth => "by the first",
        Cohorts::Recurring => "by every",
    };
    let unit = unit(retention.unit);
    let rule = match retention.rule {
        Intervals::Rolling => "counted from each person's own first event",
        Intervals::Calendar => "counted by the calendar",
    };
    let when = if retention.on_or_after { "in or after" } else { "in" };
    let mut words = format!(
        "Persons grouped by {unit} {born} {}, and how many of them came back with {} {when} each of the next {} {unit}s, {rule}",
        selector(&retention.born),
        selector(&retention.returning),
        retention.intervals,
    );
    words.push_str(&split_by(retention.breakdown.as_slice(), retention.limit));
    words.push('.');
    words
}
