//! Statements that only count: every number beside the crowd behind it.
//!
//! A statement is *counted* if each way from its result down to a view passes an aggregate of this form:
//! - its functions are `count`, `sum`, `avg`, `median`, deviations and variances, of a column as it is (or cast);
//!   `min`, `max`, lists and the like show a value of somebody, so they are not counting;
//! - its rows are those of one view about persons, or of such views joined by person, filtered in any way that does
//!   not mention `person`; columns are passed on as they are;
//! - `person` occurs as `count(person)`, `count(distinct person)` and in joins, nowhere else: not in filters, groups,
//!   conditions of an aggregate, or under another name.
//!
//! Whatever happens above these aggregates computes with numbers whose crowds are known. They are known for every group
//! that the aggregate makes, before `HAVING`, `ORDER BY` or `LIMIT` choose among them: which groups are absent tells
//! something too. One condition is let through first, because it only takes small groups away:
//! `HAVING count(distinct person) >= N` with N of ten or more.
//!
//! The crowd of `count(x)` are the persons with an `x`, that of `sum` and `avg` those with an `x` other than 0: the
//! others add nothing, and a condition can be written as a product.

use super::crowd::CROWD;
use super::note::{NoteNode, Noted};
use super::touched::{builder, has_subqueries, person_of, with_person};
use super::views::PERSON;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, Alias};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, Filter, Join, JoinType, LogicalPlan, Operator, Projection, SubqueryAlias,
    lit,
};
use ledger::Class;
use std::sync::Arc;

/// The plan with a note over each of its aggregates; `None` if it does not only count.
pub(crate) fn cover(plan: &LogicalPlan, noted: &Arc<Noted>) -> Result<Option<LogicalPlan>> {
    if !is_counted(plan) {
        return Ok(None);
    }
    covered(plan, noted).map(Some)
}

fn is_counted(plan: &LogicalPlan) -> bool {
    if has_subqueries(plan) {
        return false;
    }
    match plan {
        LogicalPlan::Aggregate(aggregate) if is_counting(aggregate) => true,
        LogicalPlan::Distinct(Distinct::All(input)) if is_distinct_of_rows(input) => true,
        LogicalPlan::TableScan(_) | LogicalPlan::Extension(_) => false,
        LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => true,
        other => other.inputs().into_iter().all(is_counted),
    }
}

fn covered(plan: &LogicalPlan, noted: &Arc<Noted>) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Aggregate(aggregate) if is_counting(aggregate) => noting(aggregate, None, noted),
        LogicalPlan::Distinct(Distinct::All(input)) if is_distinct_of_rows(input) => {
            let columns = input.schema().columns().into_iter().map(Expr::Column).collect();
            let aggregate = Aggregate::try_new(input.clone(), columns, Vec::new())?;
            noting(&aggregate, None, noted)
        }
        LogicalPlan::Filter(having) => match having.input.as_ref() {
            LogicalPlan::Aggregate(aggregate) if is_counting(aggregate) => {
                let parts = split_conjunction(&having.predicate).into_iter().cloned();
                let (safe, rest): (Vec<Expr>, Vec<Expr>) = parts.partition(|part| leaves_crowds(part, aggregate));
                let noting = noting(aggregate, conjunction(safe), noted)?;
                match conjunction(rest) {
                    Some(rest) => Ok(LogicalPlan::Filter(Filter::try_new(rest, Arc::new(noting))?)),
                    None => Ok(noting),
                }
            }
            _ => inside(plan, noted),
        },
        _ => inside(plan, noted),
    }
}

fn inside(plan: &LogicalPlan, noted: &Arc<Noted>) -> Result<LogicalPlan> {
    let covered = |child: LogicalPlan| covered(&child, noted).map(Transformed::yes);
    Ok(plan.clone().map_children(covered)?.data)
}

/// The aggregate with crowds beside its numbers, noted for the groups that pass `having`.
fn noting(aggregate: &Aggregate, having: Option<Expr>, noted: &Arc<Noted>) -> Result<LogicalPlan> {
    let input = with_person(&aggregate.input)?;
    let person = person_of(&input)?;
    let mut crowds = vec![crowd(&person, None)];
    for function in functions(aggregate) {
        let crowd = crowd(&person, behind(function));
        if !crowds.contains(&crowd) {
            crowds.push(crowd);
        }
    }
    let keep = aggregate.schema.fields().len();
    let mut numbers = aggregate.aggr_expr.clone();
    numbers.extend(crowds);
    let counted = Aggregate::try_new(Arc::new(input), aggregate.group_expr.clone(), numbers)?;
    let mut plan = LogicalPlan::Aggregate(counted);
    if let Some(having) = having {
        plan = builder(plan).filter(having)?.build()?;
    }
    NoteNode::over(plan, keep, noted)
}

fn crowd(person: &Expr, of: Option<Expr>) -> Expr {
    let filter = of.map(Box::new);
    let arguments = vec![person.clone()];
    let crowd = AggregateFunction::new_udf(CROWD.clone(), arguments, false, filter, Vec::new(), None);
    Expr::AggregateFunction(crowd)
}

/// The rows that a function's number comes from; `None` for all of the group.
fn behind(function: &AggregateFunction) -> Option<Expr> {
    let mut conditions: Vec<Expr> = function.params.filter.iter().map(|filter| (**filter).clone()).collect();
    for argument in &function.params.args {
        if !matches!(argument, Expr::Literal(value, _) if !value.is_null()) {
            conditions.push(argument.clone().is_not_null());
        }
        if adds_up(function) {
            conditions.push(argument.clone().not_eq(lit(0)));
        }
    }
    conjunction(conditions)
}

