//! Plans of questions about rows: which events, which profiles.

use super::expression::{Available, Compiler, column};
use super::functions::Zone;
use super::{Source, event_rows, predicate};
use crate::QueryError;
use crate::rows::EventsQuery;
use crate::scan::ProfileColumns;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, SortExpr, lit};
use model::Expression;
use std::sync::Arc;

/// Columns of [`event_keys`].
const EVENT_KEYS: [&str; 3] = ["seq", "time", "person"];

/// Sequence number, time and person of the events that a question asks for, in its order and up to its limit.
pub(crate) fn event_keys(source: &Source, question: &EventsQuery) -> Result<LogicalPlan, QueryError> {
    let filter = match &question.filter {
        None => None,
        Some(filter) => Some(predicate(source.compile(filter)?)),
    };
    let events = question.events.clone().map(|events| events.into_iter().collect());
    let order = if question.after_seq.is_some() {
        vec!["seq"]
    } else {
        vec!["time", "seq"]
    };
    let sorts = order
        .into_iter()
        .map(|name| SortExpr::new(column(name), !question.newest_first, false));
    let plan = || {
        let mut rows = event_rows(source, events, question.from_ms, question.to_ms, filter)?;
        if let Some(after_seq) = question.after_seq {
            rows = rows.filter(column("seq").gt(lit(after_seq)))?;
        }
        let keys = rows.project(EVENT_KEYS.map(column))?;
        let limit = (question.limit < usize::MAX).then_some(question.limit);
        keys.sort_with_limit(sorts, limit)?.build()
    };
    plan().map_err(QueryError::Internal)
}

/// The rows of profiles that pass a filter. `properties[…]` and `user[…]` both mean the profile here.
pub(crate) fn matching_rows(
    profiles: &ProfileColumns,
    rows: usize,
    filter: &Expression,
    zone: &Zone,
) -> Result<LogicalPlan, QueryError> {
    let available = Available {
        properties: profiles.kinds().clone(),
        user: profiles.kinds().clone(),
        events: false,
        ..Available::default()
    };
    let filter = Compiler {
        available: &available,
        zone,
    }
    .compile(filter)?;
    let plan = || {
        let mut fields = vec![Field::new("row", DataType::UInt32, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(0..rows as u32))];
        for (name, values) in profiles.columns() {
            for name in [name.clone(), format!("{name}@user")] {
                fields.push(Field::new(name, values.data_type().clone(), true));
                columns.push(values.clone());
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        LogicalPlanBuilder::scan("profiles", provider_as_source(Arc::new(table)), None)?
            .filter(predicate(filter))?
            .project([column("row")])?
            .build()
    };
    plan().map_err(QueryError::Internal)
}
