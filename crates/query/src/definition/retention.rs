//! Retention in words.

use super::*;

pub(super) fn words(retention: &Retention) -> String {
    let born = match retention.cohorts {
        Cohorts::Birth => "by the first",
        Cohorts::FirstEver => "by the first ever",
        Cohorts::Recurring => "by every",
    };
    let unit = unit(retention.unit);
    let rule = match retention.rule {
        Intervals::Rolling if retention.unit == Unit::Month => "in 30 days each from each person's own first event",
        Intervals::Rolling => "counted from each person's own first event",
        Intervals::Calendar => "counted by the calendar",
    };
    let when = if retention.on_or_after { "in or after" } else { "in" };
    let mut words = format!(
        "Persons grouped by {unit} {born} {}, and how many of them came back with {} {when} each of {}, {rule}",
        selector(&retention.born),
        selector(&retention.returning),
        intervals(retention),
    );
    words.push_str(&split_by(retention.breakdown.as_slice(), retention.limit));
    words.push('.');
    words
}

fn intervals(retention: &Retention) -> String {
    let unit = unit(retention.unit);
    if retention.brackets.is_empty() {
        return format!("the next {} {unit}s", retention.intervals);
    }
    let mut from = 0;
    let brackets = retention.brackets.iter().map(|units| {
        let to = from + units - 1;
        let words = if from == to {
            from.to_string()
        } else {
            format!("{from}–{to}")
        };
        from = to + 1;
        words
    });
    format!("the {unit}s {}", brackets.collect::<Vec<_>>().join(", "))
}
