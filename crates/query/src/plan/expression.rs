//! Expressions of the definition language as DataFusion expressions over typed columns.
//!
//! A value of the language is a string, number, boolean, instant, list, object or not set, and one property may hold
//! all of these in different events. DataFusion's expressions have one type each. So an expression becomes one
//! DataFusion expression *per type that it can have* ([`Typed`]): for each row at most one of them is not null, and
//! all are null where the value is not set. What cannot occur costs nothing: a filter on a property that was only
//! ever a string is one comparison of one column.
//!
//! Every rule here is written a second time, as plain code, in `reference`.

use super::functions::{Rule, Zone};
use crate::QueryError;
use crate::definitions::Resolved;
use crate::people::DISTINCT_ID;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, case, cast, lit, when};
use model::expression::{BinaryOp, Expression, Function, Scope};
use model::{DefinitionError, PersonNumber, Value};
use std::collections::{HashMap, HashSet};
use store::ColumnKind;

/// What the rows of a plan have, by scope and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Available {
    pub properties: HashMap<String, Vec<ColumnKind>>,
    pub user: HashMap<String, Vec<ColumnKind>>,
    /// Behaviours whose events were counted, by name; rows are people then.
    pub behaviors: HashSet<String>,
    /// Rows are events: they have an instant and a name.
    pub events: bool,
}

/// One expression per type; see the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    pub text: Option<Expr>,
    pub number: Option<Expr>,
    pub flag: Option<Expr>,
    /// Milliseconds since 1970.
    pub time: Option<Expr>,
    /// A list or an object, as JSON text.
    pub json: Option<Expr>,
    /// Numbers of groups.
    pub group: Option<Expr>,
    /// True where evaluating was a type error (X9). Absent where none is possible.
    pub fault: Option<Expr>,
    /// Never not set.
    always: bool,
}

/// Column of a profile property, as the table of events has it. No event column has such a name: those end in a kind.
pub(crate) fn user_column(name: &str, kind: ColumnKind) -> String {
    format!("{}@user", store::physical_name(name, kind))
}

/// Column of how many events match a behaviour. No other column has such a name.
pub(crate) fn behavior_column(name: &str) -> String {
    format!("{name}@behavior")
}

pub(crate) fn column(name: impl Into<String>) -> Expr {
    Expr::Column(Column::from_name(name))
}

pub(crate) struct Compiler<'a> {
    pub available: &'a Available,
    pub zone: &'a Zone,
    pub resolved: &'a Resolved,
}

/// Most nodes of DataFusion expressions that one expression may become. Some rules use an operand twice, so that
/// without a limit deep nesting would grow without bound; what people write stays far below.
const NODES_MAX: usize = 20_000;

