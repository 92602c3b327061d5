//! Insights in words.

use super::*;

pub(super) fn words(insights: &Insights) -> String {
    let metrics: Vec<String> = insights
        .metrics
        .iter()
        .enumerate()
        .map(|(index, metric)| {
            let words = of_metric(metric);
            match insights.formulas.is_empty() {
                true => words,
                false => format!("{}: {words}", letter(index)),
            }
        })
        .collect();
    let mut words = format!("{}, per {}", metrics.join("; "), unit(insights.unit));
    if insights.cumulative {
        words.push_str(", added up from the beginning of the range");
    }
    if let Some(rolling) = insights.rolling {
        words.push_str(&format!(
            ", over the {rolling} {}s that end with it",
            unit(insights.unit)
        ));
    }
    words.push_str(&split(insights));
    words.push('.');
    for formula in &insights.formulas {
        let name = match formula.name.is_empty() {
            true => String::new(),
            false => format!("\"{}\" = ", formula.name),
        };
        words.push_str(&format!(" Formula: {name}{}.", formula.formula.text()));
    }
    let hidden = insights.metrics.iter().enumerate().filter(|(_, metric)| metric.hidden);
    let hidden: Vec<String> = hidden.map(|(index, _)| letter(index).to_string()).collect();
    if !hidden.is_empty() {
        words.push_str(&format!(" Not shown: {}.", hidden.join(", ")));
    }
    if insights
        .metrics
        .iter()
        .any(|metric| metric.measure == Measure::Sessions)
    {
        words.push_str(&format!(
            " A session ends when a person does nothing for {}.",
            duration(insights.session_timeout_ms)
        ));
    }
    words.push_str(&compared(insights));
    words
}

fn letter(metric: usize) -> char {
    char::from(b'A' + metric as u8)
}

fn of_metric(metric: &Metric) -> String {
    let of = selected(metric.event.as_deref(), metric.filter.as_ref());
    match &metric.measure {
        Measure::Total => format!("Number of events: {of}"),
        Measure::Unique => format!("Distinct persons with {of}"),
        Measure::PerPerson => format!("Events per person: {of}"),
        Measure::Active { days: 1 } => format!("Distinct persons with {of} on the last day"),
        Measure::Active { days } => format!("Distinct persons with {of} in the last {days} days"),
        Measure::Sessions => format!("Sessions with {of}"),
        Measure::Frequency { aggregate } => {
            let aggregate = match aggregate {
                Aggregate::Mean => "Mean".to_owned(),
                Aggregate::Median => "Median".to_owned(),
                Aggregate::Percentile(percent) => format!("Percentile {percent}"),
                Aggregate::Min => "Smallest".to_owned(),
                Aggregate::Max => "Largest".to_owned(),
            };
            format!("{aggregate} number of events of a person: {of}")
        }
        Measure::Sum { property } => format!("Sum of {property} over {of}"),
        Measure::Mean { property } => format!("Mean of {property} over {of}"),
        Measure::Median { property } => format!("Median of {property} over {of}"),
        Measure::Percentile { property, percentile } => format!("Percentile {percentile} of {property} over {of}"),
        Measure::Min { property } => format!("Smallest {property} of {of}"),
        Measure::Max { property } => format!("Largest {property} of {of}"),
        Measure::Distinct { property } => format!("Distinct values of {property} over {of}"),
    }
}

fn split(insights: &Insights) -> String {
    if insights.breakdown.is_empty() {
        return String::new();
    }
    let values = insights.breakdown.iter().map(|breakdown| match breakdown {
        Breakdown::Values(value) => value.to_string(),
        Breakdown::Ranges {
            value,
            edges: Edges::Auto,
        } => format!("{value} in round ranges"),
        Breakdown::Ranges {
            value,
            edges: Edges::At(edges),
        } => {
            let edges: Vec<String> = edges.iter().map(f64::to_string).collect();
            format!("{value} in ranges with edges at {}", edges.join(", "))
        }
    });
    let values: Vec<String> = values.collect();
    let other = if insights.other { " and the others together" } else { "" };
    format!(
        ", split by {}, the {} largest{other}",
        values.join(" and "),
        insights.limit
    )
}

fn compared(insights: &Insights) -> String {
    if insights.compare_previous {
        return " Beside it the same for the range of equal length before.".into();
    }
    match &insights.compare {
        None => String::new(),
        Some(Compare::Shift { count, unit }) => {
            let unit = match unit {
                ShiftUnit::Day => "day",
                ShiftUnit::Week => "week",
                ShiftUnit::Month => "month",
                ShiftUnit::Quarter => "quarter",
                ShiftUnit::Year => "year",
            };
            let plural = if *count == 1 { "" } else { "s" };
            format!(" Beside it the same for the range {count} {unit}{plural} before.")
        }
        Some(Compare::Where { filter }) => format!(" Beside it the same for only the events where {filter}."),
    }
}
