//! Plan parts of retention.

use super::{Parts, RowsBuilder, Source};
use crate::QueryError;
use crate::calendar::{Buckets, days_after, range_ms};
use crate::operators::retention::{IntervalRule, RetentionOperator};
use model::report::{DateRange, Intervals, Retention, Unit};
use std::sync::Arc;

/// Length of a rolling interval.
pub(crate) fn unit_ms(unit: Unit) -> i64 {
    let days = match unit {
        Unit::Week => 7,
        Unit::Month => 30,
        _ => 1,
    };
    days * 86_400_000
}

/// A day after which no return can fall into the last interval, counted from the range's last day.
fn days_of_returns(retention: &Retention) -> i64 {
    let unit_days_max = match retention.unit {
        Unit::Week => 7,
        Unit::Month => 31,
        _ => 1,
    };
    (i64::from(retention.intervals) + 2) * unit_days_max
}

pub(super) fn parts(source: &Source, retention: &Retention, range: DateRange) -> Result<Parts, QueryError> {
    let (from_ms, born_before_ms) = range_ms(range, &source.zone.rules)?;
    let with_returns = DateRange {
        from: range.from,
        to: days_after(range.to, days_of_returns(retention))?,
    };
    let (_, returns_end_ms) = range_ms(with_returns, &source.zone.rules)?;
    let to_ms = if retention.on_or_after {
        i64::MAX
    } else {
        returns_end_ms
    };
    let buckets = Arc::new(Buckets::new(with_returns, retention.unit, &source.zone.rules)?);

    let events = vec![retention.born.event.clone(), retention.returning.event.clone()];
    // Which of two births of one instant was received first shows in its breakdown only.
    let mut rows = RowsBuilder::new(from_ms, to_ms, events, retention.breakdown.is_some());
    rows.filter(source, 0, retention.born.filter.as_ref())?;
    rows.filter(source, 1, retention.returning.filter.as_ref())?;
    if let Some(breakdown) = &retention.breakdown {
        rows.breakdown(source, 0, breakdown)?;
    }
    let operator = RetentionOperator {
        born: retention.born.event.clone(),
        returning: retention.returning.event.clone(),
        born_before_ms,
        buckets: buckets.clone(),
        rule: match retention.rule {
            Intervals::Rolling => IntervalRule::Rolling {
                unit_ms: unit_ms(retention.unit),
            },
            Intervals::Calendar => IntervalRule::Calendar,
        },
        intervals: retention.intervals,
        cohorts: retention.cohorts,
        on_or_after: retention.on_or_after,
        breakdown: retention.breakdown.is_some(),
    };
    Ok((Arc::new(operator), rows, Some(buckets)))
}
