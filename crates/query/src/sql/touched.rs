//! Whom rows are about, where a statement does not only count.
//!
//! Works on the optimised plan, in which filters have reached the views already, so that nobody is noted whom the
//! statement ruled out by itself. A *plain* part of the plan passes rows of one view on without mixing them. If the whole
//! plan is plain, the person of each row sent is known; otherwise everybody who leaves a plain part is noted.

use super::note::{NoteNode, Noted};
use super::views::PERSON;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, internal_err};
use datafusion::logical_expr::{
    Expr, Filter, Join, Limit, LogicalPlan, LogicalPlanBuilder, Projection, Sort, SubqueryAlias, TableScanBuilder,
};
use std::sync::Arc;

/// The column that carries a row's person. No statement can write it: the views have no such column.
const HIDDEN: &str = "\u{1}person";

/// The plan so that it notes whom its rows are about. With `true` its last column is the person of each row, and noting
/// is left to whoever sends the rows.
pub(crate) fn watch(plan: LogicalPlan, noted: &Arc<Noted>) -> Result<(LogicalPlan, bool)> {
    match is_plain(&plan) {
        true => Ok((with_person(&plan)?, true)),
        false => Ok((touch(plan, noted)?, false)),
    }
}

fn touch(plan: LogicalPlan, noted: &Arc<Noted>) -> Result<LogicalPlan> {
    if is_plain(&plan) {
        let keep = plan.schema().fields().len();
        return NoteNode::over(with_person(&plan)?, keep, noted);
    }
    let inner = |child: LogicalPlan| touch(child, noted).map(Transformed::yes);
    let children = plan.map_children(inner)?.data;
    Ok(children.map_subqueries(inner)?.data)
}

/// Whether the plan passes on rows of one view about persons, one by one.
fn is_plain(plan: &LogicalPlan) -> bool {
    if has_subqueries(plan) {
        return false;
    }
    match plan {
        LogicalPlan::Projection(Projection { input, .. })
        | LogicalPlan::Filter(Filter { input, .. })
        | LogicalPlan::Sort(Sort { input, .. })
        | LogicalPlan::Limit(Limit { input, .. })
        | LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. }) => is_plain(input),
        LogicalPlan::TableScan(scan) => scan.source.schema().index_of(PERSON).is_ok(),
        _ => false,
    }
}

/// Whether an expression of this very node holds another plan.
pub(crate) fn has_subqueries(plan: &LogicalPlan) -> bool {
    let mut found = false;
    let walked = plan.apply_subqueries(|_| {
        found = true;
        Ok(TreeNodeRecursion::Stop)
    });
    debug_assert!(walked.is_ok());
    found
}

/// The plan with the person of each row in one more column, the last. For plain plans, and for joins of plain plans by
/// person, whose rows are about the person on their left.
pub(crate) fn with_person(plan: &LogicalPlan) -> Result<LogicalPlan> {
    Ok(match plan {
        LogicalPlan::TableScan(scan) => {
            let Ok(place) = scan.source.schema().index_of(PERSON) else {
                return internal_err!("{} has no persons", scan.table_name);
            };
            let projection = scan.projection.clone().map(|mut projection| {
                if !projection.contains(&place) {
                    projection.push(place);
                }
                projection
            });
            let read = TableScanBuilder::new(scan.table_name.clone(), scan.source.clone())
                .with_projection(projection)
                .with_filters(scan.filters.clone())
                .with_fetch(scan.fetch)
                .build()?;
            let person = Expr::Column(Column::new(Some(scan.table_name.clone()), PERSON));
            let mut columns = columns_of(plan);
            columns.push(person.alias(HIDDEN));
            projected(columns, LogicalPlan::TableScan(read))?
        }
        LogicalPlan::Projection(Projection { expr, input, .. }) => {
            let input = with_person(input)?;
            let mut columns = expr.clone();
            columns.push(person_of(&input)?);
            projected(columns, input)?
        }
        LogicalPlan::Filter(filter) => {
            let input = Arc::new(with_person(&filter.input)?);
            LogicalPlan::Filter(Filter::try_new(filter.predicate.clone(), input)?)
        }
        LogicalPlan::Sort(sort) => LogicalPlan::Sort(Sort {
            expr: sort.expr.clone(),
            input: Arc::new(with_person(&sort.input)?),
            fetch: sort.fetch,
        }),
        LogicalPlan::Limit(limit) => LogicalPlan::Limit(Limit {
            skip: limit.skip.clone(),
            fetch: limit.fetch.clone(),
            input: Arc::new(with_person(&limit.input)?),
        }),
        LogicalPlan::SubqueryAlias(alias) => {
            let input = Arc::new(with_person(&alias.input)?);
            LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(input, alias.alias.clone())?)
        }
        LogicalPlan::Join(join) => {
            let left = with_person(&join.left)?;
            let mut columns = columns_of(plan);
            columns.push(person_of(&left)?.alias(HIDDEN));
            let joined = LogicalPlan::Join(Join {
                left: Arc::new(left),
                ..join.clone()
            });
            projected(columns, joined.recompute_schema()?)?
        }
        other => return internal_err!("{} mixes rows", other.display()),
    })
}

/// The hidden column of a plan that [`with_person`] made.
pub(crate) fn person_of(plan: &LogicalPlan) -> Result<Expr> {
    match plan.schema().iter().last() {
        Some((qualifier, field)) if field.name() == HIDDEN => {
            Ok(Expr::Column(Column::new(qualifier.cloned(), field.name())))
        }
        _ => internal_err!("a plan lost its persons"),
    }
}

fn columns_of(plan: &LogicalPlan) -> Vec<Expr> {
    let columns = plan.schema().columns();
    columns.into_iter().map(Expr::Column).collect()
}

fn projected(columns: Vec<Expr>, input: LogicalPlan) -> Result<LogicalPlan> {
    // Not `LogicalPlanBuilder::project`: the optimiser is done, and nothing here wants normalising.
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?))
}

/// For callers that build on: the plan in a builder.
pub(crate) fn builder(plan: LogicalPlan) -> LogicalPlanBuilder {
    LogicalPlanBuilder::from(plan)
}
