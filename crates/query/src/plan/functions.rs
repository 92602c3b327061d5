//! The few functions that the expression language has and DataFusion has not, as scalar functions over columns.
//!
//! Each takes typed columns in which null is *not set* and gives one. Texts come as dictionaries more often than
//! not; a function of a text runs once per distinct text of a batch, not once per row.

pub(crate) mod named;
mod texts;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::Value;
use model::value::number_text;
use named::{Cells, GroupValues, Members};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use store::ColumnKind;
use texts::Texts;

/// A time zone that plans can compare.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub name: String,
    pub rules: TimeZone,
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    /// Two numbers; a result that no double holds is not set (X5).
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Floor,
    /// Half away from zero (X13).
    Round,
    Ceil,
    /// A number's shortest text (X10).
    NumberText,
    /// A text's number (X10).
    ParseNumber,
    /// ISO text as an instant, zone-less in the report's zone (X14).
    ParseTime(Zone),
    /// Seconds or milliseconds since 1970 as an instant.
    EpochTime,
    /// An instant as local ISO text.
    TimeText(Zone),
    /// Whether the first text holds the second (X8).
    Contains,
    /// Two texts as one.
    Concat,
    /// Whether a list has an element; not set where the column holds an object.
    ListHas,
    /// Whether two lists or two objects are equal.
    ListEqual,
    /// Group numbers as the JSON text of a list.
    GroupText,
    /// Whether a person is in a cohort.
    Member(Members),
    /// The cells of a lookup table that have a type, by key.
    Lookup(Cells, ColumnKind),
    /// The values of a list of groups that have a type.
    OfGroups(GroupValues, ColumnKind),
    /// Passes a filter on, and refuses the question where the second argument says there was a type error (X9).
    Checked,
}

/// A [`Rule`] as DataFusion sees it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    rule: Rule,
    signature: Signature,
}

impl Rule {
    pub fn call(self, arguments: Vec<Expr>) -> Expr {
        // A refusal must come from a row, not from folding constants while planning.
        let volatility = if self == Rule::Checked {
            Volatility::Volatile
        } else {
            Volatility::Immutable
        };
        let signature = Signature::any(arguments.len(), volatility);
        ScalarUDF::new_from_impl(Function { rule: self, signature }).call(arguments)
    }

