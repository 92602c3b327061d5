//! Events to sorted batches, one per shard.

use super::{OVERFLOW, batch_of, fixed_fields};
use crate::columns::{ColumnKind, physical_name};
use crate::state::encoded::{EncodedEvent, EncodedValue, RowHead};
use crate::state::fresh::Chunk;
use crate::state::registry::ColumnNames;
use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Array, Int64Array, ListBuilder, StringArray, StringBuilder,
    StringDictionaryBuilder, UInt32Array, UInt64Array, UInt64Builder,
};
use arrow::compute::take;
use arrow::datatypes::{Field, Int32Type};
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;
use model::Value;
use std::sync::Arc;

/// A row's place in the sort order.
struct Row {
    rank: u32,
    /// Place among the rows of the shard in order of arrival.
    place: u32,
    seq: u64,
    head: RowHead,
}

/// What is built of one shard. Properties are built in order of arrival, as events lie in memory, and permuted as columns:
/// following the sort order through the events would miss the cache at every property.
struct Shard<'a> {
    rows: Vec<Row>,
    properties: Properties<'a>,
}

/// The rows of the chunks by shard, sorted. `None` where a shard has no rows.
pub(crate) fn batches(chunks: &[Arc<Chunk>], names: &ColumnNames, shards: u32) -> Vec<Option<RecordBatch>> {
    let mut event_names: Vec<&str> = chunks.iter().flat_map(|c| &c.event_names).map(String::as_str).collect();
    event_names.sort_unstable();
    event_names.dedup();
    let empty = |_| Shard {
        rows: Vec::new(),
        properties: Properties::new(names),
    };
    let mut by_shard: Vec<Shard<'_>> = (0..shards).map(empty).collect();
    for chunk in chunks {
        let ranks: Vec<u32> = chunk
            .event_names
            .iter()
            .map(|name| event_names.partition_point(|other| *other < name.as_str()) as u32)
            .collect();
        for (row, event) in chunk.events.iter().enumerate() {
            let head = chunk.events.rows[row];
            let shard = &mut by_shard[(head.person.0 % u64::from(shards)) as usize];
            let place = shard.rows.len();
            shard.properties.add(place, event);
            shard.rows.push(Row {
                rank: ranks[chunk.event_of_row[row] as usize],
                place: place as u32,
                seq: chunk.first_seq + row as u64,
                head,
            });
        }
    }
    by_shard
        .into_iter()
        .map(|shard| (!shard.rows.is_empty()).then(|| shard.finish(&event_names)))
        .collect()
}

impl Shard<'_> {
    fn finish(self, event_names: &[&str]) -> RecordBatch {
        let mut rows = self.rows;
        rows.sort_unstable_by_key(|row| (row.rank, row.head.person, row.head.time, row.seq));
        let order = UInt32Array::from_iter_values(rows.iter().map(|row| row.place));
        let keys = Int32Array::from_iter_values(rows.iter().map(|row| row.rank as i32));
        let dictionary = Arc::new(StringArray::from_iter_values(event_names));
        let events = arrow::array::DictionaryArray::new(keys, dictionary);
        let mut fields = fixed_fields();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(events),
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.head.person.0))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.head.time.0))),
            Arc::new(UInt64Array::from_iter(
                rows.iter().map(|row| row.head.insert_id.map(|id| id.0)),
            )),
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.seq))),
        ];
        self.properties.finish(&order, &mut fields, &mut columns);
        batch_of(fields, columns)
    }
}

/// The property columns of one batch while it is built.
struct Properties<'a> {
    names: &'a ColumnNames,
    /// Columns by property name, one place for each kind.
    places: HashMap<&'a str, [Option<usize>; ColumnKind::ALL.len()]>,
    columns: Vec<PropertyColumn<'a>>,
    /// The column of the property at the same position of the row before: mostly that of this row as well.
    places_before: Vec<usize>,
    overflow: Option<Builder>,
}

