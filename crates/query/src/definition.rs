//! A question in words, as the app shows it beside the number.

use model::Expression;
use model::report::{
    Attempt, Cohorts, EventSelector, Funnel, Insights, Intervals, Measure, Metric, Question, Report, Retention, Unit,
};

/// The question as English sentences.
pub(crate) fn words(report: &Report, zone: &str) -> String {
    let asked = match &report.question {
        Question::Insights(insights) => of_insights(insights),
        Question::Funnel(funnel) => of_funnel(funnel),
        Question::Retention(retention) => of_retention(retention),
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

fn of_insights(insights: &Insights) -> String {
    let metrics: Vec<String> = insights.metrics.iter().map(of_metric).collect();
    let mut words = format!("{}, per {}", metrics.join("; "), unit(insights.unit));
    words.push_str(&split_by(&insights.breakdown, insights.limit));
    words.push('.');
    if insights.compare_previous {
        words.push_str(" Beside it the same for the range of equal length before.");
    }
    words
}

fn of_metric(metric: &Metric) -> String {
    let of = selected(metric.event.as_deref(), metric.filter.as_ref());
    match &metric.measure {
        Measure::Total => format!("Number of events: {of}"),
        Measure::Unique => format!("Distinct persons with {of}"),
        Measure::PerPerson => format!("Events per person: {of}"),
        Measure::Sum { property } => format!("Sum of {property} over {of}"),
        Measure::Mean { property } => format!("Mean of {property} over {of}"),
        Measure::Min { property } => format!("Smallest {property} of {of}"),
        Measure::Max { property } => format!("Largest {property} of {of}"),
    }
}

fn of_funnel(funnel: &Funnel) -> String {
    let steps: Vec<String> = funnel.steps.iter().map(selector).collect();
    let attempt = match funnel.attempt {
        Attempt::First => "their first attempt",
        Attempt::Furthest => "the attempt in which they came furthest",
    };
    let mut words = format!(
        "Persons who went through these steps in order within {}, counted once by {attempt}: {}",
        duration(funnel.window_ms),
        steps.join(", then ")
    );
    if let Some(trend) = funnel.unit {
        words.push_str(&format!("; also per {} of the start", unit(trend)));
    }
    words.push_str(&split_by(funnel.breakdown.as_slice(), funnel.limit));
    if funnel.tie_ms > 0 {
        words.push_str(&format!(
            ". Events within {} of each other may come in either order",
            duration(funnel.tie_ms)
        ));
    }
    words.push('.');
    words
}

fn of_retention(retention: &Retention) -> String {
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
