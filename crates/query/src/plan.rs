//! From a definition to a DataFusion plan.
//!
//! ```text
//! operator            insights, funnel, retention, …
//!   projection        filters, numbers and breakdowns as columns (see `operators::input`)
//!     filter          the report's own filter
//!       scan          event names and time range go into it
//! ```

mod cohort;
pub(crate) mod expression;
mod flow;
mod frequency;
pub(crate) mod functions;
mod funnel;
mod insights;
mod lifecycle;
mod retention;
mod rows;

pub(crate) use cohort::selected_rows;
pub(crate) use frequency::{Activity, parts_max};
pub(crate) use insights::{figure, series};
pub(crate) use retention::{unit_ms, units_until_end};
pub(crate) use rows::{behavior_counts, event_keys, matching_rows};

use crate::QueryError;
use crate::calendar::Buckets;
use crate::definitions::Resolved;
use crate::operators::Operator;
use crate::operators::cells::Wanted;
use crate::operators::flow::only_cell;
use crate::operators::input::{
    BREAKDOWN_TYPES, COMMON_FILTER, breakdown_group, fault_name, filter_name, number_name, value_group, variant_name,
};
use crate::operators::node::OperatorNode;
use crate::scan::{EventTable, ProfileColumns, ScanCounters, text_type};
use datafusion::arrow::datatypes::DataType;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use expression::{Available, Compiler, Typed, column, null_of};
use functions::{Rule, Zone};
use hashbrown::HashSet;
use model::PersonNumber;
use model::expression::{Expression, Scope};
use model::report::{
    DateRange, Frequency, Insights, Lifecycle, Question, Report, ReportCell, RetentionSide, Stickiness,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Column, ColumnKind, Snapshot};

/// A plan with the buckets that its cells speak of.
pub(crate) struct Planned {
    pub plan: LogicalPlan,
    /// Buckets that the answer shows; none for a funnel without trend.
    pub buckets: Option<Arc<Buckets>>,
}

/// A snapshot with the columns that a question names.
pub(crate) struct Source {
    table: Arc<EventTable>,
    available: Available,
    zone: Zone,
    resolved: Arc<Resolved>,
}

/// Columns that the store lists at most; properties beyond have no column of their own, but are found by name.
const COLUMNS_LISTED_MAX: usize = 2_000;

impl Source {
    pub fn new<'a>(
        snapshot: &Snapshot,
        zone: Zone,
        expressions: impl Iterator<Item = &'a Expression>,
        persons: Option<Vec<PersonNumber>>,
        counters: Arc<ScanCounters>,
        resolved: Arc<Resolved>,
    ) -> Result<Source, QueryError> {
        let written_out = expressions.map(|expression| resolved.write_out(expression));
        let written_out: Vec<Expression> = written_out.collect::<Result<_, _>>()?;
        let (properties, user) = names_of(written_out.iter());
        let columns = columns_of(snapshot, &properties);
        let profiles = ProfileColumns::of_all(&snapshot.profiles(), &user.into_iter().collect::<Vec<_>>());
        let mut available = Available {
            events: true,
            user: profiles.kinds().clone(),
            ..Available::default()
        };
        for column in &columns {
            available
                .properties
                .entry(column.name.clone())
                .or_default()
                .push(column.kind);
        }
        let table = EventTable::new(snapshot.clone(), &columns, Arc::new(profiles), persons, counters);
        Ok(Source {
            table: Arc::new(table),
            available,
            zone,
            resolved,
        })
    }

    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    fn compile(&self, expression: &Expression) -> Result<Typed, QueryError> {
        self.compiler().compile(expression)
    }

    fn compiler(&self) -> Compiler<'_> {
        Compiler {
            available: &self.available,
            zone: &self.zone,
            resolved: &self.resolved,
        }
    }
}

/// Property names of events and of profiles that expressions mention.
pub(crate) fn names_of<'a>(expressions: impl Iterator<Item = &'a Expression>) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut properties = BTreeSet::new();
    let mut user = BTreeSet::new();
    for expression in expressions {
        expression.walk(&mut |part| {
            match part {
                Expression::Property { scope, name } => match scope {
                    Scope::Properties => properties.insert(name.clone()),
                    Scope::User => user.insert(name.clone()),
                    Scope::Event | Scope::Behaviors => false,
                },
                Expression::Group { key, .. } => properties.insert(key.clone()),
                _ => false,
            };
        });
    }
    (properties, user)
}