struct PropertyColumn<'a> {
    name: &'a str,
    kind: ColumnKind,
    physical: &'a str,
    builder: Builder,
}

impl<'a> Properties<'a> {
    fn new(names: &'a ColumnNames) -> Properties<'a> {
        Properties {
            names,
            places: HashMap::new(),
            columns: Vec::new(),
            places_before: Vec::new(),
            overflow: None,
        }
    }

    fn add(&mut self, row: usize, event: EncodedEvent<'a>) {
        let mut overflow: Vec<(String, serde_json::Value)> = Vec::new();
        let mut position = 0;
        for (name, value) in &event.properties {
            let Some(kind) = ColumnKind::of_encoded(value) else {
                continue;
            };
            match self.builder(position, name, kind) {
                Some(builder) => builder.push_encoded(row, value),
                None => overflow.push((physical_name(name, kind), value.to_json())),
            }
            position += 1;
        }
        for (key, numbers) in &event.groups {
            match self.builder(position, key, ColumnKind::Group) {
                Some(builder) => builder.push_groups(row, numbers.iter().map(|number| number.0)),
                None => {
                    let numbers = numbers.iter().map(|number| number.0).collect::<Vec<u64>>();
                    overflow.push((physical_name(key, ColumnKind::Group), numbers.into()));
                }
            }
            position += 1;
        }
        if !overflow.is_empty() {
            let object = serde_json::Value::Object(overflow.into_iter().collect());
            let builder = self.overflow.get_or_insert_with(|| Builder::new(ColumnKind::Json));
            builder.push_text(row, &object.to_string());
        }
    }

    /// The builder of a property's column; `None` for a property that overflows.
    fn builder(&mut self, position: usize, name: &'a str, kind: ColumnKind) -> Option<&mut Builder> {
        let guess = self.places_before.get(position).copied();
        let guess = guess.filter(|guess| self.columns[*guess].name == name && self.columns[*guess].kind == kind);
        let place = match guess {
            Some(place) => place,
            None => self.look_up(name, kind)?,
        };
        if self.places_before.len() <= position {
            self.places_before.resize(position + 1, place);
        }
        self.places_before[position] = place;
        Some(&mut self.columns[place].builder)
    }

    fn look_up(&mut self, name: &'a str, kind: ColumnKind) -> Option<usize> {
        if let Some(place) = self.places.get(name).and_then(|kinds| kinds[kind as usize]) {
            return Some(place);
        }
        let (physical, _) = self.names.physical(self.names.place(name, kind)?);
        if physical == OVERFLOW {
            return None;
        }
        let place = self.columns.len();
        self.columns.push(PropertyColumn {
            name,
            kind,
            physical,
            builder: Builder::new(kind),
        });
        self.places.entry(name).or_default()[kind as usize] = Some(place);
        Some(place)
    }

    /// Adds the columns, with their rows in the given order.
    fn finish(self, order: &UInt32Array, fields: &mut Vec<Field>, columns: &mut Vec<ArrayRef>) {
        let mut built: Vec<(&str, Builder)> = self.columns.into_iter().map(|c| (c.physical, c.builder)).collect();
        built.extend(self.overflow.map(|builder| (OVERFLOW, builder)));
        built.sort_unstable_by_key(|(physical, _)| *physical);
        for (physical, builder) in built {
            let array = builder.finish(order.len());
            let array = take(&array, order, None).expect("the order lists every row once");
            fields.push(Field::new(physical, array.data_type().clone(), true));
            columns.push(array);
        }
    }
}

/// Values, and bytes of text, that a builder has room for at first. It grows by doubling; the library's own measure, a thousand
/// values, is 150 MB for two thousand columns of eight shards.
const FIRST: usize = 16;
const TEXT_BYTES: usize = 128;

/// Builds one property column. Rows without a value are filled in with nulls when the next value comes.
pub(super) struct Builder {
    len: usize,
    values: Values,
}

enum Values {
    String(StringDictionaryBuilder<Int32Type>),
    Number(Float64Builder),
    Bool(BooleanBuilder),
    Json(StringBuilder),
    Group(ListBuilder<UInt64Builder>),
}

impl Builder {
    pub fn new(kind: ColumnKind) -> Builder {
        let values = match kind {
            ColumnKind::String => Values::String(StringDictionaryBuilder::with_capacity(FIRST, FIRST, TEXT_BYTES)),
            ColumnKind::Number => Values::Number(Float64Builder::with_capacity(FIRST)),
            ColumnKind::Bool => Values::Bool(BooleanBuilder::with_capacity(FIRST)),
            ColumnKind::Json => Values::Json(StringBuilder::with_capacity(FIRST, TEXT_BYTES)),
            ColumnKind::Group => {
                let numbers = UInt64Builder::with_capacity(FIRST);
                Values::Group(ListBuilder::with_capacity(numbers, FIRST))
            }
        };
        Builder { len: 0, values }
    }

