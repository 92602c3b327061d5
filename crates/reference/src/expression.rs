//! What an expression means (contract 6.9, X3–X15), one function per rule.

use crate::history::Row;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::expression::{BinaryOp, Expression, Function, Scope};
use model::value::number_text;
use model::{GroupNumber, Value};

/// `and` or `or` met an operand that is neither a boolean nor undefined (contract X9).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' joins booleans; one of its sides is another type")]
pub struct TypeError(pub &'static str);

/// The value of an expression for one event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Evaluated {
    Undefined,
    Bool(bool),
    Number(f64),
    Text(String),
    /// An instant, in milliseconds since 1970.
    Time(i64),
    List(Vec<Value>),
    Object(Value),
}

use Evaluated::{List, Number, Object, Text, Time, Undefined};

pub(crate) fn evaluate(expression: &Expression, row: &Row<'_>, zone: &TimeZone) -> Result<Evaluated, TypeError> {
    Ok(match expression {
        Expression::Property { scope, name } => property(*scope, name, row),
        Expression::Literal(value) => from_value(value),
        Expression::Not(inner) => match evaluate(inner, row, zone)? {
            Evaluated::Bool(flag) => Evaluated::Bool(!flag),
            Undefined => Evaluated::Bool(true),
            _ => Undefined,
        },
        Expression::Negate(inner) => match evaluate(inner, row, zone)? {
            Number(number) => finite(-number),
            _ => Undefined,
        },
        Expression::Binary { op, left, right } => {
            let left = evaluate(left, row, zone)?;
            let right = evaluate(right, row, zone)?;
            binary(*op, &left, &right, zone)?
        }
        Expression::Call { function, arguments } => {
            let mut values = Vec::new();
            for argument in arguments {
                values.push(evaluate(argument, row, zone)?);
            }
            call(*function, &values, zone)
        }
        Expression::Cohort(number) => Evaluated::Bool(row.around.is_member(row.person, *number)?),
        Expression::Computed(name) => match row.around.history.definitions.computed.get(name) {
            Some(formula) => evaluate(formula, row, zone)?,
            None => Undefined,
        },
        Expression::Lookup { table, column, key } => cell(table, column, &evaluate(key, row, zone)?, row, zone),
        Expression::Group { key, property } => of_groups(key, property, row),
    })
}

/// The cell of a lookup table, the key being looked for as text.
fn cell(table: &str, column: &str, key: &Evaluated, row: &Row<'_>, zone: &TimeZone) -> Evaluated {
    let Some(table) = row.around.history.definitions.lookups.get(table) else {
        return Undefined;
    };
    let Text(key) = text_of(key, zone) else {
        return Undefined;
    };
    let Some(cells) = table.rows.get(&key) else {
        return Undefined;
    };
    if table.key == column {
        return Text(key);
    }
    match table.columns.iter().position(|name| name == column) {
        Some(place) => from_value(&cells[place]),
        None => Undefined,
    }
}

/// The value of the event's one group, or the values of its several.
fn of_groups(key: &str, property: &str, row: &Row<'_>) -> Evaluated {
    if row.is_profile {
        return Undefined;
    }
    let mut groups: Vec<GroupNumber> = Vec::new();
    for (name, numbers) in &row.event.groups {
        if name == key {
            groups.extend(numbers);
        }
    }
    let mut distinct: Vec<GroupNumber> = Vec::new();
    for group in groups {
        if !distinct.contains(&group) {
            distinct.push(group);
        }
    }
    let mut values: Vec<Value> = Vec::new();
    for group in &distinct {
        let profile = row.around.history.groups.get(&(key.to_owned(), *group));
        if let Some(value) = profile.and_then(|profile| profile.get(property))
            && !value.is_null()
        {
            values.push(value.clone());
        }
    }
    match (distinct.len(), values.len()) {
        (_, 0) => Undefined,
        (1, _) => from_value(&values[0]),
        _ => List(values),
    }
}

