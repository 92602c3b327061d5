//! From a statement to a plan, refusing everything but one `SELECT`.
//!
//! What a statement can name is what [`Names`] gives out: our views, and functions of a list. There is no catalog behind
//! it, so there is no information schema, no table function, no variable and no setting to reach. The plan is checked
//! once more by kinds of nodes, so that nothing depends on what the parser happens to accept.

use super::SQL_BYTES_MAX;
use super::views::{VIEWS, view};
use crate::QueryError;
use crate::definitions::Setting;
use crate::error::{SqlFault, SqlPosition};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, TableReference, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF};
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast::{Query, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::sync::Arc;

/// Functions that are left out: those that make much out of little, those whose value changes from call to call (a
/// number and the crowd behind it would not be about the same rows), and those that tell about the installation.
const SCALARS_LEFT_OUT: [&str; 13] = [
    "repeat",
    "lpad",
    "rpad",
    "array_repeat",
    "list_repeat",
    "generate_series",
    "range",
    "array_resize",
    "list_resize",
    "random",
    "uuid",
    "version",
    "arrow_metadata",
];

/// The plan of a statement, before optimising.
pub(crate) fn plan(setting: Setting<'_>, sql: &str) -> Result<LogicalPlan, QueryError> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(fault(format!("a statement has at most {SQL_BYTES_MAX} bytes"), None));
    }
    let parsed = Parser::parse_sql(&GenericDialect {}, sql).map_err(|error| refused(error.into(), sql))?;
    let query = single_query(parsed).map_err(|message| fault(message.to_owned(), start(sql)))?;
    let names = Names {
        state: &setting.asking.state,
        setting,
    };
    let options = ParserOptions {
        collect_spans: true,
        map_string_types_to_utf8view: false,
        ..ParserOptions::default()
    };
    let planner = SqlToRel::new_with_options(&names, options);
    let statement = Statement::Query(Box::new(query));
    let plan = planner
        .sql_statement_to_plan(statement)
        .map_err(|error| refused(error, sql))?;
    if plan.get_parameter_names().map_or(true, |names| !names.is_empty()) {
        return Err(fault(
            "write values in place; there are no parameters".to_owned(),
            sql.find('$').map(|at| position_of(sql, at)),
        ));
    }
    check_nodes(&plan).map_err(|message| fault(message.to_owned(), start(sql)))?;
    Ok(plan)
}

const ONE_SELECT: &str = "give one SELECT statement; nothing here can be changed or set";

fn single_query(mut statements: Vec<Statement>) -> Result<Query, &'static str> {
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => {
            if !query.locks.is_empty() {
                return Err("rows cannot be locked");
            }
            if query.with.as_ref().is_some_and(|with| with.recursive) {
                return Err("WITH RECURSIVE is not supported");
            }
            Ok(*query)
        }
        (None, _) => Err("the statement is empty; give one SELECT"),
        (Some(_), true) => Err(ONE_SELECT),
        (Some(_), false) => Err("give one statement at a time"),
    }
}

/// Refuses plans with nodes that do more than read.
fn check_nodes(plan: &LogicalPlan) -> Result<(), &'static str> {
    let mut refusal = Ok(());
    let walked = plan.apply_with_subqueries(|node| {
        let reads = matches!(
            node,
            LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Window(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::Union(_)
                | LogicalPlan::TableScan(_)
                | LogicalPlan::EmptyRelation(_)
                | LogicalPlan::Subquery(_)
                | LogicalPlan::SubqueryAlias(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::Values(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::Unnest(_)
        );
        if !reads {
            refusal = Err(ONE_SELECT);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    if walked.is_err() {
        return Err(ONE_SELECT);
    }
    refusal
}

/// What a statement can name.
struct Names<'a> {
    state: &'a SessionState,
    setting: Setting<'a>,
}

/// Whether an aggregate is exact: an answer here is a number, not an estimate.
fn is_exact(name: &str) -> bool {
    !name.starts_with("approx")
}

impl ContextProvider for Names<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let found = match &name {
            TableReference::Bare { table } => view(table, self.setting),
            _ => None,
        };
        match found {
            Some(view) => Ok(provider_as_source(view)),
            None => plan_err!("there is no view '{name}'; there are {}", VIEWS.join(", ")),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let function = self.state.scalar_functions().get(name)?;
        let left_out = |name: &str| SCALARS_LEFT_OUT.contains(&name);
        (!left_out(name) && !left_out(function.name())).then(|| function.clone())
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state
            .aggregate_functions()
            .get(name)
            .filter(|_| is_exact(name))
            .cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        let names = self.state.scalar_functions().keys();
        names
            .filter(|name| !SCALARS_LEFT_OUT.contains(&name.as_str()))
            .cloned()
            .collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        let names = self.state.aggregate_functions().keys();
        names.filter(|name| is_exact(name)).cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}

/// What the parser or planner says, with where it says it. Neither has seen any data.
pub(crate) fn refused(error: DataFusionError, sql: &str) -> QueryError {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let position = span.map(|span| SqlPosition {
        line: span.start.line,
        column: span.start.column,
    });
    let text = match error.find_root() {
        DataFusionError::SQL(error, _) => error.to_string(),
        DataFusionError::Plan(text) | DataFusionError::NotImplemented(text) => text.clone(),
        DataFusionError::SchemaError(error, _) => error.to_string(),
        other => other.strip_backtrace(),
    };
    let (text, stated) = without_position(&text);
    let position = position
        .or(stated)
        .or_else(|| quoted_place(&text, sql))
        .or_else(|| start(sql));
    fault(text, position)
}

fn fault(message: String, position: Option<SqlPosition>) -> QueryError {
    QueryError::Sql(SqlFault { message, position })
}

/// The parser writes ` at Line: 1, Column: 10` behind its messages.
fn without_position(text: &str) -> (String, Option<SqlPosition>) {
    let text = text.trim_start_matches("sql parser error: ");
    let Some((before, place)) = text.rsplit_once(" at Line: ") else {
        return (text.to_owned(), None);
    };
    let mut numbers = place.split(", Column: ").map(|number| number.trim().parse().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(line), Some(column)) => (before.to_owned(), Some(SqlPosition { line, column })),
        _ => (text.to_owned(), None),
    }
}

/// Where the first name that a message quotes stands in the statement.
fn quoted_place(message: &str, sql: &str) -> Option<SqlPosition> {
    let mut parts = message.split(['\'', '"', '`']);
    let _before = parts.next();
    let name = parts.next().filter(|name| !name.is_empty())?;
    let at = sql.to_ascii_lowercase().find(&name.to_ascii_lowercase())?;
    Some(position_of(sql, at))
}

/// The first character that is not a space.
fn start(sql: &str) -> Option<SqlPosition> {
    let at = sql.find(|c: char| !c.is_whitespace())?;
    Some(position_of(sql, at))
}

fn position_of(sql: &str, at: usize) -> SqlPosition {
    let before = &sql[..at];
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    SqlPosition { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_found() {
        assert_eq!(position_of("a\n bé c", 6), SqlPosition { line: 2, column: 4 });
        let (text, place) =
            without_position("sql parser error: Expected: an expression, found: EOF at Line: 3, Column: 7");
        assert_eq!(text, "Expected: an expression, found: EOF");
        assert_eq!(place, Some(SqlPosition { line: 3, column: 7 }));
        let place = quoted_place("Invalid function 'foo'.", "select\n  FOO(1)");
        assert_eq!(place, Some(SqlPosition { line: 2, column: 3 }));
    }
}
