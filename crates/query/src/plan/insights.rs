//! Plan parts of insights.

use super::{Parts, RowsBuilder, Source, wanted_bucket};
use crate::QueryError;
use crate::operators::cells::{WHOLE_RANGE, Wanted};
use crate::operators::insights::{Figure, InsightsOperator};
use crate::windows::Timeline;
use hashbrown::HashSet;
use model::report::{Breakdown, DateRange, Edges, Insights, InsightsCell, Measure};
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
    let events = insights.metrics.iter().map(|metric| metric.event.clone()).collect();
    let mut rows = RowsBuilder::new(from_ms, to_ms, events, false);
    if insights
        .metrics
        .iter()
        .any(|metric| metric.measure == Measure::Sessions)
    {
        rows.keep_all();
    }
    for (index, metric) in insights.metrics.iter().enumerate() {
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
    let metrics = insights.metrics.iter();
    let operator = InsightsOperator {
        metrics: metrics
            .map(|metric| (metric.event.clone(), figure(&metric.measure)))
            .collect(),
        breakdowns: insights.breakdown.len(),
        edges: insights.breakdown.iter().map(edges).collect(),
        slots: timeline.slots.clone(),
        windows: timeline.windows,
        session_timeout_ms: insights.session_timeout_ms,
        rest_of,
        wanted,
    };
    Ok((Arc::new(operator), rows, Some(timeline.slots)))
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