fn property(scope: Scope, name: &str, row: &Row<'_>) -> Evaluated {
    if row.is_profile {
        return match scope {
            Scope::Properties | Scope::User if name == "$distinct_id" => Number(row.person.0 as f64),
            Scope::Properties | Scope::User => row
                .profile
                .and_then(|profile| profile.get(name))
                .map_or(Undefined, from_value),
            Scope::Event | Scope::Behaviors => Undefined,
        };
    }
    match (scope, name) {
        (Scope::Properties | Scope::Event, "$time") => Time(row.event.time.0),
        (Scope::Properties | Scope::Event, "$event_name") => Text(row.event.name.clone()),
        (Scope::Properties, "$distinct_id") if row.person.is_nobody() => Undefined,
        (Scope::Properties, "$distinct_id") => Number(row.person.0 as f64),
        (Scope::Event | Scope::Behaviors, _) => Undefined,
        (Scope::User, _) => row
            .profile
            .and_then(|profile| profile.get(name))
            .map_or(Undefined, from_value),
        (Scope::Properties, _) => {
            if let Some((_, value)) = row.event.properties.iter().find(|(key, _)| key == name) {
                return from_value(value);
            }
            match row.event.groups.iter().find(|(key, _)| key == name) {
                Some((_, numbers)) => List(numbers.iter().map(|GroupNumber(n)| Value::Number(*n as f64)).collect()),
                None => Undefined,
            }
        }
    }
}

fn from_value(value: &Value) -> Evaluated {
    match value {
        Value::Null => Undefined,
        Value::Bool(flag) => Evaluated::Bool(*flag),
        Value::Number(number) => finite(*number),
        Value::String(text) => Text(text.clone()),
        Value::List(items) => List(items.clone()),
        Value::Object(_) => Object(value.clone()),
    }
}

/// A number, without the sign that a zero may carry.
fn finite(number: f64) -> Evaluated {
    if number.is_finite() {
        Number(number + 0.0)
    } else {
        Undefined
    }
}

fn binary(op: BinaryOp, left: &Evaluated, right: &Evaluated, zone: &TimeZone) -> Result<Evaluated, TypeError> {
    Ok(match op {
        BinaryOp::Or => Evaluated::Bool(truth("or", left)? | truth("or", right)?),
        BinaryOp::And => Evaluated::Bool(truth("and", left)? & truth("and", right)?),
        BinaryOp::Equal => Evaluated::Bool(equal(left, right)),
        BinaryOp::NotEqual => Evaluated::Bool(!equal(left, right)),
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => {
            compare(op, left, right, zone)
        }
        BinaryOp::In => contained(left, right),
        BinaryOp::Add => match (left, right) {
            (Number(left), Number(right)) => finite(left + right),
            (Text(left), Text(right)) => Text(format!("{left}{right}")),
            _ => Undefined,
        },
        BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => match (left, right) {
            (Number(left), Number(right)) => finite(match op {
                BinaryOp::Subtract => left - right,
                BinaryOp::Multiply => left * right,
                // By zero both are not finite, hence undefined.
                BinaryOp::Divide => left / right,
                _ => left % right,
            }),
            _ => Undefined,
        },
    })
}

/// An operand of `and` and `or` (X9).
fn truth(operator: &'static str, operand: &Evaluated) -> Result<bool, TypeError> {
    match operand {
        Evaluated::Bool(flag) => Ok(*flag),
        Undefined => Ok(false),
        _ => Err(TypeError(operator)),
    }
}

/// X6. A list equals a scalar when one of its elements does.
fn equal(left: &Evaluated, right: &Evaluated) -> bool {
    match (left, right) {
        (List(_), List(_)) => left == right,
        (List(items), scalar) | (scalar, List(items)) => items.iter().any(|item| is_item(scalar, item)),
        _ => left == right,
    }
}

/// Whether a list's element is this string, number or boolean.
fn is_item(scalar: &Evaluated, item: &Value) -> bool {
    matches!(scalar, Evaluated::Bool(_) | Number(_) | Text(_)) && from_value(item) == *scalar
}

