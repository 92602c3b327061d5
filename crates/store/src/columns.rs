//! Property columns and event names of a project, as a snapshot shows them.

use crate::state::encoded::EncodedValue;
use arrow::datatypes::{DataType, Field};
use model::Value;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Value type of a property column. A property that came with several types has several columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    String,
    Number,
    Bool,
    /// Lists and objects, as JSON text.
    Json,
    /// Group numbers of a group or reference key.
    Group,
}

impl ColumnKind {
    pub const ALL: [ColumnKind; 5] = [
        ColumnKind::String,
        ColumnKind::Number,
        ColumnKind::Bool,
        ColumnKind::Json,
        ColumnKind::Group,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ColumnKind::String => "string",
            ColumnKind::Number => "number",
            ColumnKind::Bool => "bool",
            ColumnKind::Json => "json",
            ColumnKind::Group => "group",
        }
    }

    pub fn parse(text: &str) -> Option<ColumnKind> {
        ColumnKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The column that a property value goes to; `None` for null, which is stored as absence.
    pub fn of(value: &Value) -> Option<ColumnKind> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(ColumnKind::Bool),
            Value::Number(_) => Some(ColumnKind::Number),
            Value::String(_) => Some(ColumnKind::String),
            Value::List(_) | Value::Object(_) => Some(ColumnKind::Json),
        }
    }

    pub(crate) fn of_encoded(value: &EncodedValue<'_>) -> Option<ColumnKind> {
        match value {
            EncodedValue::Null => None,
            EncodedValue::Bool(_) => Some(ColumnKind::Bool),
            EncodedValue::Number(_) => Some(ColumnKind::Number),
            EncodedValue::String(_) => Some(ColumnKind::String),
            EncodedValue::List(_) | EncodedValue::Object(_) => Some(ColumnKind::Json),
        }
    }

    /// The Arrow type of the column, in scans and in segments alike.
    pub fn data_type(self) -> DataType {
        match self {
            ColumnKind::String => string_type(),
            ColumnKind::Number => DataType::Float64,
            ColumnKind::Bool => DataType::Boolean,
            ColumnKind::Json => DataType::Utf8,
            ColumnKind::Group => DataType::List(Arc::new(Field::new("item", DataType::UInt64, true))),
        }
    }
}

/// The type of dictionary-encoded text: event names and string properties.
pub fn string_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Physical column name of a property and value type: `plan:string`.
pub fn physical_name(name: &str, kind: ColumnKind) -> String {
    format!("{name}:{}", kind.as_str())
}

/// Takes a physical column name apart. Property names may contain colons; the kind is behind the last one.
pub fn parse_physical(physical: &str) -> Option<(&str, ColumnKind)> {
    let (name, kind) = physical.rsplit_once(':')?;
    Some((name, ColumnKind::parse(kind)?))
}

/// One property column of a project's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The property's name.
    pub name: String,
    pub kind: ColumnKind,
    /// The column's name in scans and segments, e.g. `plan:string`.
    pub physical: String,
    /// Rows that were received with a value in this column, copies included.
    pub rows: u64,
}

/// What is known about one event name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSummary {
    pub name: String,
    /// Rows that were received, less the copies that were recognised so far.
    pub rows: u64,
    pub first_ms: i64,
    pub last_ms: i64,
}
