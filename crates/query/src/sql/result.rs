//! From batches to the rows of an answer.

use super::note::Noted;
use super::{NARROW, Outcome};
use crate::QueryError;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

/// A column of a view or of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SqlColumn {
    pub name: String,
    /// `text`, `number`, `boolean`, `timestamp`, `list` or `other`.
    pub r#type: String,
}

/// The rows that answer a statement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SqlRows {
    pub columns: Vec<SqlColumn>,
    /// One list of values per row. Instants are RFC 3339 texts; numbers that JSON has not are null.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub rows: Vec<Vec<Json>>,
    /// Whether there are more rows than these.
    pub cut: bool,
    /// Rows that were asked for at most.
    pub limit: usize,
}

/// Largest answer, in bytes of its values.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// The first `limit` rows. With `with_persons` the last column is not shown but noted, for the rows that are.
pub(crate) fn rows(
    batches: &[RecordBatch],
    schema: &DFSchema,
    limit: usize,
    with_persons: bool,
    noted: &Noted,
) -> Result<Outcome, QueryError> {
    let shown = schema.fields().len() - usize::from(with_persons);
    let columns = schema.fields()[..shown].iter().map(|field| SqlColumn {
        name: field.name().clone(),
        r#type: type_name(field.data_type()).to_owned(),
    });
    let mut answer = SqlRows {
        columns: columns.collect(),
        limit,
        ..SqlRows::default()
    };
    let mut bytes = 0;
    for batch in batches {
        let room = limit - answer.rows.len();
        answer.cut |= batch.num_rows() > room;
        let batch = batch.slice(0, batch.num_rows().min(room));
        let mut read = Vec::with_capacity(shown);
        for column in &batch.columns()[..shown] {
            read.push(values(column, &mut bytes).map_err(QueryError::Internal)?);
        }
        if bytes > ANSWER_BYTES_MAX {
            let limit_bytes = ANSWER_BYTES_MAX;
            return Err(QueryError::TooLarge {
                limit_bytes,
                narrow: NARROW,
            });
        }
        let mut read: Vec<_> = read.into_iter().map(Vec::into_iter).collect();
        let next_row = |_| {
            read.iter_mut()
                .map(|values| values.next().unwrap_or_default())
                .collect()
        };
        answer.rows.extend((0..batch.num_rows()).map(next_row));
        if with_persons {
            noted.persons(batch.column(shown).as_primitive::<UInt64Type>().iter().flatten());
        }
    }
    Ok(Ok(answer))
}

pub(crate) fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Dictionary(_, values) => type_name(values),
        DataType::Boolean => "boolean",
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => "timestamp",
        DataType::List(_) | DataType::LargeList(_) => "list",
        other if other.is_numeric() => "number",
        _ => "other",
    }
}

fn values(column: &ArrayRef, bytes: &mut usize) -> Result<Vec<Json>, DataFusionError> {
    let nulls = column.logical_nulls();
    let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let rows = 0..column.len();
    let mut made: Vec<Json> = match column.data_type() {
        DataType::Boolean => rows.map(|row| column.as_boolean().value(row).into()).collect(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            let column = cast(column, &DataType::UInt64)?;
            rows.map(|row| column.as_primitive::<UInt64Type>().value(row).into())
                .collect()
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let column = cast(column, &DataType::Int64)?;
            rows.map(|row| column.as_primitive::<Int64Type>().value(row).into())
                .collect()
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let column = cast(column, &DataType::Float64)?;
            let number = |row| model::Value::Number(column.as_primitive::<Float64Type>().value(row)).to_json();
            rows.map(number).collect()
        }
        DataType::Timestamp(_, zone) => {
            let micros = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            let instant = |row| instant_text(micros.as_primitive::<TimestampMicrosecondType>().value(row));
            rows.map(instant).collect()
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let list = |row| {
                if lists.is_null(row) {
                    Ok(Json::Null)
                } else {
                    values(&lists.value(row), bytes).map(Json::from)
                }
            };
            rows.map(list).collect::<Result<_, _>>()?
        }
        _ => {
            let options = FormatOptions::default();
            let format = ArrayFormatter::try_new(column.as_ref(), &options)?;
            rows.map(|row| format.value(row).to_string().into()).collect()
        }
    };
    for (row, value) in made.iter_mut().enumerate() {
        if is_null(row) {
            *value = Json::Null;
        }
        *bytes += 16 + value.as_str().map_or(0, str::len);
    }
    Ok(made)
}

/// `2026-03-10T12:00:00.000Z`.
fn instant_text(micros: i64) -> Json {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(instant) if micros % 1_000 == 0 => format!("{instant:.3}").into(),
        Ok(instant) => format!("{instant:.6}").into(),
        Err(_) => Json::Null,
    }
}
