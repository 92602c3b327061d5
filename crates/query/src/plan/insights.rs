//! Plan parts of insights.

use super::{Parts, RowsBuilder, Source};
use crate::QueryError;
use crate::calendar::{Buckets, range_ms};
use crate::operators::insights::{Figure, InsightsOperator};
use model::expression::Expression;
use model::report::{DateRange, Insights, Measure};
use std::sync::Arc;

/// The expression that a measure is of.
pub(super) fn property(measure: &Measure) -> Option<&Expression> {
    match measure {
        Measure::Total | Measure::Unique | Measure::PerPerson => None,
        Measure::Sum { property }
        | Measure::Mean { property }
        | Measure::Min { property }
        | Measure::Max { property } => Some(property),
    }
}

pub(super) fn parts(source: &Source, insights: &Insights, range: DateRange) -> Result<Parts, QueryError> {
    let (from_ms, to_ms) = range_ms(range, &source.zone.rules)?;
    let buckets = Arc::new(Buckets::new(range, insights.unit, &source.zone.rules)?);
    let events = insights.metrics.iter().map(|metric| metric.event.clone()).collect();
    let mut rows = RowsBuilder::new(from_ms, to_ms, events, false);
    for (index, metric) in insights.metrics.iter().enumerate() {
        rows.filter(source, index, metric.filter.as_ref())?;
        if let Some(property) = property(&metric.measure) {
            rows.number(source, index, property)?;
        }
    }
    for (index, breakdown) in insights.breakdown.iter().enumerate() {
        rows.breakdown(source, index, breakdown)?;
    }
    let figure = |measure: &Measure| match measure {
        Measure::Total => Figure::Events,
        Measure::Unique | Measure::PerPerson => Figure::Persons,
        _ => Figure::Numbers,
    };
    let metrics = insights.metrics.iter();
    let operator = InsightsOperator {
        metrics: metrics
            .map(|metric| (metric.event.clone(), figure(&metric.measure)))
            .collect(),
        breakdowns: insights.breakdown.len(),
        buckets: buckets.clone(),
    };
    Ok((Arc::new(operator), rows, Some(buckets)))
}