/// X7.
fn compare(op: BinaryOp, left: &Evaluated, right: &Evaluated, zone: &TimeZone) -> Evaluated {
    let order = match (left, right) {
        (Number(left), Number(right)) => left.partial_cmp(right),
        (Text(left), Text(right)) => Some(left.cmp(right)),
        (Time(left), right) => instant(right, zone).map(|right| left.cmp(&right)),
        (left, Time(right)) => instant(left, zone).map(|left| left.cmp(right)),
        _ => None,
    };
    match order {
        None => Undefined,
        Some(order) => Evaluated::Bool(match op {
            BinaryOp::Less => order.is_lt(),
            BinaryOp::LessOrEqual => order.is_le(),
            BinaryOp::Greater => order.is_gt(),
            _ => order.is_ge(),
        }),
    }
}

/// X8. In a text it asks for a part, in a list for an element; a list is never in anything.
fn contained(left: &Evaluated, right: &Evaluated) -> Evaluated {
    match (left, right) {
        (Text(part), Text(whole)) => Evaluated::Bool(whole.contains(part.as_str())),
        (Evaluated::Bool(_) | Number(_) | Text(_), List(items)) => {
            Evaluated::Bool(items.iter().any(|item| is_item(left, item)))
        }
        _ => Undefined,
    }
}

fn call(function: Function, arguments: &[Evaluated], zone: &TimeZone) -> Evaluated {
    let Some(value) = arguments.first() else {
        return Undefined;
    };
    match (function, value) {
        (Function::Defined, value) => Evaluated::Bool(*value != Undefined),
        (Function::Floor, Number(number)) => finite(number.floor()),
        // Half away from zero, which is what f64::round does.
        (Function::Round, Number(number)) => finite(number.round()),
        (Function::Ceil, Number(number)) => finite(number.ceil()),
        (Function::Floor | Function::Round | Function::Ceil, _) => Undefined,
        (Function::Boolean, value) => Evaluated::Bool(match value {
            Undefined => false,
            Evaluated::Bool(flag) => *flag,
            Number(number) => *number != 0.0,
            Text(text) => !text.is_empty() && text != "false",
            Time(_) | List(_) | Object(_) => true,
        }),
        (Function::Number, value) => match value {
            Number(number) => Number(*number),
            Evaluated::Bool(flag) => Number(f64::from(u8::from(*flag))),
            Text(text) => text.trim().parse().map_or(Undefined, finite),
            Time(time_ms) => Number(*time_ms as f64 / 1000.0),
            _ => Undefined,
        },
        (Function::String, Undefined) => arguments.get(1).map_or(Undefined, |default| text_of(default, zone)),
        (Function::String, value) => text_of(value, zone),
        (Function::Datetime, value) => instant(value, zone).map_or(Undefined, Time),
    }
}

fn text_of(value: &Evaluated, zone: &TimeZone) -> Evaluated {
    match value {
        Undefined => Undefined,
        Evaluated::Bool(flag) => Text(flag.to_string()),
        Number(number) => Text(number_text(*number)),
        Text(text) => Text(text.clone()),
        Time(time_ms) => Text(time_text(*time_ms, zone)),
        List(items) => Text(Value::List(items.clone()).to_json().to_string()),
        Object(object) => Text(object.to_json().to_string()),
    }
}

/// A value read as an instant (X7, X14): seconds or milliseconds since 1970, or ISO text.
fn instant(value: &Evaluated, zone: &TimeZone) -> Option<i64> {
    match value {
        Time(time_ms) => Some(*time_ms),
        Number(number) => {
            let time_ms = if number.abs() >= 1e11 {
                number.round()
            } else {
                (number * 1000.0).round()
            };
            // Beyond a million years either way nobody means an instant.
            (time_ms.abs() < 4e16).then_some(time_ms as i64)
        }
        Text(text) => {
            if let Ok(timestamp) = text.parse::<Timestamp>() {
                return Some(timestamp.as_millisecond());
            }
            let civil = text.parse::<DateTime>().ok()?;
            Some(zone.to_timestamp(civil).ok()?.as_millisecond())
        }
        _ => None,
    }
}

/// Local time as `2026-08-01T13:05:00`.
pub(crate) fn time_text(time_ms: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(time_ms) {
        Ok(timestamp) => zone.to_datetime(timestamp).strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        Err(_) => time_ms.to_string(),
    }
}