    fn name(&self) -> &'static str {
        match self {
            Rule::Add => "add",
            Rule::Subtract => "subtract",
            Rule::Multiply => "multiply",
            Rule::Divide => "divide",
            Rule::Remainder => "remainder",
            Rule::Floor => "floor",
            Rule::Round => "round",
            Rule::Ceil => "ceil",
            Rule::NumberText => "number_text",
            Rule::ParseNumber => "parse_number",
            Rule::ParseTime(_) => "parse_time",
            Rule::EpochTime => "epoch_time",
            Rule::TimeText(_) => "time_text",
            Rule::Contains => "contains_text",
            Rule::Concat => "concat_text",
            Rule::ListHas => "list_has",
            Rule::ListEqual => "list_equal",
            Rule::GroupText => "group_text",
            Rule::Member(_) => "member",
            Rule::Lookup(..) => "lookup",
            Rule::OfGroups(..) => "of_groups",
            Rule::Checked => "checked",
        }
    }

    fn return_type(&self) -> DataType {
        match self {
            Rule::Contains | Rule::ListHas | Rule::ListEqual | Rule::Checked | Rule::Member(_) => DataType::Boolean,
            Rule::Lookup(_, kind) | Rule::OfGroups(_, kind) => named::data_type(*kind),
            Rule::NumberText | Rule::TimeText(_) | Rule::Concat | Rule::GroupText => DataType::Utf8,
            Rule::ParseTime(_) | Rule::EpochTime => DataType::Int64,
            _ => DataType::Float64,
        }
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.rule.return_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let arguments = &arguments.args;
        let array: ArrayRef = match &self.rule {
            Rule::Add => arithmetic(arguments, rows, |left, right| left + right)?,
            Rule::Subtract => arithmetic(arguments, rows, |left, right| left - right)?,
            Rule::Multiply => arithmetic(arguments, rows, |left, right| left * right)?,
            // By zero both are not finite, hence not set.
            Rule::Divide => arithmetic(arguments, rows, |left, right| left / right)?,
            Rule::Remainder => arithmetic(arguments, rows, |left, right| left % right)?,
            Rule::Floor => Arc::new(map_numbers(arguments, rows, |number| finite(number.floor()))?),
            Rule::Round => Arc::new(map_numbers(arguments, rows, |number| finite(number.round()))?),
            Rule::Ceil => Arc::new(map_numbers(arguments, rows, |number| finite(number.ceil()))?),
            Rule::NumberText => {
                let numbers = column(arguments, 0, rows)?;
                let texts = numbers.as_primitive::<Float64Type>().iter();
                Arc::new(texts.map(|number| number.map(number_text)).collect::<StringArray>())
            }
            Rule::ParseNumber => {
                let parsed = Texts::of(&arguments[0], rows)?.map(|text| text.trim().parse().ok().and_then(finite));
                Arc::new(Float64Array::from(parsed))
            }
            Rule::ParseTime(zone) => {
                let parsed = Texts::of(&arguments[0], rows)?.map(|text| parse_time(text, &zone.rules));
                Arc::new(Int64Array::from(parsed))
            }
            Rule::EpochTime => {
                let numbers = column(arguments, 0, rows)?;
                let times = numbers.as_primitive::<Float64Type>().iter();
                Arc::new(times.map(|number| number.and_then(epoch_time)).collect::<Int64Array>())
            }
            Rule::TimeText(zone) => {
                let times = column(arguments, 0, rows)?;
                let texts = times.as_primitive::<Int64Type>().iter();
                Arc::new(
                    texts
                        .map(|time_ms| time_ms.map(|time_ms| time_text(time_ms, &zone.rules)))
                        .collect::<StringArray>(),
                )
            }
            Rule::Contains => Arc::new(contains(arguments, rows)?),
            Rule::Concat => Arc::new(concat(arguments, rows)?),
            Rule::ListHas => Arc::new(list_has(arguments, rows)?),
            Rule::ListEqual => Arc::new(list_equal(arguments, rows)?),
            Rule::GroupText => {
                let groups = column(arguments, 0, rows)?;
                let groups: &ListArray = groups.as_list();
                let texts = (0..rows).map(|row| groups.is_valid(row).then(|| list_text(&group_numbers(groups, row))));
                Arc::new(texts.collect::<StringArray>())
            }
            Rule::Member(members) => Arc::new(members.contain(arguments, rows)?),
            Rule::Lookup(cells, kind) => cells.of_keys(*kind, arguments, rows)?,
            Rule::OfGroups(values, kind) => values.of_groups(*kind, arguments, rows)?,
            Rule::Checked => checked(arguments, rows)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn column(arguments: &[ColumnarValue], index: usize, rows: usize) -> Result<ArrayRef> {
    arguments[index].to_array(rows)
}

/// A number that is one, without the sign that a zero may carry.
fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number + 0.0)
}

fn arithmetic(arguments: &[ColumnarValue], rows: usize, operation: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (column(arguments, 0, rows)?, column(arguments, 1, rows)?);
    let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
    let pairs = left.iter().zip(right.iter());
    let results = pairs.map(|(left, right)| finite(operation(left?, right?)));
    Ok(Arc::new(results.collect::<Float64Array>()))
}

fn map_numbers(arguments: &[ColumnarValue], rows: usize, map: fn(f64) -> Option<f64>) -> Result<Float64Array> {
    let numbers = column(arguments, 0, rows)?;
    Ok(numbers
        .as_primitive::<Float64Type>()
        .iter()
        .map(|number| number.and_then(map))
        .collect())
}

/// X14: text with an offset is an instant; text without is local.
fn parse_time(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    let civil = text.parse::<DateTime>().ok()?;
    Some(zone.to_timestamp(civil).ok()?.as_millisecond())
}

/// Seconds since 1970, or milliseconds where seconds would be thousands of years away (contract N1).
fn epoch_time(number: f64) -> Option<i64> {
    let time_ms = if number.abs() >= 1e11 {
        number.round()
    } else {
        (number * 1000.0).round()
    };
    (time_ms.abs() < 4e16).then_some(time_ms as i64)
}

