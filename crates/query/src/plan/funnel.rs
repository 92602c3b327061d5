//! Plan parts of a funnel.

use super::{Parts, RowsBuilder, Source};
use crate::QueryError;
use crate::calendar::{Buckets, range_ms};
use crate::operators::cells::{WHOLE_RANGE, Wanted};
use crate::operators::funnel::general::GeneralFunnelOperator;
use crate::operators::funnel::rule::{EXCLUSION_BIT, Rule};
use crate::operators::funnel::{DROPPED_OFF, FunnelOperator};
use model::report::{Attribution, DateRange, Funnel, FunnelCell, FunnelCount, FunnelSide, Order, Report, Selector};
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

/// Every selector of a funnel: those of its steps, then those of its exclusions.
pub(super) fn selectors(funnel: &Funnel) -> impl Iterator<Item = Selector<'_>> {
    let of_steps = funnel.steps.iter().flat_map(|step| step.selectors());
    of_steps.chain(funnel.exclusions.iter().map(|exclusion| exclusion.selector()))
}

pub(super) fn parts(
    source: &Source,
    report: &Report,
    funnel: &Funnel,
    range: DateRange,
    wanted: Option<Wanted>,
) -> Result<Parts, QueryError> {
    let starts_ms = range_ms(range, &source.zone.rules)?;
    let buckets = match funnel.unit {
        Some(unit) => Some(Arc::new(Buckets::new(range, unit, &source.zone.rules)?)),
        None => None,
    };
    if is_plain(funnel) {
        plain(source, funnel, starts_ms, buckets, wanted)
    } else {
        general(source, report, funnel, starts_ms, buckets, wanted)
    }
}

/// Whether a funnel asks for nothing beyond steps in order, counted by persons.
fn is_plain(funnel: &Funnel) -> bool {
    let one_selector = funnel
        .steps
        .iter()
        .all(|step| step.selectors().count() == 1 && !step.first_time);
    one_selector
        && funnel.order == Order::Ordered
        && funnel.count == FunnelCount::Uniques
        && funnel.window_sessions.is_none()
        && funnel.exclusions.is_empty()
        && funnel.hold.is_empty()
        && funnel.attribution == Attribution::Step(0)
        && funnel.times.is_none()
}

fn plain(
    source: &Source,
    funnel: &Funnel,
    starts_ms: (i64, i64),
    buckets: Option<Arc<Buckets>>,
    wanted: Option<Wanted>,
) -> Result<Parts, QueryError> {
    let steps: Vec<Option<String>> = selectors(funnel).map(|(event, _)| event.cloned()).collect();
    let (from_ms, to_ms) = interval_ms(funnel, starts_ms);
    let mut rows = RowsBuilder::new(from_ms, to_ms, steps.clone(), needs_order(funnel, &steps));
    for (index, (_, filter)) in selectors(funnel).enumerate() {
        rows.filter(source, index, filter)?;
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

/// A tie may come before the start, and the last step a window after it.
fn interval_ms(funnel: &Funnel, starts_ms: (i64, i64)) -> (i64, i64) {
    (starts_ms.0 - funnel.tie_ms, starts_ms.1 + funnel.window_ms)
}

/// Whether it matters which of two events of one instant was received first: where an event can be more than one step, or
/// its breakdown is shown.
fn needs_order(funnel: &Funnel, steps: &[Option<String>]) -> bool {
    let names: BTreeSet<&String> = steps.iter().flatten().collect();
    funnel.breakdown.is_some() || names.len() < steps.len()
}

fn general(
    source: &Source,
    report: &Report,
    funnel: &Funnel,
    starts_ms: (i64, i64),
    buckets: Option<Arc<Buckets>>,
    wanted: Option<Wanted>,
) -> Result<Parts, QueryError> {
    let rule = Rule::new(funnel, starts_ms);
    let (from_ms, to_ms) = interval_ms(funnel, starts_ms);
    let selectors_with_bits = selectors(funnel).zip(bits(funnel));
    let selectors_with_bits: Vec<(Option<String>, u32)> = selectors_with_bits
        .map(|((event, _), bit)| (event.cloned(), bit))
        .collect();
    let mut names: Vec<Option<String>> = selectors_with_bits.iter().map(|(event, _)| event.clone()).collect();
    if rule.strict || rule.sessions.is_some() {
        // Events of any name end attempts, and make up sessions.
        names.push(None);
    }
    // What is a first time depends on everything before.
    let read_from_ms = if rule.first_time != 0 { i64::MIN } else { from_ms };
    let mut rows = RowsBuilder::new(read_from_ms, to_ms, names, true);
    for (index, (_, filter)) in selectors(funnel).enumerate() {
        rows.filter(source, index, filter)?;
    }
    rows.filtered_above = rule.sessions.is_some();
    if rows.filtered_above {
        rows.filter(source, selectors_with_bits.len(), report.filter.as_ref())?;
    }
    for (index, value) in funnel.breakdown.iter().chain(&funnel.hold).enumerate() {
        rows.breakdown(source, index, value)?;
    }
    let operator = GeneralFunnelOperator {
        filter_is_column: rows.filtered_above && report.filter.is_some(),
        rule: Arc::new(rule),
        selectors: selectors_with_bits,
        interval_ms: (from_ms, to_ms),
        held: funnel.hold.len(),
        breakdown: funnel.breakdown.is_some(),
        buckets: buckets.clone(),
        wanted,
    };
    Ok((Arc::new(operator), rows, buckets))
}

/// What each of [`selectors`] makes of a row.
fn bits(funnel: &Funnel) -> impl Iterator<Item = u32> {
    let steps = funnel.steps.iter().enumerate();
    let of_steps = steps.flat_map(|(step, definition)| definition.selectors().map(move |_| 1 << step));
    of_steps.chain((0..funnel.exclusions.len()).map(|exclusion| 1 << (EXCLUSION_BIT + exclusion as u32)))
}
