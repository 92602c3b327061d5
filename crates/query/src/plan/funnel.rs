//! Plan parts of a funnel.

use super::{Parts, RowsBuilder, Source};
use crate::QueryError;
use crate::calendar::{Buckets, range_ms};
use crate::operators::cells::{WHOLE_RANGE, Wanted};
use crate::operators::funnel::{DROPPED_OFF, FunnelOperator};
use model::report::{DateRange, Funnel, FunnelCell, FunnelSide};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn wanted(cell: &FunnelCell) -> Wanted {
    let first = match cell.side {
        FunnelSide::Reached => 0,
        FunnelSide::DroppedOff => DROPPED_OFF,
    };
    Wanted {
        series: first + cell.step as u32,
        bucket: cell.bucket.map_or(WHOLE_RANGE, |bucket| bucket as i32),
        segment: cell.segment.clone(),
    }
}

pub(super) fn parts(
    source: &Source,
    funnel: &Funnel,
    range: DateRange,
    wanted: Option<Wanted>,
) -> Result<Parts, QueryError> {
    let starts_ms = range_ms(range, &source.zone.rules)?;
    let buckets = match funnel.unit {
        Some(unit) => Some(Arc::new(Buckets::new(range, unit, &source.zone.rules)?)),
        None => None,
    };
    let steps: Vec<Option<String>> = funnel.steps.iter().map(|step| step.event.clone()).collect();
    // A tie may come before the start, and the last step a window after it.
    let (from_ms, to_ms) = (starts_ms.0 - funnel.tie_ms, starts_ms.1 + funnel.window_ms);
    let mut rows = RowsBuilder::new(from_ms, to_ms, steps.clone(), needs_order(funnel));
    for (index, step) in funnel.steps.iter().enumerate() {
        rows.filter(source, index, step.filter.as_ref())?;
    }
    if let Some(breakdown) = &funnel.breakdown {
        rows.breakdown(source, 0, breakdown)?;
    }
    let operator = FunnelOperator {
        steps,
        starts_ms,
        window_ms: funnel.window_ms,
        tie_ms: funnel.tie_ms,
        attempt: funnel.attempt,
        breakdown: funnel.breakdown.is_some(),
        buckets: buckets.clone(),
        wanted,
    };
    Ok((Arc::new(operator), rows, buckets))
}

/// Whether it matters which of two events of one instant was received first: where an event can be more than one step, or
/// its breakdown is shown.
fn needs_order(funnel: &Funnel) -> bool {
    let names: BTreeSet<&String> = funnel.steps.iter().filter_map(|step| step.event.as_ref()).collect();
    funnel.breakdown.is_some() || names.len() < funnel.steps.len()
}
