//! Plans below the rules of a cohort.

use super::{RowsBuilder, Source, event_rows};
use crate::QueryError;
use datafusion::logical_expr::LogicalPlan;
use model::report::EventSelector;
use std::collections::BTreeSet;

/// The rows that some selectors may look at, with their filters as columns.
pub(crate) fn selected_rows(
    source: &Source,
    selectors: &[EventSelector],
    (from_ms, to_ms): (i64, i64),
    with_seq: bool,
) -> Result<LogicalPlan, QueryError> {
    let events: Vec<Option<String>> = selectors.iter().map(|selector| selector.event.clone()).collect();
    let mut rows = RowsBuilder::new(from_ms, to_ms, events.clone(), with_seq);
    for (index, selector) in selectors.iter().enumerate() {
        rows.filter(source, index, selector.filter.as_ref())?;
    }
    let events = events.into_iter().collect::<Option<BTreeSet<String>>>();
    let plan = event_rows(source, events, from_ms, to_ms, None);
    plan.and_then(|plan| plan.project(rows.columns)?.build())
        .map_err(QueryError::Internal)
}