/// What expressions show, as the ledger of disclosures names it.
pub(crate) fn fields_of(expressions: &[&Expression]) -> BTreeSet<String> {
    let (mut fields, user) = names_of(expressions.iter().copied());
    fields.extend(user);
    for expression in expressions {
        expression.walk(&mut |part| match part {
            Expression::Cohort(_) | Expression::Computed(_) | Expression::Group { .. } => {
                fields.insert(part.to_string());
            }
            Expression::Lookup { table, column, .. } => {
                fields.insert(format!("lookup({table:?}, {column:?})"));
            }
            _ => {}
        });
    }
    fields
}

fn columns_of(snapshot: &Snapshot, names: &BTreeSet<String>) -> Vec<Column> {
    let listed = snapshot.columns();
    let mut columns: Vec<Column> = listed
        .iter()
        .filter(|column| names.contains(&column.name))
        .cloned()
        .collect();
    if listed.len() >= COLUMNS_LISTED_MAX {
        for name in names {
            for kind in ColumnKind::ALL {
                if !columns.iter().any(|column| column.name == *name && column.kind == kind) {
                    columns.push(Column {
                        name: name.clone(),
                        kind,
                        physical: store::physical_name(name, kind),
                        rows: 0,
                    });
                }
            }
        }
    }
    columns
}

/// Every expression of a definition.
pub(crate) fn expressions(report: &Report) -> Vec<&Expression> {
    let mut expressions: Vec<&Expression> = report.filter.iter().collect();
    match &report.question {
        Question::Insights(insights) => expressions.extend(insights.expressions()),
        Question::Funnel(funnel) => {
            expressions.extend(funnel::selectors(funnel).filter_map(|(_, filter)| filter));
            expressions.extend(funnel.breakdown.iter().chain(&funnel.hold));
        }
        Question::Retention(retention) => {
            expressions.extend(
                [&retention.born.filter, &retention.returning.filter]
                    .into_iter()
                    .flatten(),
            );
            expressions.extend(&retention.breakdown);
        }
        Question::Frequency(Frequency { active, breakdown, .. })
        | Question::Stickiness(Stickiness { active, breakdown, .. })
        | Question::Lifecycle(Lifecycle { active, breakdown, .. }) => {
            expressions.extend(&active.filter);
            expressions.extend(breakdown);
        }
        Question::Flow(flow) => {
            expressions.extend(flow.anchors.iter().filter_map(|anchor| anchor.filter.as_ref()));
            expressions.extend(flow.expand.iter().map(|expansion| &expansion.property));
            expressions.extend(&flow.breakdown);
        }
    }
    expressions
}

/// Event names of a definition; absent for any event.
pub(crate) fn events(report: &Report) -> Vec<Option<&String>> {
    match &report.question {
        Question::Insights(insights) => insights.metrics.iter().map(|metric| metric.event.as_ref()).collect(),
        Question::Funnel(funnel) => funnel::selectors(funnel).map(|(event, _)| event).collect(),
        Question::Retention(retention) => vec![retention.born.event.as_ref(), retention.returning.event.as_ref()],
        Question::Frequency(Frequency { active, .. })
        | Question::Stickiness(Stickiness { active, .. })
        | Question::Lifecycle(Lifecycle { active, .. }) => vec![active.event.as_ref()],
        Question::Flow(flow) => flow.anchors.iter().map(|anchor| anchor.event.as_ref()).collect(),
    }
}