fn time_text(time_ms: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(time_ms) {
        Ok(timestamp) => zone.to_datetime(timestamp).strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        Err(_) => time_ms.to_string(),
    }
}

fn contains(arguments: &[ColumnarValue], rows: usize) -> Result<BooleanArray> {
    let (whole, part) = (Texts::of(&arguments[0], rows)?, Texts::of(&arguments[1], rows)?);
    if let Some(part) = part.constant() {
        let finder = memchr::memmem::Finder::new(part);
        return Ok(whole.test(|whole| finder.find(whole.as_bytes()).is_some()));
    }
    let held = (0..rows).map(|row| Some(whole.get(row)?.contains(part.get(row)?)));
    Ok(held.collect())
}

fn concat(arguments: &[ColumnarValue], rows: usize) -> Result<StringArray> {
    let (left, right) = (Texts::of(&arguments[0], rows)?, Texts::of(&arguments[1], rows)?);
    Ok((0..rows)
        .map(|row| Some(format!("{}{}", left.get(row)?, right.get(row)?)))
        .collect())
}

/// The element that is looked for, per row.
enum Wanted<'a> {
    Text(Texts<'a>),
    Number(ArrayRef),
    Flag(ArrayRef),
}

impl Wanted<'_> {
    fn get(&self, row: usize) -> Option<Value> {
        match self {
            Wanted::Text(texts) => texts.get(row).map(|text| Value::String(text.to_owned())),
            Wanted::Number(numbers) => {
                let numbers = numbers.as_primitive::<Float64Type>();
                numbers.is_valid(row).then(|| Value::Number(numbers.value(row)))
            }
            Wanted::Flag(flags) => {
                let flags = flags.as_boolean();
                flags.is_valid(row).then(|| Value::Bool(flags.value(row)))
            }
        }
    }
}

fn list_has(arguments: &[ColumnarValue], rows: usize) -> Result<BooleanArray> {
    let wanted = match arguments[1].data_type() {
        DataType::Float64 => Wanted::Number(column(arguments, 1, rows)?),
        DataType::Boolean => Wanted::Flag(column(arguments, 1, rows)?),
        _ => Wanted::Text(Texts::of(&arguments[1], rows)?),
    };
    if matches!(arguments[0].data_type(), DataType::List(_)) {
        let groups = column(arguments, 0, rows)?;
        let groups: &ListArray = groups.as_list();
        return Ok((0..rows)
            .map(|row| {
                let wanted = wanted.get(row)?;
                groups
                    .is_valid(row)
                    .then(|| group_numbers(groups, row).contains(&wanted))
            })
            .collect());
    }
    let lists = Texts::of(&arguments[0], rows)?;
    Ok((0..rows)
        .map(|row| match (parse_json(lists.get(row)?)?, wanted.get(row)?) {
            (Value::List(items), wanted) => Some(items.contains(&wanted)),
            _ => None,
        })
        .collect())
}

fn list_equal(arguments: &[ColumnarValue], rows: usize) -> Result<BooleanArray> {
    let (left, right) = (Texts::of(&arguments[0], rows)?, Texts::of(&arguments[1], rows)?);
    Ok((0..rows)
        .map(|row| Some(parse_json(left.get(row)?)? == parse_json(right.get(row)?)?))
        .collect())
}

/// A list or object as the store keeps it.
pub(crate) fn parse_json(text: &str) -> Option<Value> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(Value::from_json(&json))
}

fn group_numbers(groups: &ListArray, row: usize) -> Vec<Value> {
    let numbers = groups.value(row);
    let numbers = numbers.as_primitive::<UInt64Type>();
    numbers
        .values()
        .iter()
        .map(|number| Value::Number(*number as f64))
        .collect()
}

fn list_text(items: &[Value]) -> String {
    Value::List(items.to_vec()).to_json().to_string()
}

fn checked(arguments: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
    let faults = column(arguments, 1, rows)?;
    let Some(faults) = faults.as_boolean_opt() else {
        return exec_err!("the fault column is not boolean");
    };
    if faults.true_count() > 0 {
        return Err(crate::error::TypeFault::raise("the filter"));
    }
    column(arguments, 0, rows)
}
