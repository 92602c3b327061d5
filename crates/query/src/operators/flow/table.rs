//! The distinct paths of a partition, with the persons of each, and the batch that they travel in.

use super::nodes::Nodes;
use datafusion::arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, ListArray, ListBuilder, PrimitiveArray, RecordBatch, StringArray,
    StringBuilder, UInt8Array, UInt64Array,
};
use datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Schema, SchemaRef, UInt8Type, UInt64Type};
use datafusion::common::Result;
use hashbrown::HashMap;
use model::report::{ANCHORS_MAX, Segment};
use std::sync::{Arc, LazyLock};

/// Why a path has fewer steps after the last anchor than were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    AllShown,
    DroppedOff,
    WindowEnded,
}

impl End {
    pub const ALL: [End; 3] = [End::AllShown, End::DroppedOff, End::WindowEnded];
}

/// The way of one occurrence; without places where there was none.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    /// As [`place`] makes them, in order.
    pub places: Vec<u64>,
    /// Steps of each gap that have no column of their own.
    pub more: [u64; GAPS_MAX],
    pub end: End,
}

pub(super) const GAPS_MAX: usize = ANCHORS_MAX - 1;

/// The node that stands for the rest of a gap.
pub(super) const MORE: u32 = u32::MAX;

/// A node in a column, in one word.
#[inline]
pub(super) fn place(column: usize, node: u32) -> u64 {
    (column as u64) << 32 | u64::from(node)
}

#[inline]
pub(super) fn column_and_node(place: u64) -> (usize, u32) {
    ((place >> 32) as usize, place as u32)
}

impl Path {
    pub fn clear(&mut self) {
        self.places.clear();
        self.more = [0; GAPS_MAX];
        self.end = End::AllShown;
    }
}

/// Distinct paths.
#[derive(Default)]
pub(super) struct PathTable {
    /// By places, and one word for end and segments.
    numbers: HashMap<Vec<u64>, u32>,
    rows: Vec<PathRow>,
    key: Vec<u64>,
    heap_bytes: usize,
}

#[derive(Clone, Default)]
struct PathRow {
    more: [u64; GAPS_MAX],
    count: u64,
    /// Distinct.
    persons: Vec<u64>,
}

impl PathTable {
    /// Counts a path. Persons come one after the other.
    pub fn add(&mut self, segments: u32, path: &Path, person: u64) {
        self.key.clear();
        self.key.extend(&path.places);
        self.key.push((path.end as u64) << 32 | u64::from(segments));
        let next = self.rows.len() as u32;
        let number = *self.numbers.entry_ref(self.key.as_slice()).or_insert(next);
        if number == next {
            self.heap_bytes += self.key.len() * 8;
            self.rows.push(PathRow::default());
        }
        let row = &mut self.rows[number as usize];
        row.count += 1;
        row.more.iter_mut().zip(path.more).for_each(|(sum, more)| *sum += more);
        if row.persons.last() != Some(&person) {
            row.persons.push(person);
            self.heap_bytes += 8;
        }
    }

    pub fn size_bytes(&self) -> usize {
        // Lists of persons grow by doubling.
        2 * self.heap_bytes + self.rows.capacity() * (size_of::<PathRow>() + 48)
    }

    /// `segments` tells which segments a word stands for.
    pub fn into_batch(self, nodes: &Nodes, segments: impl Fn(u32) -> Vec<Segment>) -> Result<RecordBatch> {
        let mut keys: Vec<(Vec<u64>, u32)> = self.numbers.into_iter().collect();
        keys.sort_unstable_by_key(|(_, number)| *number);
        let mut columns = Lists::<UInt8Type>::default();
        let mut node_keys: Vec<Option<i32>> = Vec::new();
        let mut ends: Vec<u8> = Vec::new();
        let mut segment_lists = ListBuilder::new(StringBuilder::new());
        for (key, _) in &keys {
            let (last, places) = key.split_last().expect("a key ends with a word of its own");
            for place in places {
                let (column, node) = column_and_node(*place);
                columns.values.push(column as u8);
                node_keys.push((node != MORE).then_some(node as i32));
            }
            columns.end();
            ends.push((*last >> 32) as u8);
            for segment in segments(*last as u32) {
                let text = serde_json::to_string(&segment).expect("segments are plain JSON");
                segment_lists.values().append_value(text);
            }
            segment_lists.append(true);
        }
        let texts = StringArray::from_iter_values(nodes.texts());
        let node_values = DictionaryArray::try_new(Int32Array::from(node_keys), Arc::new(texts))?;
        let (mut mores, mut persons) = (Lists::<UInt64Type>::default(), Lists::<UInt64Type>::default());
        let counts: UInt64Array = self.rows.iter().map(|row| row.count).collect();
        for row in self.rows {
            mores.values.extend(row.more);
            mores.end();
            persons.values.extend(row.persons);
            persons.end();
        }
        let node_lists = ListArray::try_new(item(node_type()), columns.offsets(), Arc::new(node_values), None)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(columns.finish()?),
            Arc::new(node_lists),
            Arc::new(UInt8Array::from(ends)),
            Arc::new(segment_lists.finish()),
            Arc::new(mores.finish()?),
            Arc::new(counts),
            Arc::new(persons.finish()?),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

/// A column of lists in the making.
struct Lists<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    ends: Vec<i32>,
}

impl<T: ArrowPrimitiveType> Default for Lists<T> {
    fn default() -> Self {
        Lists {
            values: Vec::new(),
            ends: vec![0],
        }
    }
}

impl<T: ArrowPrimitiveType> Lists<T> {
    fn end(&mut self) {
        self.ends.push(self.values.len() as i32);
    }

    fn offsets(&self) -> OffsetBuffer<i32> {
        OffsetBuffer::new(ScalarBuffer::from(self.ends.clone()))
    }

    fn finish(self) -> Result<ListArray> {
        let offsets = self.offsets();
        let values: PrimitiveArray<T> = PrimitiveArray::new(ScalarBuffer::from(self.values), None);
        Ok(ListArray::try_new(item(T::DATA_TYPE), offsets, Arc::new(values), None)?)
    }
}

fn item(of_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", of_type, true))
}

fn node_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let list = |name: &str, of_type| Field::new(name, DataType::List(item(of_type)), false);
    Arc::new(Schema::new(vec![
        // One item per place; none where there was no occurrence.
        list("columns", DataType::UInt8),
        // As `Nodes::texts` gives them; null for more.
        list("nodes", node_type()),
        Field::new("end", DataType::UInt8, false),
        // JSON arrays.
        list("segments", DataType::Utf8),
        list("more", DataType::UInt64),
        Field::new("count", DataType::UInt64, false),
        list("persons", DataType::UInt64),
    ]))
});

pub(super) fn schema() -> SchemaRef {
    SCHEMA.clone()
}
