//! Plan parts of a flow.

use super::expression::column;
use super::{Parts, RowsBuilder, Source};
use crate::QueryError;
use crate::calendar::range_ms;
use crate::operators::flow::FlowOperator;
use model::report::{DateRange, Flow, FlowCell, Report};
use std::sync::Arc;

pub(super) fn parts(
    source: &Source,
    report: &Report,
    flow: &Flow,
    range: DateRange,
    number: Option<FlowCell>,
) -> Result<Parts, QueryError> {
    let starts_ms = range_ms(range, &source.zone.rules)?;
    let from_ms = match flow.window_ms {
        Some(window_ms) if flow.before > 0 => starts_ms.0 - window_ms,
        _ => starts_ms.0,
    };
    let names = match flow.events_needed() {
        Some(names) => names.into_iter().map(Some).collect(),
        None => vec![None],
    };
    // A path ends differently when anything comes later, however late.
    let mut rows = RowsBuilder::new(from_ms, i64::MAX, names, true);
    if flow.events_needed().is_none() {
        rows.columns.push(column("event"));
    }
    for (index, anchor) in flow.anchors.iter().enumerate() {
        rows.filter(source, index, anchor.filter.as_ref())?;
    }
    let filter = flow.needs_sessions() && report.filter.is_some();
    if filter {
        rows.filter(source, flow.anchors.len(), report.filter.as_ref())?;
        rows.filtered_above = true;
    }
    for (index, expansion) in flow.expand.iter().enumerate() {
        rows.breakdown(source, index, &expansion.property)?;
    }
    if let Some(breakdown) = &flow.breakdown {
        rows.breakdown(source, flow.expand.len(), breakdown)?;
    }
    let operator = FlowOperator {
        flow: Arc::new(flow.clone()),
        starts_ms,
        filter,
        number,
    };
    Ok((Arc::new(operator), rows, None))
}