impl Compiler<'_> {
    pub fn compile(&self, expression: &Expression) -> Result<Typed, QueryError> {
        let typed = self.compile_unchecked(expression)?;
        if typed.nodes() > NODES_MAX {
            return Err(QueryError::Expression {
                message: "the expression is too deeply nested; split it into simpler filters".into(),
            });
        }
        Ok(typed)
    }

    fn compile_unchecked(&self, expression: &Expression) -> Result<Typed, QueryError> {
        Ok(match expression {
            Expression::Property { scope, name } => self.property(*scope, name),
            Expression::Literal(value) => literal(value),
            Expression::Not(inner) => not(self.compile(inner)?),
            Expression::Negate(inner) => {
                let inner = self.compile(inner)?;
                Typed {
                    number: inner.number.map(|number| Rule::Subtract.call(vec![lit(0.0), number])),
                    fault: inner.fault,
                    ..Typed::default()
                }
            }
            Expression::Binary {
                op: BinaryOp::In,
                left,
                right,
            } if is_list(right) => in_literals(self.compile(left)?, right),
            Expression::Binary { op, left, right } => self.binary(*op, self.compile(left)?, self.compile(right)?),
            Expression::Call { function, arguments } => {
                let mut values = arguments.iter().map(|argument| self.compile(argument));
                let first = values.next().transpose()?.unwrap_or_default();
                self.call(*function, first, values.next().transpose()?)
            }
            Expression::Cohort(number) => self.member(*number)?,
            Expression::Computed(_) => self.compile(&self.resolved.write_out(expression)?)?,
            Expression::Lookup { table, column, key } => {
                let key = self.compile(key)?;
                self.lookup(table, column, key)?
            }
            Expression::Group { key, property } => self.group(key, property),
        })
    }

    fn member(&self, cohort: u64) -> Result<Typed, QueryError> {
        let Some(members) = self.resolved.members(cohort) else {
            return Err(DefinitionError::UnknownCohort(cohort).into());
        };
        Ok(Typed::always_flag(Rule::Member(members).call(vec![column("person")])))
    }

    fn lookup(&self, table: &str, column: &str, key: Typed) -> Result<Typed, QueryError> {
        let cells = self.resolved.cells(table, column)?;
        let kinds = cells.kinds();
        let mut typed = match self.text_of(&key) {
            None => Typed::default(),
            Some(key) => Typed::of_kinds(&kinds, |kind| Rule::Lookup(cells.clone(), kind).call(vec![key.clone()])),
        };
        typed.fault = key.fault;
        Ok(typed)
    }

    /// Rows that are profiles have no groups.
    fn group(&self, key: &str, property: &str) -> Typed {
        let kinds = self.available.properties.get(key);
        if !self.available.events || !kinds.is_some_and(|kinds| kinds.contains(&ColumnKind::Group)) {
            return Typed::default();
        }
        let values = self.resolved.group_values(key, property);
        let groups = column(store::physical_name(key, ColumnKind::Group));
        let kinds = values.kinds();
        Typed::of_kinds(&kinds, |kind| {
            Rule::OfGroups(values.clone(), kind).call(vec![groups.clone()])
        })
    }

    fn property(&self, scope: Scope, name: &str) -> Typed {
        if self.available.events && scope != Scope::User {
            match name {
                "$time" => {
                    return Typed {
                        time: Some(column("time")),
                        always: true,
                        ..Typed::default()
                    };
                }
                "$event_name" => {
                    return Typed {
                        text: Some(column("event")),
                        always: true,
                        ..Typed::default()
                    };
                }
                DISTINCT_ID if scope == Scope::Properties => {
                    let person = || column("person");
                    let is_somebody = person().not_eq(lit(PersonNumber::NOBODY.0));
                    return Typed::of_number(when(is_somebody, cast(person(), DataType::Float64)).end().ok());
                }
                _ => {}
            }
        }
        let (kinds, of_user) = match scope {
            Scope::Event => return Typed::default(),
            Scope::Behaviors if self.available.behaviors.contains(name) => {
                return Typed {
                    always: true,
                    ..Typed::of_number(Some(column(behavior_column(name))))
                };
            }
            Scope::Behaviors => return Typed::default(),
            Scope::Properties => (self.available.properties.get(name), false),
            Scope::User => (self.available.user.get(name), true),
        };
        let kinds = kinds.map(Vec::as_slice).unwrap_or_default();
        Typed::of_kinds(kinds, |kind| {
            column(if of_user {
                user_column(name, kind)
            } else {
                store::physical_name(name, kind)
            })
        })
    }

    fn binary(&self, op: BinaryOp, left: Typed, right: Typed) -> Typed {
        let fault = any([left.fault.clone(), right.fault.clone()]);
        let numbers = |rule: Rule| both(&left.number, &right.number).map(|(l, r)| rule.call(vec![l, r]));
        let mut result = match op {
            BinaryOp::And | BinaryOp::Or => return logic(op, left, right),
            BinaryOp::Equal => Typed::always_flag(equal(&left, &right)),
            BinaryOp::NotEqual => Typed::always_flag(equal(&left, &right).is_not_true()),
            BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => {
                self.compare(op, &left, &right)
            }
            BinaryOp::In => contained(&left, &right),
            BinaryOp::Add => Typed {
                number: numbers(Rule::Add),
                text: both(&left.text, &right.text).map(|(l, r)| Rule::Concat.call(vec![l, r])),
                ..Typed::default()
            },
            BinaryOp::Subtract => Typed::of_number(numbers(Rule::Subtract)),
            BinaryOp::Multiply => Typed::of_number(numbers(Rule::Multiply)),
            BinaryOp::Divide => Typed::of_number(numbers(Rule::Divide)),
            BinaryOp::Remainder => Typed::of_number(numbers(Rule::Remainder)),
        };
        result.fault = fault;
        result
    }

    /// X7.
    fn compare(&self, op: BinaryOp, left: &Typed, right: &Typed) -> Typed {
        let compare = |(left, right): (Expr, Expr)| match op {
            BinaryOp::Less => left.lt(right),
            BinaryOp::LessOrEqual => left.lt_eq(right),
            BinaryOp::Greater => left.gt(right),
            _ => left.gt_eq(right),
        };
        let as_time = |value: &Typed| {
            let parsed = value.text.clone().map(|text| self.parse_time(text));
            let epoch = value.number.clone().map(|number| Rule::EpochTime.call(vec![number]));
            first_of([parsed, epoch])
        };
        let comparisons = [
            both(&left.number, &right.number),
            both(&left.text, &right.text),
            both(&left.time, &right.time),
            both(&left.time, &as_time(right)),
            both(&as_time(left), &right.time),
        ];
        Typed {
            flag: first_of(comparisons.map(|pair| pair.map(compare))),
            ..Typed::default()
        }
    }

    fn call(&self, function: Function, value: Typed, default: Option<Typed>) -> Typed {
        let fault = any([
            value.fault.clone(),
            default.as_ref().and_then(|value| value.fault.clone()),
        ]);
        let rounded = |rule: Rule| Typed::of_number(value.number.clone().map(|number| rule.call(vec![number])));
        let mut result = match function {
            Function::Defined => Typed::always_flag(value.defined()),
            Function::Floor => rounded(Rule::Floor),
            Function::Round => rounded(Rule::Round),
            Function::Ceil => rounded(Rule::Ceil),
            Function::Boolean => Typed::always_flag(boolean(&value)),
            Function::Number => number(&value),
            Function::String => {
                let default = default.as_ref().and_then(|default| self.text_of(default));
                Typed {
                    text: first_of([self.text_of(&value), default]),
                    ..Typed::default()
                }
            }
            Function::Datetime => Typed {
                time: first_of([
                    value.time.clone(),
                    value.text.clone().map(|text| self.parse_time(text)),
                    value.number.clone().map(|number| Rule::EpochTime.call(vec![number])),
                ]),
                ..Typed::default()
            },
        };
        result.fault = fault;
        result
    }

    fn parse_time(&self, text: Expr) -> Expr {
        Rule::ParseTime(self.zone.clone()).call(vec![text])
    }

    /// An instant as the text that breakdowns and `string()` show.
    pub fn time_text(&self, time: Expr) -> Expr {
        Rule::TimeText(self.zone.clone()).call(vec![time])
    }

    /// `string(value)` (X10).
    fn text_of(&self, value: &Typed) -> Option<Expr> {
        let flag = value
            .flag
            .clone()
            .and_then(|flag| choose(flag, lit("true"), lit("false")));
        first_of([
            value.text.clone(),
            value.number.clone().map(|number| Rule::NumberText.call(vec![number])),
            flag,
            value.time.clone().map(|time| self.time_text(time)),
            value.json.clone(),
            value.group.clone().map(group_text),
        ])
    }
}

