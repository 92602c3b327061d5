//! Plans of questions about rows: which events, which profiles.

use super::expression::{Available, Compiler, behavior_column, column};
use super::functions::{Rule, Zone};
use super::{Source, event_rows, predicate};
use crate::QueryError;
use crate::definitions::Resolved;
use crate::people::Behavior;
use crate::rows::EventsQuery;
use crate::scan::{ProfileColumns, text_type};
use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, RecordBatchOptions, UInt32Array, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, cast, lit};
use model::{Expression, PersonNumber};
use std::collections::BTreeSet;
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
        if let Some((time, seq)) = question.behind {
            let later = column("time").gt(lit(time.0));
            let at_once = column("time").eq(lit(time.0)).and(column("seq").gt(lit(seq)));
            rows = rows.filter(later.or(at_once))?;
        }
        let keys = rows.project(EVENT_KEYS.map(column))?;
        let limit = (question.limit < usize::MAX).then_some(question.limit);
        keys.sort_with_limit(sorts, limit)?.build()
    };
    plan().map_err(QueryError::Internal)
}

/// How many events of each person count as a behaviour: `person`, `events`.
pub(crate) fn behavior_counts(source: &Source, behavior: &Behavior) -> Result<LogicalPlan, QueryError> {
    let mut selected = Vec::new();
    let mut faults = Vec::new();
    for selector in &behavior.selectors {
        let named = match &selector.event {
            Some(event) => column("event").eq(cast(lit(event.as_str()), text_type())),
            None => lit(true),
        };
        let Some(filter) = &selector.filter else {
            selected.push(named);
            continue;
        };
        let typed = source.compile(filter)?;
        selected.push(named.clone().and(typed.as_filter()));
        faults.extend(typed.fault.map(|fault| named.and(fault)));
    }
    let selected = selected.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
    let filter = match faults.into_iter().reduce(Expr::or) {
        Some(fault) => Rule::Checked.call(vec![selected, fault]),
        None => selected,
    };
    let events: Option<BTreeSet<String>> = behavior
        .selectors
        .iter()
        .map(|selector| selector.event.clone())
        .collect();
    let plan = || {
        let nobody = lit(PersonNumber::NOBODY.0);
        event_rows(source, events, behavior.from_ms, behavior.to_ms, Some(filter))?
            .filter(column("person").not_eq(nobody))?
            .project([column("person")])?
            .aggregate([column("person")], [count(lit(1_i64)).alias("events")])?
            .build()
    };
    plan().map_err(QueryError::Internal)
}

/// The rows of profiles that pass a filter. `properties[…]` and `user[…]` both mean the profile here, `behaviors[…]`
/// one of `counts`, which have a number per row.
pub(crate) fn matching_rows(
    profiles: &ProfileColumns,
    counts: &[(String, Vec<u64>)],
    persons: &[PersonNumber],
    filter: &Expression,
    zone: &Zone,
    resolved: &Resolved,
) -> Result<LogicalPlan, QueryError> {
    let available = Available {
        properties: profiles.kinds().clone(),
        user: profiles.kinds().clone(),
        behaviors: counts.iter().map(|(name, _)| name.clone()).collect(),
        events: false,
    };
    let filter = Compiler {
        available: &available,
        zone,
        resolved,
    }
    .compile(filter)?;
    let plan = || {
        let rows = persons.len();
        let mut fields = vec![
            Field::new("row", DataType::UInt32, false),
            Field::new("person", DataType::UInt64, false),
        ];
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(0..rows as u32)),
            Arc::new(UInt64Array::from_iter_values(persons.iter().map(|person| person.0))),
        ];
        for (name, values) in profiles.columns() {
            for name in [name.clone(), format!("{name}@user")] {
                fields.push(Field::new(name, values.data_type().clone(), true));
                columns.push(values.clone());
            }
        }
        for (name, numbers) in counts {
            fields.push(Field::new(behavior_column(name), DataType::Float64, false));
            columns.push(Arc::new(Float64Array::from_iter_values(
                numbers.iter().map(|number| *number as f64),
            )));
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