const COUNTING: [&str; 12] = [
    "count",
    "sum",
    "avg",
    "mean",
    "median",
    "stddev",
    "stddev_samp",
    "stddev_pop",
    "var",
    "var_samp",
    "var_sample",
    "var_pop",
];

fn adds_up(function: &AggregateFunction) -> bool {
    !matches!(function.func.name(), "count" | "median")
}

fn functions(aggregate: &Aggregate) -> impl Iterator<Item = &AggregateFunction> {
    aggregate.aggr_expr.iter().filter_map(function)
}

fn function(expression: &Expr) -> Option<&AggregateFunction> {
    match expression {
        Expr::AggregateFunction(function) => Some(function),
        Expr::Alias(Alias { expr, .. }) => function(expr),
        _ => None,
    }
}

fn is_counting(aggregate: &Aggregate) -> bool {
    let of_known_form = |expression: &Expr| function(expression).is_some_and(is_counting_function);
    aggregate.aggr_expr.iter().all(of_known_form)
        && aggregate.group_expr.iter().all(is_about_no_person)
        && is_rows(&aggregate.input)
}

fn is_counting_function(function: &AggregateFunction) -> bool {
    let params = &function.params;
    let is_count = function.func.name() == "count";
    COUNTING.contains(&function.func.name())
        && (is_count || !params.distinct)
        && params.order_by.is_empty()
        && params.null_treatment.is_none()
        && params.filter.as_ref().is_none_or(|filter| is_about_no_person(filter))
        && params.args.len() <= 1
        && params.args.iter().all(is_as_it_is)
        && (is_count || params.args.iter().all(is_about_no_person))
}

/// Whether different rows of the plan are groups of rows, none of them by person.
fn is_distinct_of_rows(input: &LogicalPlan) -> bool {
    is_rows(input) && input.schema().fields().iter().all(|field| field.name() != PERSON)
}

/// A column or a literal, perhaps cast.
fn is_as_it_is(argument: &Expr) -> bool {
    match argument {
        Expr::Column(_) | Expr::Literal(..) => true,
        Expr::Cast(cast) => is_as_it_is(&cast.expr),
        Expr::TryCast(cast) => is_as_it_is(&cast.expr),
        _ => false,
    }
}

/// Whether an expression neither mentions `person` nor holds a plan.
fn is_about_no_person(expression: &Expr) -> bool {
    let mut clean = true;
    let walked = expression.apply(|part| {
        let suspect = match part {
            Expr::Column(column) => column.name == PERSON,
            Expr::OuterReferenceColumn(..)
            | Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::SetComparison(_) => true,
            _ => false,
        };
        clean &= !suspect;
        Ok(TreeNodeRecursion::Continue)
    });
    walked.is_ok() && clean
}

/// Rows of one person each, with columns as the views have them, chosen without regard to who the person is.
fn is_rows(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => scan.source.schema().index_of(PERSON).is_ok(),
        LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. }) => is_rows(input),
        LogicalPlan::Filter(Filter { predicate, input, .. }) => is_about_no_person(predicate) && is_rows(input),
        LogicalPlan::Projection(Projection { expr, input, .. }) => expr.iter().all(passes_on) && is_rows(input),
        LogicalPlan::Join(join) => is_by_person(join) && is_rows(&join.left) && is_rows(&join.right),
        _ => false,
    }
}

fn passes_on(column: &Expr) -> bool {
    match column {
        Expr::Column(_) => true,
        Expr::Alias(Alias { expr, name, .. }) => {
            // Both ways: what is called a person must be one, or a join by it would mix persons.
            matches!(expr.as_ref(), Expr::Column(column) if (column.name == PERSON) == (name == PERSON))
        }
        _ => false,
    }
}

/// Whether each joined row is about one person only.
fn is_by_person(join: &Join) -> bool {
    // One person of each side: two of the same would leave the other side's rows to be anybody's.
    let person = |expression: &Expr, side: &LogicalPlan| match expression {
        Expr::Column(column) => column.name == PERSON && side.schema().has_column(column),
        _ => false,
    };
    let across = |left: &Expr, right: &Expr| person(left, &join.left) && person(right, &join.right);
    let equal = |expression: &Expr| match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            *op == Operator::Eq && (across(left, right) || across(right, left))
        }
        _ => false,
    };
    let by_columns = match join.on.as_slice() {
        [(left, right)] => Some(across(left, right)),
        [] => None,
        _ => Some(false),
    };
    let by_condition = join.filter.as_ref().map(equal);
    let by_person = matches!((by_columns, by_condition), (Some(true), None) | (None, Some(true)));
    by_person && matches!(join.join_type, JoinType::Inner | JoinType::Left)
}

/// `count(distinct person) >= N` with N of a crowd or more.
fn leaves_crowds(condition: &Expr, aggregate: &Aggregate) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
        return false;
    };
    let (Expr::Column(column), Expr::Literal(number, _)) = (left.as_ref(), right.as_ref()) else {
        return false;
    };
    let least = match (op, number) {
        (Operator::GtEq, ScalarValue::Int64(Some(number))) => *number,
        (Operator::Gt, ScalarValue::Int64(Some(number))) => number.saturating_add(1),
        _ => return false,
    };
    let counts_persons = |function: &AggregateFunction| {
        let params = &function.params;
        function.func.name() == "count"
            && params.distinct
            && params.filter.is_none()
            && matches!(params.args.as_slice(), [Expr::Column(column)] if column.name == PERSON)
    };
    let counts = aggregate.aggr_expr.iter().any(|expression| {
        let named = expression.schema_name().to_string() == column.name;
        named && function(expression).is_some_and(counts_persons)
    });
    counts && least >= Class::CROWD_MIN as i64
}