    /// Fills up with nulls so that the next value is that of `row`. `false`: the row has a value already, as when
    /// a sender repeats a property; the first one stays.
    fn advance(&mut self, row: usize) -> bool {
        if row < self.len {
            return false;
        }
        let missing = row - self.len;
        match &mut self.values {
            Values::String(builder) => builder.append_nulls(missing),
            Values::Number(builder) => builder.append_nulls(missing),
            Values::Bool(builder) => builder.append_nulls(missing),
            Values::Json(builder) => (0..missing).for_each(|_| builder.append_null()),
            Values::Group(builder) => (0..missing).for_each(|_| builder.append_null()),
        }
        self.len = row + 1;
        true
    }

    pub fn push_value(&mut self, row: usize, value: &Value) {
        if !self.advance(row) {
            return;
        }
        match (&mut self.values, value) {
            (Values::String(builder), Value::String(text)) => builder.append_value(text),
            (Values::Number(builder), Value::Number(number)) => builder.append_value(*number),
            (Values::Bool(builder), Value::Bool(flag)) => builder.append_value(*flag),
            (Values::Json(builder), value) => builder.append_value(value.to_json().to_string()),
            _ => unreachable!("a builder gets values of its kind only"),
        }
    }

    fn push_encoded(&mut self, row: usize, value: &EncodedValue<'_>) {
        if !self.advance(row) {
            return;
        }
        match (&mut self.values, value) {
            (Values::String(builder), EncodedValue::String(text)) => builder.append_value(text),
            (Values::Number(builder), EncodedValue::Number(number)) => builder.append_value(*number),
            (Values::Bool(builder), EncodedValue::Bool(flag)) => builder.append_value(*flag),
            (Values::Json(builder), value) => builder.append_value(value.to_json().to_string()),
            _ => unreachable!("a builder gets values of its kind only"),
        }
    }

    pub fn push_text(&mut self, row: usize, text: &str) {
        if let (true, Values::Json(builder)) = (self.advance(row), &mut self.values) {
            builder.append_value(text);
        }
    }

    pub fn push_groups(&mut self, row: usize, numbers: impl Iterator<Item = u64>) {
        if let (true, Values::Group(builder)) = (self.advance(row), &mut self.values) {
            builder.append_value(numbers.map(Some));
        }
    }

    pub fn finish(mut self, rows: usize) -> ArrayRef {
        if rows > self.len {
            self.advance(rows);
            // `advance` counted a value of row `rows`, which does not exist; nothing reads the count any more.
        }
        match self.values {
            Values::String(mut builder) => Arc::new(builder.finish()),
            Values::Number(mut builder) => Arc::new(builder.finish()),
            Values::Bool(mut builder) => Arc::new(builder.finish()),
            Values::Json(mut builder) => Arc::new(builder.finish()),
            Values::Group(mut builder) => Arc::new(builder.finish()),
        }
    }
}