/// The plan of a definition over `range`, which is the report's own or the one it is compared to. With a cell, that
/// number's members are found too; see [`wanted`].
pub(crate) fn plan(
    source: &Source,
    report: &Report,
    range: DateRange,
    cell: Option<&ReportCell>,
) -> Result<Planned, QueryError> {
    let wanted = cell.map(wanted);
    let (operator, rows, buckets) = match &report.question {
        Question::Insights(insights) => insights::parts(source, insights, range, None, wanted)?,
        Question::Funnel(funnel) => funnel::parts(source, report, funnel, range, wanted)?,
        Question::Retention(retention) => {
            let side = match cell {
                Some(ReportCell::Retention(cell)) => cell.side,
                _ => RetentionSide::default(),
            };
            retention::parts(source, retention, range, wanted, side)?
        }
        Question::Frequency(frequency) => frequency::parts(source, &frequency.into(), range, wanted)?,
        Question::Stickiness(stickiness) => frequency::parts(source, &stickiness.into(), range, wanted)?,
        Question::Lifecycle(lifecycle) => lifecycle::parts(source, lifecycle, range, wanted)?,
        Question::Flow(flow) => {
            let number = match cell {
                Some(ReportCell::Flow(cell)) => Some(cell.clone()),
                _ => None,
            };
            flow::parts(source, report, flow, range, number)?
        }
    };
    planned(source, report, (operator, rows, buckets))
}

/// The plan of insights over all segments but the shown ones, as one.
pub(crate) fn plan_rest(
    source: &Source,
    report: &Report,
    insights: &Insights,
    range: DateRange,
    shown: Arc<HashSet<String>>,
    cell: Option<&ReportCell>,
) -> Result<Planned, QueryError> {
    let parts = insights::parts(source, insights, range, Some(shown), cell.map(wanted))?;
    planned(source, report, parts)
}

fn planned(source: &Source, report: &Report, (operator, rows, buckets): Parts) -> Result<Planned, QueryError> {
    let input = rows.build(source, report)?;
    let plan = OperatorNode::over(operator, input).map_err(QueryError::Internal)?;
    Ok(Planned { plan, buckets })
}

/// Where an operator puts the members of a number.
pub(crate) fn wanted(cell: &ReportCell) -> Wanted {
    match cell {
        ReportCell::Insights(cell) => insights::wanted(cell),
        ReportCell::Funnel(cell) => funnel::wanted(cell),
        ReportCell::Retention(cell) => retention::wanted(cell),
        ReportCell::Frequency(cell) => frequency::wanted(cell),
        ReportCell::Stickiness(cell) => frequency::wanted_days(cell),
        ReportCell::Lifecycle(cell) => lifecycle::wanted(cell),
        ReportCell::Flow(_) => only_cell(),
    }
}

/// A bucket that is asked for; one beyond the last may be, and has no cell.
fn wanted_bucket(bucket: usize) -> i32 {
    i32::try_from(bucket).unwrap_or(i32::MAX)
}

type Parts = (Arc<dyn Operator>, RowsBuilder, Option<Arc<Buckets>>);

/// The rows below an operator.
struct RowsBuilder {
    from_ms: i64,
    to_ms: i64,
    events: Vec<Option<String>>,
    columns: Vec<Expr>,
    /// The operator applies the report's filter itself, because it looks at what the filter drops, too.
    filtered_above: bool,
    /// Rows of every event, whatever the report's filter says of them.
    keeps_all: bool,
}

impl RowsBuilder {
    fn new(from_ms: i64, to_ms: i64, events: Vec<Option<String>>, with_seq: bool) -> RowsBuilder {
        let mut names = vec!["person", "time"];
        if with_seq {
            names.push("seq");
        }
        if events.iter().any(Option::is_some) {
            names.push("event");
        }
        RowsBuilder {
            from_ms,
            to_ms,
            events,
            columns: names.into_iter().map(column).collect(),
            filtered_above: false,
            keeps_all: false,
        }
    }

    /// Keeps the rows that the report's filter and the names of events leave out; the filter becomes a column.
    fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// Adds the filter of a selector.
    fn filter(&mut self, source: &Source, selector: usize, filter: Option<&Expression>) -> Result<(), QueryError> {
        let Some(filter) = filter else { return Ok(()) };
        let typed = source.compile(filter)?;
        self.add(filter_name(selector), typed.as_filter());
        self.fault(&filter_name(selector), typed.fault);
        Ok(())
    }

    /// Adds the number of a metric.
    fn number(&mut self, source: &Source, metric: usize, property: &Expression) -> Result<(), QueryError> {
        let typed = source.compile(property)?;
        let number = typed.number.unwrap_or_else(|| null_of(&DataType::Float64));
        self.add(number_name(metric), number);
        self.fault(&number_name(metric), typed.fault);
        Ok(())
    }

