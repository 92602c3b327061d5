//! Insights in words.

use super::*;

pub(super) fn words(insights: &Insights) -> String {
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
