//! Plan parts of frequency and stickiness.

use super::{Parts, RowsBuilder, Source, wanted_bucket};
use crate::QueryError;
use crate::calendar::{Buckets, range_ms};
use crate::operators::cells::Wanted;
use crate::operators::frequency::{FrequencyOperator, at_least, exactly};
use model::Expression;
use model::report::{DateRange, DayCount, EventSelector, Frequency, FrequencyCell, Stickiness, StickinessCell, Unit};
use std::sync::Arc;

/// What both kinds have in common.
pub(crate) struct Activity<'a> {
    pub active: &'a EventSelector,
    pub unit: Unit,
    pub part: Unit,
    pub parts_nominal: usize,
    pub exactly: bool,
    pub breakdown: Option<&'a Expression>,
}

impl<'a> From<&'a Frequency> for Activity<'a> {
    fn from(frequency: &'a Frequency) -> Activity<'a> {
        Activity {
            active: &frequency.active,
            unit: frequency.unit,
            part: frequency.part,
            parts_nominal: frequency.parts_max(),
            exactly: false,
            breakdown: frequency.breakdown.as_ref(),
        }
    }
}

impl<'a> From<&'a Stickiness> for Activity<'a> {
    fn from(stickiness: &'a Stickiness) -> Activity<'a> {
        Activity {
            active: &stickiness.active,
            unit: stickiness.unit,
            part: Unit::Day,
            parts_nominal: stickiness.days_max(),
            exactly: true,
            breakdown: stickiness.breakdown.as_ref(),
        }
    }
}

/// As many as a bucket has by the calendar, or more where the clock was turned back far.
pub(crate) fn parts_max(nominal: usize, buckets: &Buckets, parts: &Buckets) -> usize {
    let mut counts = vec![0; buckets.len()];
    (0..parts.len()).for_each(|part| counts[buckets.find(parts.start_ms(part))] += 1);
    counts.into_iter().max().unwrap_or(0).max(nominal)
}

pub(super) fn wanted(cell: &FrequencyCell) -> Wanted {
    Wanted {
        series: at_least(cell.at_least, false) as u32,
        bucket: wanted_bucket(cell.bucket),
        segment: cell.segment.clone(),
    }
}

pub(super) fn wanted_days(cell: &StickinessCell) -> Wanted {
    let series = match cell.count {
        DayCount::Exactly => exactly(cell.days),
        DayCount::AtLeast => at_least(cell.days, true),
    };
    Wanted {
        series: series as u32,
        bucket: wanted_bucket(cell.bucket),
        segment: cell.segment.clone(),
    }
}

pub(super) fn parts(
    source: &Source,
    activity: &Activity<'_>,
    range: DateRange,
    wanted: Option<Wanted>,
) -> Result<Parts, QueryError> {
    let (from_ms, to_ms) = range_ms(range, &source.zone.rules)?;
    let buckets = Arc::new(Buckets::new(range, activity.unit, &source.zone.rules)?);
    let parts = Arc::new(Buckets::new(range, activity.part, &source.zone.rules)?);
    let mut rows = RowsBuilder::new(from_ms, to_ms, vec![activity.active.event.clone()], false);
    rows.filter(source, 0, activity.active.filter.as_ref())?;
    if let Some(breakdown) = activity.breakdown {
        rows.breakdown(source, 0, breakdown)?;
    }
    let operator = FrequencyOperator {
        active: activity.active.event.clone(),
        parts_max: parts_max(activity.parts_nominal, &buckets, &parts),
        buckets: buckets.clone(),
        parts: parts.clone(),
        exactly: activity.exactly,
        breakdown: activity.breakdown.is_some(),
        wanted,
    };
    Ok((Arc::new(operator), rows, Some(buckets)))
}
