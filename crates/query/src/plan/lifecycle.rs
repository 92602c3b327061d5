//! Plan parts of lifecycle.

use super::{Parts, RowsBuilder, Source, wanted_bucket};
use crate::QueryError;
use crate::calendar::{Buckets, days_after, range_ms, whole};
use crate::operators::cells::Wanted;
use crate::operators::lifecycle::{DORMANT, LifecycleOperator, NEW, RESURRECTED, RETURNING};
use model::report::{DateRange, Lifecycle, LifecycleCell, LifecycleStage};
use std::sync::Arc;

pub(super) fn wanted(cell: &LifecycleCell) -> Wanted {
    Wanted {
        series: match cell.stage {
            LifecycleStage::New => NEW,
            LifecycleStage::Returning => RETURNING,
            LifecycleStage::Resurrected => RESURRECTED,
            LifecycleStage::Dormant => DORMANT,
        },
        // The operator's buckets begin with the one before the range's first.
        bucket: wanted_bucket(cell.bucket).saturating_add(1),
        segment: cell.segment.clone(),
    }
}

pub(super) fn parts(
    source: &Source,
    lifecycle: &Lifecycle,
    range: DateRange,
    wanted: Option<Wanted>,
) -> Result<Parts, QueryError> {
    let zone = &source.zone.rules;
    let whole = whole(range, lifecycle.unit)?;
    // The day before the first bucket brings in the bucket before it.
    let with_before = DateRange {
        from: days_after(whole.from, -1)?,
        to: whole.to,
    };
    let buckets = Arc::new(Buckets::new(with_before, lifecycle.unit, zone)?);
    let (_, to_ms) = range_ms(whole, zone)?;
    let from_ms = match lifecycle.look_back_days {
        None => i64::MIN,
        Some(days) => {
            let from = days_after(whole.from, -i64::from(days))?;
            range_ms(DateRange { from, to: whole.to }, zone)?.0
        }
    };
    let breakdown = lifecycle.breakdown.as_ref();
    // Which of two events of one instant was received first shows in the breakdown only.
    let events = vec![lifecycle.active.event.clone()];
    let mut rows = RowsBuilder::new(from_ms, to_ms, events, breakdown.is_some());
    rows.filter(source, 0, lifecycle.active.filter.as_ref())?;
    if let Some(breakdown) = breakdown {
        rows.breakdown(source, 0, breakdown)?;
    }
    let operator = LifecycleOperator {
        active: lifecycle.active.event.clone(),
        buckets: buckets.clone(),
        breakdown: breakdown.is_some(),
        wanted,
    };
    Ok((Arc::new(operator), rows, Some(buckets)))
}
