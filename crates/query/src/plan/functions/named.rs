//! What names stand for, as functions of columns: members of cohorts, cells of lookup tables, properties of groups.
//!
//! Each holds the whole of what it looks into, shared by all expressions that name it.

use super::texts::Texts;
use super::{group_numbers, list_text};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, StringArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use hashbrown::HashMap;
use model::Value;
use model::definitions::{LookupTable, Place};
use roaring::RoaringTreemap;
use std::fmt::{self, Debug, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use store::{ColumnKind, Profiles};

/// Something shared with a name. Two are equal when they are the same thing.
pub(crate) struct Named<T> {
    name: String,
    shared: Arc<T>,
}

pub(crate) type Members = Named<RoaringTreemap>;
pub(crate) type Cells = Named<HashMap<String, Value>>;
pub(crate) type GroupValues = Named<HashMap<u64, Value>>;

impl<T> Named<T> {
    fn new(name: String, shared: T) -> Named<T> {
        Named {
            name,
            shared: Arc::new(shared),
        }
    }
}

impl<T> Clone for Named<T> {
    fn clone(&self) -> Named<T> {
        Named {
            name: self.name.clone(),
            shared: self.shared.clone(),
        }
    }
}

impl<T> Debug for Named<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<T> PartialEq for Named<T> {
    fn eq(&self, other: &Named<T>) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Eq for Named<T> {}

impl<T> Hash for Named<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Members {
    pub fn of_cohort(number: u64, members: RoaringTreemap) -> Members {
        Named::new(format!("cohort({number})"), members)
    }

    /// Whether each person of a column is a member.
    pub fn contain(&self, arguments: &[ColumnarValue], rows: usize) -> Result<BooleanArray> {
        let persons = arguments[0].to_array(rows)?;
        let persons: &UInt64Array = persons.as_primitive::<UInt64Type>();
        let mut last = (0, false);
        let members = persons.values().iter().map(|person| {
            // Batches are sorted by person, so most look-ups repeat the one before.
            if last.0 != *person {
                last = (*person, self.shared.contains(*person));
            }
            Some(last.1)
        });
        Ok(members.collect())
    }
}

impl Cells {
    /// The cells of one column that are not empty, by key.
    pub fn of_table(name: &str, column: &str, table: &LookupTable) -> Option<Cells> {
        let place = table.place(column)?;
        let cells = table.rows.iter().map(|(key, row)| {
            let cell = match place {
                Place::Key => Value::String(key.clone()),
                Place::Cell(cell) => row.get(cell).cloned().unwrap_or_default(),
            };
            (key.clone(), cell)
        });
        let cells = cells.filter(|(_, cell)| !cell.is_null()).collect();
        Some(Named::new(format!("lookup({name:?}, {column:?})"), cells))
    }

    /// The types that cells have.
    pub fn kinds(&self) -> Vec<ColumnKind> {
        kinds_of(self.shared.values())
    }

    /// Of each key of a column, the cell if it has this type.
    pub fn of_keys(&self, kind: ColumnKind, arguments: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        let keys = Texts::of(&arguments[0], rows)?;
        let cells = (0..rows).map(|row| self.shared.get(keys.get(row)?).cloned());
        Ok(array_of(kind, cells))
    }
}

impl GroupValues {
    pub fn of_profiles(profiles: &Profiles, key: &str, property: &str) -> GroupValues {
        let values = profiles.groups(key).filter_map(|(number, profile)| {
            let value = profile.properties.get(property)?;
            (!value.is_null()).then(|| (number.0, value.clone()))
        });
        Named::new(format!("group[{key:?}][{property:?}]"), values.collect())
    }

    /// The types that the values of rows can have: those of single groups, and lists.
    pub fn kinds(&self) -> Vec<ColumnKind> {
        let mut kinds = kinds_of(self.shared.values());
        if !kinds.is_empty() && !kinds.contains(&ColumnKind::Json) {
            kinds.push(ColumnKind::Json);
        }
        kinds
    }

    /// Of each list of groups, the value if it has this type.
    pub fn of_groups(&self, kind: ColumnKind, arguments: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        let groups = arguments[0].to_array(rows)?;
        let groups: &ListArray = groups.as_list();
        Ok(array_of(kind, (0..rows).map(|row| self.value(groups, row))))
    }

    fn value(&self, groups: &ListArray, row: usize) -> Option<Value> {
        if !groups.is_valid(row) {
            return None;
        }
        let mut distinct: Vec<Value> = Vec::new();
        for number in group_numbers(groups, row) {
            if !distinct.contains(&number) {
                distinct.push(number);
            }
        }
        let of_group = |number: &Value| self.shared.get(&(number.as_f64()? as u64)).cloned();
        if let [one] = distinct.as_slice() {
            return of_group(one);
        }
        let values: Vec<Value> = distinct.iter().filter_map(of_group).collect();
        (!values.is_empty()).then_some(Value::List(values))
    }
}

/// The column type that a value of a profile or table needs.
fn kind_of(value: &Value) -> Option<ColumnKind> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(ColumnKind::Bool),
        Value::Number(_) => Some(ColumnKind::Number),
        Value::String(_) => Some(ColumnKind::String),
        Value::List(_) | Value::Object(_) => Some(ColumnKind::Json),
    }
}

fn kinds_of<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<ColumnKind> {
    let mut kinds = Vec::new();
    for kind in values.filter_map(kind_of) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The Arrow type of an array that [`array_of`] makes.
pub(super) fn data_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Number => DataType::Float64,
        ColumnKind::Bool => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

/// Values of one type as an array; others are not set.
fn array_of(kind: ColumnKind, values: impl Iterator<Item = Option<Value>>) -> ArrayRef {
    match kind {
        ColumnKind::Number => Arc::new(
            values
                .map(|value| value?.as_f64().map(|number| number + 0.0))
                .collect::<Float64Array>(),
        ),
        ColumnKind::Bool => Arc::new(
            values
                .map(|value| match value {
                    Some(Value::Bool(flag)) => Some(flag),
                    _ => None,
                })
                .collect::<BooleanArray>(),
        ),
        ColumnKind::String => Arc::new(
            values
                .map(|value| match value {
                    Some(Value::String(text)) => Some(text),
                    _ => None,
                })
                .collect::<StringArray>(),
        ),
        ColumnKind::Json | ColumnKind::Group => Arc::new(
            values
                .map(|value| match value {
                    Some(Value::List(items)) => Some(list_text(&items)),
                    Some(object @ Value::Object(_)) => Some(object.to_json().to_string()),
                    _ => None,
                })
                .collect::<StringArray>(),
        ),
    }
}
