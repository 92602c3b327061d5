//! Who is behind a number of a metric.

use super::{Asking, Counted, compared, spans};
use crate::{Asked, ReferenceError};
use model::PersonNumber;
use model::report::{Insights, InsightsCell, Measure, Segment};
use std::collections::BTreeSet;

pub(crate) fn members(
    asked: &Asked<'_>,
    insights: &Insights,
    cell: &InsightsCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    let question = Asking::new(asked, insights)?;
    let range = asked.report.range;
    let mut others_of: Option<Vec<Segment>> = None;
    if cell.other {
        // Which segments are shown is told by the numbers of the report's own range.
        let spans = spans(insights, range, asked.zone)?;
        let counted = question.counted(range, &spans, None)?;
        let (shown, segments_total) = question.segments(&counted, &spans);
        if segments_total == shown.len() {
            return Ok(BTreeSet::new());
        }
        others_of = Some(shown);
    }
    let (range, filter) = match compared(insights, range)? {
        Some(compared) if cell.previous => compared,
        _ => (range, None),
    };
    let spans = spans(insights, range, asked.zone)?;
    let counted = question.counted(range, &spans, filter)?;

    let spans = &spans[cell.metric];
    let span = match cell.bucket {
        None => &spans.whole,
        Some(bucket) => match spans.of_buckets.get(bucket) {
            Some(span) => span,
            None => return Ok(BTreeSet::new()),
        },
    };
    let mut members = BTreeSet::new();
    for one in counted.iter().filter(|one| one.metric == cell.metric) {
        let in_segment = match &others_of {
            Some(shown) => one.segments.iter().any(|segment| !shown.contains(segment)),
            None => one.segments.contains(&cell.segment),
        };
        let contributes = contributes(&insights.metrics[cell.metric].measure, one);
        if span.holds(one.time_ms) && in_segment && contributes && !one.person.is_nobody() {
            members.insert(one.person);
        }
    }
    Ok(members)
}

/// Whether the measure makes anything of an event.
fn contributes(measure: &Measure, one: &Counted) -> bool {
    match measure {
        Measure::Distinct { .. } => !one.values.is_empty(),
        Measure::Sum { .. }
        | Measure::Mean { .. }
        | Measure::Median { .. }
        | Measure::Percentile { .. }
        | Measure::Min { .. }
        | Measure::Max { .. } => one.number.is_some(),
        Measure::Total
        | Measure::Unique
        | Measure::PerPerson
        | Measure::Active { .. }
        | Measure::Sessions
        | Measure::Frequency { .. } => true,
    }
}
