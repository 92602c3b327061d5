//! Reading one property out of the overflow column.

use super::build::Builder;
use crate::columns::ColumnKind;
use arrow::array::{Array, ArrayRef, StringArray};
use model::Value;

/// The property's column, taken from objects by physical name. Costs a JSON parse per row that has the name.
pub(crate) fn extract(overflow: &StringArray, physical: &str, kind: ColumnKind) -> ArrayRef {
    let mut builder = Builder::new(kind);
    for (row, text) in overflow.iter().enumerate() {
        // A cheap test first: most rows that overflow hold other properties.
        let Some(text) = text.filter(|text| text.contains(physical_tail(physical))) else {
            continue;
        };
        let Ok(serde_json::Value::Object(mut members)) = serde_json::from_str(text) else {
            continue;
        };
        let Some(value) = members.remove(physical) else {
            continue;
        };
        push(&mut builder, row, kind, &value);
    }
    builder.finish(overflow.len())
}

/// The part of the name that JSON never escapes.
fn physical_tail(physical: &str) -> &str {
    let start = physical
        .rfind(|c: char| !c.is_ascii_alphanumeric())
        .map_or(0, |at| at + physical[at..].chars().next().map_or(1, char::len_utf8));
    &physical[start..]
}

fn push(builder: &mut Builder, row: usize, kind: ColumnKind, json: &serde_json::Value) {
    if kind == ColumnKind::Group {
        let numbers = json.as_array().into_iter().flatten();
        builder.push_groups(row, numbers.filter_map(serde_json::Value::as_u64));
        return;
    }
    let value = Value::from_json(json);
    if ColumnKind::of(&value) == Some(kind) {
        builder.push_value(row, &value);
    }
}
