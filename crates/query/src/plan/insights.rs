//! Plan parts of insights.

use super::{Parts, RowsBuilder, Source, wanted_bucket};
use crate::QueryError;
use crate::operators::cells::{WHOLE_RANGE, Wanted};
use crate::operators::insights::{Figure, InsightsOperator};
use crate::windows::Timeline;
use hashbrown::HashSet;
use model::report::{Breakdown, DateRange, Edges, Insights, InsightsCell, Measure, Metric};
use std::sync::Arc;

pub(super) fn wanted(cell: &InsightsCell) -> Wanted {
    Wanted {
        series: cell.metric as u32,
        bucket: cell.bucket.map_or(WHOLE_RANGE, wanted_bucket),
        segment: cell.segment.clone(),
    }
}

/// With `rest_of`, for all segments but those together.
pub(super) fn parts(
    source: &Source,
    insights: &Insights,
    range: DateRange,
    rest_of: Option<Arc<HashSet<String>>>,
    wanted: Option<Wanted>,
) -> Result<Parts, QueryError> {
    let timeline = Timeline::new(insights, range, &source.zone.rules)?;
    let (from_ms, to_ms) = timeline.read_ms;
    // A number's members are of one metric.
    let distinct = match wanted {
        Some(_) => (0..insights.metrics.len()).collect(),
        None => distinct(insights),
    };
    let metrics = || distinct.iter().map(|metric| &insights.metrics[*metric]);
    let events = metrics().map(|metric| metric.event.clone()).collect();
    let mut rows = RowsBuilder::new(from_ms, to_ms, events, false);
    if metrics().any(|metric| metric.measure == Measure::Sessions) {
        rows.keep_all();
    }
    for (index, metric) in metrics().enumerate() {
        rows.filter(source, index, metric.filter.as_ref())?;
        match (figure(&metric.measure), metric.measure.property()) {
            (Figure::Values, Some(property)) => rows.value(source, index, property)?,
            (_, Some(property)) => rows.number(source, index, property)?,
            (_, None) => {}
        }
    }
    for (index, breakdown) in insights.breakdown.iter().enumerate() {
        match breakdown {
            Breakdown::Values(value) => rows.breakdown(source, index, value)?,
            Breakdown::Ranges { value, .. } => rows.breakdown_number(source, index, value)?,
        }
    }
    let operator = InsightsOperator {
        metrics: metrics()
            .map(|metric| (metric.event.clone(), figure(&metric.measure)))
            .collect(),
        breakdowns: insights.breakdown.len(),
        edges: insights.breakdown.iter().map(edges).collect(),
        slots: timeline.slots.clone(),
        windows: distinct
            .iter()
            .map(|metric| timeline.windows[*metric].clone())
            .collect(),
        session_timeout_ms: insights.session_timeout_ms,
        rest_of,
        wanted,
    };
    Ok((Arc::new(operator), rows, Some(timeline.slots)))
}

/// The metrics that need cells of their own: others read those of one before them.
fn distinct(insights: &Insights) -> Vec<usize> {
    let mut distinct = Vec::new();
    for (metric, series) in series(insights).into_iter().enumerate() {
        if series == distinct.len() {
            distinct.push(metric);
        }
    }
    distinct
}

/// By metric, the series of cells that it reads. Metrics that look at the same of the same rows, like two percentiles of
/// a property, have one.
pub(crate) fn series(insights: &Insights) -> Vec<usize> {
    let mut distinct: Vec<&Metric> = Vec::new();
    let series = insights.metrics.iter().map(|metric| {
        let known = distinct.iter().position(|other| reads_like(metric, other));
        known.unwrap_or_else(|| {
            distinct.push(metric);
            distinct.len() - 1
        })
    });
    series.collect()
}

fn reads_like(metric: &Metric, other: &Metric) -> bool {
    let reads = |metric: &Metric| {
        let days = match metric.measure {
            Measure::Active { days } => Some(days),
            _ => None,
        };
        (figure(&metric.measure), days)
    };
    metric.event == other.event
        && metric.filter == other.filter
        && reads(metric) == reads(other)
        && metric.measure.property() == other.measure.property()
}

/// What a measure needs of its cells.
pub(crate) fn figure(measure: &Measure) -> Figure {
    match measure {
        Measure::Total => Figure::Events,
        Measure::Unique | Measure::PerPerson | Measure::Active { .. } => Figure::Persons,
        Measure::Frequency { .. } => Figure::Frequency,
        Measure::Sessions => Figure::Sessions,
        Measure::Sum { .. } | Measure::Mean { .. } | Measure::Min { .. } | Measure::Max { .. } => Figure::Numbers,
        // The smallest and the largest number.
        Measure::Percentile {
            percentile: 0.0 | 100.0,
            ..
        } => Figure::Numbers,
        Measure::Median { .. } | Measure::Percentile { .. } => Figure::Spread,
        Measure::Distinct { .. } => Figure::Values,
    }
}

/// Automatic edges have become fixed ones before planning, but for a plan that is only shown.
fn edges(breakdown: &Breakdown) -> Option<Arc<[f64]>> {
    match breakdown {
        Breakdown::Values(_) => None,
        Breakdown::Ranges { edges, .. } => Some(match edges {
            Edges::Auto => Arc::new([]),
            Edges::At(edges) => edges.as_slice().into(),
        }),
    }
}
