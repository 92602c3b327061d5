//! Numbers over time.

use crate::calendar::{bucket_of, buckets, day_end, day_start, names};
use crate::expression::{Evaluated, evaluate};
use crate::segment::{combine, largest_first, values_of};
use crate::{Asked, ReferenceError};
use jiff::ToSpan;
use model::PersonNumber;
use model::report::{DateRange, Insights, InsightsAnswer, InvalidReport, Measure, Metric, Segment, Series};

/// An event that a metric selects, in one of its segments.
struct Counted {
    metric: usize,
    segment: Segment,
    bucket: usize,
    person: PersonNumber,
    number: Option<f64>,
}

pub(crate) fn answer(asked: &Asked<'_>, insights: &Insights) -> Result<InsightsAnswer, ReferenceError> {
    let mut answer = answer_range(asked, insights, asked.report.range)?;
    if insights.compare_previous {
        let previous = range_before(asked.report.range)?;
        answer.previous = Some(Box::new(answer_range(asked, insights, previous)?));
    }
    Ok(answer)
}

/// The range of equal length that ends the day before.
fn range_before(range: DateRange) -> Result<DateRange, InvalidReport> {
    let outside = |_| InvalidReport {
        at: "/range",
        message: "the range before leaves the calendar".into(),
    };
    let days_between = (range.to - range.from).get_days();
    let to = range.from.yesterday().map_err(outside)?;
    let from = to.checked_sub(days_between.days()).map_err(outside)?;
    Ok(DateRange { from, to })
}

fn answer_range(asked: &Asked<'_>, insights: &Insights, range: DateRange) -> Result<InsightsAnswer, ReferenceError> {
    let buckets = buckets(range.from, range.to, insights.unit, asked.zone)?;
    let events = insights.metrics.iter().map(|metric| &metric.event);
    let rows = asked.rows_between(
        day_start(range.from, asked.zone)?,
        day_end(range.to, asked.zone)?,
        events,
    )?;

    let mut counted: Vec<Counted> = Vec::new();
    for row in rows {
        for (metric, definition) in insights.metrics.iter().enumerate() {
            if !asked.selects(&definition.event, &definition.filter, row)? {
                continue;
            }
            let mut values = Vec::new();
            for breakdown in &insights.breakdown {
                values.push(values_of(&evaluate(breakdown, row, asked.zone)?, asked.zone));
            }
            let number = match property_of(definition) {
                Some(property) => match evaluate(property, row, asked.zone)? {
                    Evaluated::Number(number) => Some(number),
                    _ => None,
                },
                None => None,
            };
            for segment in combine(&values) {
                counted.push(Counted {
                    metric,
                    segment,
                    bucket: bucket_of(&buckets, row.event.time.0),
                    person: row.person,
                    number,
                });
            }
        }
    }

    let mut segments: Vec<Segment> = Vec::new();
    if insights.breakdown.is_empty() {
        segments.push(Vec::new());
    }
    for one in &counted {
        if !segments.contains(&one.segment) {
            segments.push(one.segment.clone());
        }
    }
    let value = |metric: usize, segment: &Segment, bucket: Option<usize>| {
        let selected = counted
            .iter()
            .filter(|one| one.metric == metric && one.segment == *segment && bucket.is_none_or(|b| b == one.bucket));
        measured(&insights.metrics[metric].measure, selected)
    };
    let metrics = 0..insights.metrics.len();
    let segments_total = segments.len();
    let sized = segments.into_iter().map(|segment| {
        let size = metrics.clone().map(|metric| value(metric, &segment, None)).sum::<f64>();
        (segment, size)
    });
    let mut shown = largest_first(sized.collect());
    shown.truncate(insights.limit);

    let mut series = Vec::new();
    for metric in metrics {
        for segment in &shown {
            series.push(Series {
                metric,
                segment: segment.clone(),
                values: (0..buckets.len())
                    .map(|bucket| value(metric, segment, Some(bucket)))
                    .collect(),
                total: value(metric, segment, None),
            });
        }
    }
    Ok(InsightsAnswer {
        buckets: names(&buckets),
        series,
        segments_total,
        previous: None,
    })
}

fn property_of(metric: &Metric) -> Option<&model::Expression> {
    match &metric.measure {
        Measure::Total | Measure::Unique | Measure::PerPerson => None,
        Measure::Sum { property }
        | Measure::Mean { property }
        | Measure::Min { property }
        | Measure::Max { property } => Some(property),
    }
}

fn measured<'a>(measure: &Measure, events: impl Iterator<Item = &'a Counted>) -> f64 {
    let events: Vec<&Counted> = events.collect();
    let mut persons: Vec<PersonNumber> = Vec::new();
    for event in &events {
        if !event.person.is_nobody() && !persons.contains(&event.person) {
            persons.push(event.person);
        }
    }
    let numbers: Vec<f64> = events.iter().filter_map(|event| event.number).collect();
    let sum: f64 = numbers.iter().sum();
    match measure {
        Measure::Total => events.len() as f64,
        Measure::Unique => persons.len() as f64,
        Measure::PerPerson if persons.is_empty() => 0.0,
        Measure::PerPerson => {
            events.iter().filter(|event| !event.person.is_nobody()).count() as f64 / persons.len() as f64
        }
        Measure::Sum { .. } => sum + 0.0,
        _ if numbers.is_empty() => 0.0,
        Measure::Mean { .. } => sum / numbers.len() as f64,
        Measure::Min { .. } => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Measure::Max { .. } => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}