impl Typed {
    fn always_flag(flag: Expr) -> Typed {
        Typed {
            flag: Some(flag),
            always: true,
            ..Typed::default()
        }
    }

    /// A value that has one of some types in each row.
    fn of_kinds(kinds: &[ColumnKind], of_kind: impl Fn(ColumnKind) -> Expr) -> Typed {
        let mut typed = Typed::default();
        for kind in kinds {
            let expression = Some(of_kind(*kind));
            match kind {
                ColumnKind::String => typed.text = expression,
                ColumnKind::Number => typed.number = expression,
                ColumnKind::Bool => typed.flag = expression,
                ColumnKind::Json => typed.json = expression,
                ColumnKind::Group => typed.group = expression,
            }
        }
        typed
    }

    fn of_number(number: Option<Expr>) -> Typed {
        Typed {
            number,
            ..Typed::default()
        }
    }

    /// `true` where the value is, false elsewhere.
    pub fn is_true(&self) -> Expr {
        match &self.flag {
            None => lit(false),
            Some(flag) if self.always => flag.clone(),
            Some(flag) => flag.clone().is_true(),
        }
    }

    /// The value as a filter, for which null is as good as false.
    pub fn as_filter(&self) -> Expr {
        self.flag.clone().map_or_else(|| lit(false), relaxed)
    }

