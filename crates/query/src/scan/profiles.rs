//! Profile properties as columns, and their join to events by person number.

use super::columns::text_type;
use crate::plan::expression::user_column;
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, StringArray, UInt32Array,
};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use hashbrown::HashMap;
use model::{PersonNumber, Value};
use std::collections::{BTreeMap, HashMap as Kinds};
use std::sync::Arc;
use store::{ColumnKind, Profiles};

/// Columns of some profile properties, one row per profile.
#[derive(Debug, Default)]
pub(crate) struct ProfileColumns {
    rows: HashMap<u64, u32>,
    columns: BTreeMap<String, ArrayRef>,
    kinds: Kinds<String, Vec<ColumnKind>>,
}

impl ProfileColumns {
    /// Columns of the properties named, over `profiles` in the order given.
    pub fn new<'a>(
        profiles: impl Iterator<Item = (PersonNumber, Option<&'a BTreeMap<String, Value>>)>,
        names: &[String],
    ) -> ProfileColumns {
        let profiles: Vec<_> = profiles.collect();
        let mut columns = BTreeMap::new();
        let mut kinds: Kinds<String, Vec<ColumnKind>> = Kinds::new();
        for name in names {
            let values: Vec<Option<&Value>> = profiles
                .iter()
                .map(|(_, profile)| profile.and_then(|profile| profile.get(name)))
                .collect();
            for kind in [
                ColumnKind::String,
                ColumnKind::Number,
                ColumnKind::Bool,
                ColumnKind::Json,
            ] {
                let column = column_of(&values, kind);
                if column.null_count() < column.len() {
                    columns.insert(store::physical_name(name, kind), column);
                    kinds.entry(name.clone()).or_default().push(kind);
                }
            }
        }
        let rows = profiles.iter().zip(0..).map(|((person, _), row)| (person.0, row));
        ProfileColumns {
            rows: rows.collect(),
            columns,
            kinds,
        }
    }

    pub fn of_all(profiles: &Profiles, names: &[String]) -> ProfileColumns {
        if names.is_empty() {
            return ProfileColumns::new(std::iter::empty(), names);
        }
        let all = profiles
            .iter()
            .map(|(person, profile)| (person, Some(&profile.properties)));
        ProfileColumns::new(all, names)
    }

    pub fn kinds(&self) -> &Kinds<String, Vec<ColumnKind>> {
        &self.kinds
    }

    /// The columns themselves, by physical name.
    pub fn columns(&self) -> &BTreeMap<String, ArrayRef> {
        &self.columns
    }

    /// Fields as the table of events has them.
    pub fn user_fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        for (name, kinds) in &self.kinds {
            for kind in kinds {
                fields.push(Field::new(user_column(name, *kind), kind.data_type(), true));
            }
        }
        fields.sort_by(|left, right| left.name().cmp(right.name()));
        fields
    }

    /// Row of each person of a batch, null where there is no profile.
    pub fn rows_of(&self, persons: &[u64]) -> UInt32Array {
        let mut last = (0, None);
        persons
            .iter()
            .map(|person| {
                // Batches are sorted by person, so most look-ups repeat the one before.
                if last.0 != *person {
                    last = (*person, self.rows.get(person).copied());
                }
                last.1
            })
            .collect()
    }

    /// A column of the table of events, for the rows that [`ProfileColumns::rows_of`] found.
    pub fn joined(&self, user_column: &str, rows: &UInt32Array) -> Result<Option<ArrayRef>> {
        let column = user_column
            .strip_suffix("@user")
            .and_then(|physical| self.columns.get(physical));
        Ok(column.map(|column| take(column, rows, None)).transpose()?)
    }
}

/// Values of one kind as a column, null where there is none.
pub(crate) fn column_of(values: &[Option<&Value>], kind: ColumnKind) -> ArrayRef {
    let values = values.iter();
    match kind {
        ColumnKind::Number => Arc::new(
            values
                .map(|value| value.and_then(Value::as_f64).map(|number| number + 0.0))
                .collect::<Float64Array>(),
        ),
        ColumnKind::Bool => Arc::new(
            values
                .map(|value| match value {
                    Some(Value::Bool(flag)) => Some(*flag),
                    _ => None,
                })
                .collect::<BooleanArray>(),
        ),
        ColumnKind::String => dictionary(values.map(|value| value.and_then(Value::as_str))),
        ColumnKind::Json | ColumnKind::Group => Arc::new(
            values
                .map(|value| match value {
                    Some(value @ (Value::List(_) | Value::Object(_))) => Some(value.to_json().to_string()),
                    _ => None,
                })
                .collect::<StringArray>(),
        ),
    }
}

fn dictionary<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut numbers: HashMap<&str, i32> = HashMap::new();
    let mut listed: Vec<&str> = Vec::new();
    let keys: Int32Array = texts
        .map(|text| {
            text.map(|text| {
                *numbers.entry(text).or_insert_with(|| {
                    listed.push(text);
                    listed.len() as i32 - 1
                })
            })
        })
        .collect();
    let values = Arc::new(StringArray::from(listed));
    let array = DictionaryArray::try_new(keys, values).expect("every key was given to a value");
    debug_assert_eq!(array.data_type(), &text_type());
    debug_assert!(matches!(array.data_type(), DataType::Dictionary(_, _)));
    Arc::new(array)
}