    /// Adds the value of a metric, in all its types.
    fn value(&mut self, source: &Source, metric: usize, value: &Expression) -> Result<(), QueryError> {
        self.variants(source, &value_group(metric), value)
    }

    fn breakdown(&mut self, source: &Source, breakdown: usize, value: &Expression) -> Result<(), QueryError> {
        self.variants(source, &breakdown_group(breakdown), value)
    }

    /// Adds a breakdown of which only numbers matter.
    fn breakdown_number(&mut self, source: &Source, breakdown: usize, value: &Expression) -> Result<(), QueryError> {
        let group = breakdown_group(breakdown);
        let typed = source.compile(value)?;
        if let Some(number) = typed.number {
            self.add(variant_name(&group, "number"), number);
        }
        self.fault(&group, typed.fault);
        Ok(())
    }

    fn variants(&mut self, source: &Source, group: &str, value: &Expression) -> Result<(), QueryError> {
        let typed = source.compile(value)?;
        let compiler = source.compiler();
        // An instant shows as text, and no expression has instants and texts.
        let time = typed.time.map(|time| compiler.time_text(time));
        let text = typed.text.map(plain_text).or(time);
        let variants = [text, typed.number, typed.flag, typed.json.map(plain_text), typed.group];
        for (of_type, variant) in BREAKDOWN_TYPES.into_iter().zip(variants) {
            if let Some(variant) = variant {
                self.add(variant_name(group, of_type), variant);
            }
        }
        self.fault(group, typed.fault);
        Ok(())
    }

    fn add(&mut self, name: String, expression: Expr) {
        self.columns.push(expression.alias(name));
    }

    fn fault(&mut self, of: &str, fault: Option<Expr>) {
        if let Some(fault) = fault {
            self.add(fault_name(of), fault);
        }
    }

    fn build(mut self, source: &Source, report: &Report) -> Result<LogicalPlan, QueryError> {
        let mut filter = match &report.filter {
            Some(filter) if !self.filtered_above => Some(source.compile(filter)?),
            _ => None,
        };
        let mut events = self.events.iter().cloned().collect::<Option<BTreeSet<String>>>();
        if self.keeps_all {
            events = None;
            if let Some(filter) = filter.take() {
                self.add(COMMON_FILTER.into(), filter.as_filter());
                self.fault(COMMON_FILTER, filter.fault);
            }
        }
        let filter = filter.map(predicate);
        let rows = event_rows(source, events, self.from_ms, self.to_ms, filter);
        rows.and_then(|rows| rows.project(self.columns)?.build())
            .map_err(QueryError::Internal)
    }
}

/// Texts that are not columns of the store, in one type.
fn plain_text(text: Expr) -> Expr {
    match text {
        Expr::Column(_) => text,
        computed => cast(computed, DataType::Utf8),
    }
}

/// The condition under which a filter keeps a row.
fn predicate(filter: Typed) -> Expr {
    match &filter.fault {
        None => filter.as_filter(),
        Some(fault) => Rule::Checked.call(vec![filter.as_filter(), fault.clone()]),
    }
}

/// The events of some names and times that pass a filter.
fn event_rows(
    source: &Source,
    events: Option<BTreeSet<String>>,
    from_ms: i64,
    to_ms: i64,
    filter: Option<Expr>,
) -> datafusion::common::Result<LogicalPlanBuilder> {
    let mut rows = LogicalPlanBuilder::scan("events", provider_as_source(source.table.clone()), None)?;
    if let Some(events) = events {
        let names: Vec<Expr> = events.into_iter().map(|event| cast(lit(event), text_type())).collect();
        rows = rows.filter(column("event").in_list(names, false))?;
    }
    if from_ms != i64::MIN {
        rows = rows.filter(column("time").gt_eq(lit(from_ms)))?;
    }
    if to_ms != i64::MAX {
        rows = rows.filter(column("time").lt(lit(to_ms)))?;
    }
    match filter {
        Some(filter) => rows.filter(filter),
        None => Ok(rows),
    }
}