    /// Whether the value is set (X12).
    fn defined(&self) -> Expr {
        if self.always {
            return lit(true);
        }
        let set = self.variants().map(|variant| variant.cloned().map(Expr::is_not_null));
        any(set).unwrap_or_else(|| lit(false))
    }

    /// Whether the value is something else than a boolean or not set.
    fn is_other(&self) -> Option<Expr> {
        let [_, others @ ..] = self.variants();
        any(others.map(|variant| variant.cloned().map(Expr::is_not_null)))
    }

    /// The boolean first.
    fn variants(&self) -> [Option<&Expr>; 6] {
        [
            self.flag.as_ref(),
            self.text.as_ref(),
            self.number.as_ref(),
            self.time.as_ref(),
            self.json.as_ref(),
            self.group.as_ref(),
        ]
    }

    fn nodes(&self) -> usize {
        let mut nodes = 0;
        for expression in self.variants().into_iter().flatten().chain(&self.fault) {
            // The visitor cannot fail.
            let _ = expression.apply(|_| {
                nodes += 1;
                Ok(if nodes > NODES_MAX {
                    TreeNodeRecursion::Stop
                } else {
                    TreeNodeRecursion::Continue
                })
            });
        }
        nodes
    }

    /// Lists and objects as JSON text, groups included.
    fn lists(&self) -> Vec<Expr> {
        let groups = self.group.clone().map(group_text);
        self.json.clone().into_iter().chain(groups).collect()
    }
}

fn literal(value: &Value) -> Typed {
    let mut typed = Typed {
        always: true,
        ..Typed::default()
    };
    match value {
        Value::Null => typed.always = false,
        Value::Bool(flag) => typed.flag = Some(lit(*flag)),
        Value::Number(number) => typed.number = Some(lit(*number + 0.0)),
        Value::String(text) => typed.text = Some(lit(text.as_str())),
        Value::List(_) | Value::Object(_) => typed.json = Some(lit(value.to_json().to_string())),
    }
    typed
}

/// Without the care for null that only a negation or a count of values would need.
fn relaxed(filter: Expr) -> Expr {
    match filter {
        Expr::IsTrue(inner) => relaxed(*inner),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if matches!(op, Operator::And | Operator::Or) => {
            Expr::BinaryExpr(BinaryExpr::new(Box::new(relaxed(*left)), op, Box::new(relaxed(*right))))
        }
        other => other,
    }
}

fn is_list(expression: &Expression) -> bool {
    matches!(expression, Expression::Literal(Value::List(_)))
}

fn group_text(group: Expr) -> Expr {
    Rule::GroupText.call(vec![group])
}

fn both(left: &Option<Expr>, right: &Option<Expr>) -> Option<(Expr, Expr)> {
    Some((left.clone()?, right.clone()?))
}

/// The one of several that is not null, if any.
fn first_of<const N: usize>(candidates: [Option<Expr>; N]) -> Option<Expr> {
    let mut candidates: Vec<Expr> = candidates.into_iter().flatten().collect();
    match candidates.len() {
        0 | 1 => candidates.pop(),
        _ => Some(coalesce(candidates)),
    }
}

/// Whether any of several conditions, none of them null, holds.
fn any(conditions: impl IntoIterator<Item = Option<Expr>>) -> Option<Expr> {
    conditions.into_iter().flatten().reduce(Expr::or)
}

/// One of two values by a condition; null where the condition is.
fn choose(condition: Expr, yes: Expr, no: Expr) -> Option<Expr> {
    case(condition).when(lit(true), yes).when(lit(false), no).end().ok()
}

/// X9.
fn not(inner: Typed) -> Typed {
    let fault = inner.fault.clone();
    let negated = inner.is_true().is_not_true();
    let mut result = match inner.is_other() {
        None => Typed::always_flag(negated),
        Some(other) => Typed {
            flag: when(other.is_not_true(), negated).end().ok(),
            ..Typed::default()
        },
    };
    result.fault = fault;
    result
}

/// X9: operands are booleans, or not set, which is false.
fn logic(op: BinaryOp, left: Typed, right: Typed) -> Typed {
    let (is_left, is_right) = (left.is_true(), right.is_true());
    let mut result = Typed::always_flag(if op == BinaryOp::And {
        is_left.and(is_right)
    } else {
        is_left.or(is_right)
    });
    result.fault = any([left.is_other(), right.is_other(), left.fault, right.fault]);
    result
}

