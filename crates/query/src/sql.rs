//! Read-only SQL for analysts: one `SELECT` over documented views, under the gate and limits of every other question.
//!
//! | View | One row per | Columns |
//! |---|---|---|
//! | `events` | event | `event`, `time` (UTC), `person`, one per property and per group key |
//! | `persons` | person with a profile | `person`, `last_seen`, one per profile property |
//! | `groups` | group with a profile | `key`, `group`, `last_seen`, one per profile property |
//! | `cohorts` | member of a saved cohort | `cohort`, `name`, `person` |
//!
//! `person` is the canonical number, null in events of nobody; copies and erased persons are absent, as in every
//! report. Columns of properties have the property's name ([`names`]). Nothing here can name an identity.
//!
//! **What an answer discloses** is found in the plan, and when in doubt it is the most:
//! - *Counted* ([`counted`]): everything comes from `count`, `sum`, `avg`, `median` and deviations over groups of rows.
//!   Every number gets the crowd of distinct persons behind it, computed beside it; a crowd of one to nine makes the
//!   answer D1 with exactly these persons, whether or not a later `LIMIT` cuts the row.
//! - *Rows* ([`touched`]): everything else is D2. Where every row of the answer is one row of a view, its persons are those
//!   of the rows sent; otherwise everybody whose row reached the first operation that mixes rows.
//!
//! A statement that fails while it runs answers without any value of the data in its message.

mod cohort_view;
mod counted;
mod crowd;
mod names;
mod note;
mod parse;
mod result;
mod stop;
mod touched;
mod views;

pub(crate) use note::NotePlanner;

use crate::QueryError;
use crate::definitions::Setting;
use crate::error::SqlFault;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use ledger::{Class, Disclosure, digest_of};
use note::Noted;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

pub use names::SqlView;
pub use result::{SqlColumn, SqlRows};
pub(crate) use views::described as views;

/// Rows that an answer has at most, whatever is asked for.
pub const SQL_ROWS_MAX: usize = 10_000;
/// Rows that an answer has at most when nothing is asked for.
pub const SQL_ROWS_DEFAULT: usize = 1_000;
/// Longest statement, in bytes.
pub const SQL_BYTES_MAX: usize = 64 << 10;

/// A statement, and how many rows of its result are wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SqlQuestion {
    pub sql: String,
    pub limit: usize,
}

/// How a statement ended. A failure while it ran tells something too, and goes through the gate like rows do.
pub(crate) type Outcome = Result<SqlRows, SqlFault>;

const NARROW: &str = "the range of time, the columns, or group by less";

/// An answer, and what handing it out discloses.
pub(crate) struct Answered {
    pub outcome: Outcome,
    pub disclosure: Disclosure,
}

/// Answers a statement. `clearance` is the closest class that the asker may get: a statement that would be refused
/// afterwards is not run, so that its failing or not says nothing.
pub(crate) async fn answer(
    setting: Setting<'_>,
    question: &SqlQuestion,
    clearance: Class,
) -> Result<Answered, QueryError> {
    let asking = setting.asking;
    let parsed = parse::plan(setting, &question.sql)?;
    let fields = columns_read(
        &asking
            .optimized(&parsed)
            .map_err(|error| refused(error, &question.sql))?,
    );
    let noted = Arc::new(Noted::default());
    let counted = counted::cover(&parsed, &noted).map_err(QueryError::Internal)?;
    let disclosure = |class: Class, persons| Disclosure {
        class,
        persons,
        fields: if class == Class::D0 {
            BTreeSet::new()
        } else {
            fields.clone()
        },
        question_digest: digest_of(question),
    };
    let is_counted = counted.is_some();
    if !is_counted && clearance < Class::D2 {
        return Ok(Answered {
            outcome: Ok(SqlRows::default()),
            disclosure: disclosure(Class::D2, Default::default()),
        });
    }
    let cut = LogicalPlanBuilder::from(counted.unwrap_or(parsed))
        .limit(0, Some(question.limit + 1))
        .and_then(LogicalPlanBuilder::build)
        .and_then(|plan| asking.optimized(&plan));
    let cut = cut.map_err(|error| refused(error, &question.sql))?;
    let (plan, with_persons) = match is_counted {
        true => (cut, false),
        false => touched::watch(cut, &noted).map_err(QueryError::Internal)?,
    };
    let plan = stop::stoppable(plan, &asking.stop).map_err(QueryError::Internal)?;
    let outcome = match asking.collect_optimized(&plan, NARROW).await {
        Ok(batches) => result::rows(&batches, plan.schema(), question.limit, with_persons, &noted)?,
        Err(QueryError::Internal(cause)) => Err(failed(&cause).ok_or(QueryError::Internal(cause))?),
        Err(other) => return Err(other),
    };
    let (mut persons, small) = noted.take();
    let named = asking.named();
    let class = match (is_counted, small || !named.is_empty()) {
        (false, _) => Class::D2,
        (true, true) => Class::D1,
        (true, false) => Class::D0,
    };
    persons |= named;
    Ok(Answered {
        outcome,
        disclosure: disclosure(class, persons),
    })
}

/// Names of the columns that a plan reads.
fn columns_read(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let fields = scan.projected_schema.fields().iter();
            names.extend(fields.map(|field| field.name().clone()));
            for filter in &scan.filters {
                names.extend(filter.column_refs().iter().map(|column| column.name.clone()));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok());
    names
}

/// A statement that cannot be planned, in the planner's words: it has seen no data.
fn refused(error: DataFusionError, sql: &str) -> QueryError {
    parse::refused(error, sql)
}

/// A fault of the data met on the way, without any of it.
fn failed(cause: &DataFusionError) -> Option<SqlFault> {
    use datafusion::arrow::error::ArrowError;
    let message = match cause.find_root() {
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::DivideByZero => "a number was divided by zero; use nullif(…, 0)",
            ArrowError::CastError(_) | ArrowError::ParseError(_) => {
                "a value cannot be read as the type asked for; use try_cast(… as …), or coalesce"
            }
            ArrowError::ArithmeticOverflow(_) => "a number became too large for its type; cast it to double first",
            _ => "a function met a value that it does not take",
        },
        DataFusionError::Execution(_) => "a function met a value that it does not take",
        _ => return None,
    };
    Some(SqlFault {
        message: message.to_owned(),
        position: None,
    })
}