/// X6.
fn equal(left: &Typed, right: &Typed) -> Expr {
    let same = [
        both(&left.text, &right.text),
        both(&left.number, &right.number),
        both(&left.flag, &right.flag),
        both(&left.time, &right.time),
    ];
    let mut conditions: Vec<Expr> = same.into_iter().flatten().map(|(left, right)| left.eq(right)).collect();
    for (one, other) in [(left, right), (right, left)] {
        for list in one.json.iter().chain(&one.group) {
            for scalar in [&other.text, &other.number, &other.flag].into_iter().flatten() {
                conditions.push(Rule::ListHas.call(vec![list.clone(), scalar.clone()]));
            }
        }
    }
    for one in left.lists() {
        for other in right.lists() {
            conditions.push(Rule::ListEqual.call(vec![one.clone(), other]));
        }
    }
    let mut conditions: Vec<Option<Expr>> = conditions.into_iter().map(|holds| Some(holds.is_true())).collect();
    if !left.always && !right.always {
        let (left, right) = (left.defined(), right.defined());
        conditions.push(Some(left.is_not_true().and(right.is_not_true())));
    }
    any(conditions).unwrap_or_else(|| lit(false))
}

/// X8 with literals on the right.
fn in_literals(left: Typed, right: &Expression) -> Typed {
    let Expression::Literal(Value::List(items)) = right else {
        return Typed::default();
    };
    let matching = |variant: &Option<Expr>, wanted: fn(&Value) -> Option<Expr>| {
        let variant = variant.clone()?;
        let wanted: Vec<Expr> = items.iter().filter_map(wanted).collect();
        if wanted.is_empty() {
            return when(variant.is_not_null(), lit(false)).end().ok();
        }
        Some(variant.in_list(wanted, false))
    };
    let flags = [
        matching(&left.text, |item| item.as_str().map(lit)),
        matching(&left.number, |item| item.as_f64().map(|number| lit(number + 0.0))),
        matching(&left.flag, |item| match item {
            Value::Bool(flag) => Some(lit(*flag)),
            _ => None,
        }),
    ];
    Typed {
        flag: first_of(flags),
        fault: left.fault,
        ..Typed::default()
    }
}

/// X8 with a value on the right: part of a text, or element of a list.
fn contained(left: &Typed, right: &Typed) -> Typed {
    let mut flags = Vec::new();
    if let Some((part, whole)) = both(&left.text, &right.text) {
        flags.push(Rule::Contains.call(vec![whole, part]));
    }
    for list in right.json.iter().chain(&right.group) {
        for scalar in [&left.text, &left.number, &left.flag].into_iter().flatten() {
            flags.push(Rule::ListHas.call(vec![list.clone(), scalar.clone()]));
        }
    }
    let flag = match flags.len() {
        0 | 1 => flags.pop(),
        _ => Some(coalesce(flags)),
    };
    Typed {
        flag,
        ..Typed::default()
    }
}

/// X10: false for false, 0, not set, the empty text and the text "false".
fn boolean(value: &Typed) -> Expr {
    let text = |text: &Expr| text.clone().in_list(vec![lit(""), lit("false")], true);
    let conditions = [
        value.flag.clone(),
        value.number.clone().map(|number| number.not_eq(lit(0.0))),
        value.text.as_ref().map(text),
        value.time.clone().map(Expr::is_not_null),
        value.json.clone().map(Expr::is_not_null),
        value.group.clone().map(Expr::is_not_null),
    ];
    any(conditions.map(|condition| condition.map(Expr::is_true))).unwrap_or_else(|| lit(false))
}

/// X10.
fn number(value: &Typed) -> Typed {
    let flag = value.flag.clone().and_then(|flag| choose(flag, lit(1.0), lit(0.0)));
    let seconds = |time: Expr| cast(time, DataType::Float64) / lit(1000.0);
    Typed::of_number(first_of([
        value.number.clone(),
        flag,
        value.text.clone().map(|text| Rule::ParseNumber.call(vec![text])),
        value.time.clone().map(seconds),
    ]))
}

/// Null of a type, where a column is asked for that no value can fill.
pub(crate) fn null_of(data_type: &DataType) -> Expr {
    Expr::Literal(ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Null), None)
}
