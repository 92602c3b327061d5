//! Cells: the numbers of an answer on their way to it, as a batch of one row per number.

use super::extremes::{Extreme, Extremes};
use crate::persons::Crowd;
use crate::spread::Spread;
use datafusion::arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BinaryArray, BinaryBuilder, Float64Array, Float64Builder, Int32Array,
    Int64Builder, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder, StringDictionaryBuilder,
    UInt32Array, UInt64Array, UInt64Builder,
};
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Int32Type, Int64Type, Schema, SchemaRef, UInt32Type, UInt64Type,
};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use hashbrown::HashMap;
use model::report::Segment;
use roaring::RoaringTreemap;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// Bucket of the numbers over the whole range.
pub(crate) const WHOLE_RANGE: i32 = -1;

/// Which number a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CellKey {
    /// Metric, funnel step, or retention interval plus one (0 for births).
    pub series: u32,
    /// Bucket, or [`WHOLE_RANGE`].
    pub bucket: i32,
    /// Place in the list of segments.
    pub segment: u32,
}

/// The number whose members are asked for. Operators put them into [`Cell::members`] of that cell, and of no other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub series: u32,
    pub bucket: i32,
    pub segment: Segment,
}

/// What is known about one number. Every field adds up over disjoint sets of persons.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    pub events: u64,
    /// Events of somebody.
    pub person_events: u64,
    /// Events with a number, and these numbers.
    pub numbers: u64,
    pub sum: f64,
    /// Of the numbers, where there are any; of each person's number of events, where these are counted.
    pub extremes: Option<Extremes>,
    /// Milliseconds from the step before and from the first step, over persons.
    pub from_previous_ms: f64,
    pub from_start_ms: f64,
    /// Distinct persons, where they are counted.
    pub persons: u64,
    /// Every number, where they matter one by one.
    pub spread: Spread,
    /// Distinct values, as JSON texts.
    pub values: BTreeSet<Box<str>>,
    /// Distinct persons behind the number, while they are few.
    pub crowd: Crowd,
    /// Everybody behind the number, if it is [`Wanted`].
    pub members: RoaringTreemap,
    /// How long each took, where the question asks for it.
    pub times: Vec<Took>,
}

/// How long a person took to a step of a funnel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Took {
    pub person: u64,
    pub from_previous_ms: i64,
    pub from_start_ms: i64,
}

impl Cell {
    pub fn merge(&mut self, other: &Cell) {
        match (&mut self.extremes, &other.extremes) {
            (Some(extremes), Some(others)) => extremes.merge(others),
            (None, others) => self.extremes.clone_from(others),
            (Some(_), None) => {}
        }
        self.events += other.events;
        self.person_events += other.person_events;
        self.numbers += other.numbers;
        self.sum += other.sum;
        self.from_previous_ms += other.from_previous_ms;
        self.from_start_ms += other.from_start_ms;
        self.persons += other.persons;
        self.spread.merge(&other.spread);
        self.values.extend(other.values.iter().cloned());
        self.crowd.merge(&other.crowd);
        self.members |= &other.members;
        self.times.extend_from_slice(&other.times);
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let segment = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let list = |item: DataType| DataType::List(Arc::new(Field::new("item", item, true)));
    let crowd = list(DataType::UInt64);
    let times = list(DataType::Int64);
    Arc::new(Schema::new(vec![
        Field::new("series", DataType::UInt32, false),
        Field::new("bucket", DataType::Int32, false),
        // A JSON array.
        Field::new("segment", segment, false),
        Field::new("events", DataType::UInt64, false),
        Field::new("person_events", DataType::UInt64, false),
        Field::new("numbers", DataType::UInt64, false),
        Field::new("sum", DataType::Float64, false),
        // Null where there are no numbers.
        Field::new("min", DataType::Float64, true),
        Field::new("max", DataType::Float64, true),
        Field::new("from_previous_ms", DataType::Float64, false),
        Field::new("from_start_ms", DataType::Float64, false),
        Field::new("persons", DataType::UInt64, false),
        // Null where there are many.
        Field::new("crowd", crowd.clone(), true),
        // A serialized roaring treemap; null where members are not wanted.
        Field::new("members", DataType::Binary, true),
        // Three words each, as in `Took`; null where there are none.
        Field::new("times", times, true),
        Field::new("spread", list(DataType::Float64), false),
        Field::new("spread_counts", list(DataType::UInt64), false),
        Field::new("values", list(DataType::Utf8), false),
        Field::new("whose_min", crowd.clone(), true),
        Field::new("whose_max", crowd, true),
    ]))
});

/// The schema of every operator's output.
pub(crate) fn schema() -> SchemaRef {
    SCHEMA.clone()
}

/// The form in which segments compare.
pub(crate) fn segment_text(segment: &Segment) -> String {
    serde_json::to_string(segment).expect("segments are plain JSON")
}

/// Cells with their segments.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    segments: Vec<Segment>,
    /// Segments as JSON text, the form in which they compare.
    texts: HashMap<String, u32>,
    cells: HashMap<CellKey, Cell>,
}

impl Cells {
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The place of a segment, which is given one if it has none.
    pub fn place(&mut self, segment: Segment) -> u32 {
        let text = segment_text(&segment);
        let next = self.segments.len() as u32;
        *self.texts.entry(text).or_insert_with(|| {
            self.segments.push(segment);
            next
        })
    }

    /// The key of a wanted number.
    pub fn key_of(&mut self, wanted: &Wanted) -> CellKey {
        CellKey {
            series: wanted.series,
            bucket: wanted.bucket,
            segment: self.place(wanted.segment.clone()),
        }
    }

    /// Everybody behind a wanted number.
    pub fn take_members(&mut self, wanted: &Wanted) -> RoaringTreemap {
        let key = self.key_of(wanted);
        self.cells.remove(&key).map(|cell| cell.members).unwrap_or_default()
    }

    /// The place of a segment, if any cell is of it.
    pub fn find_place(&self, segment: &Segment) -> Option<u32> {
        self.texts.get(&segment_text(segment)).copied()
    }

    pub fn find(&self, series: usize, bucket: Option<usize>, segment: u32) -> Option<&Cell> {
        let bucket = bucket.map_or(WHOLE_RANGE, |bucket| bucket as i32);
        self.cells.get(&CellKey {
            series: series as u32,
            bucket,
            segment,
        })
    }

    pub fn entry(&mut self, key: CellKey) -> &mut Cell {
        self.cells.entry(key).or_default()
    }

    /// Adds the cells of a batch.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let segments = batch.column(2).as_dictionary::<Int32Type>();
        let texts: &StringArray = segments.values().as_string();
        let mut places = Vec::with_capacity(texts.len());
        for text in texts.iter().flatten() {
            let segment: Segment = serde_json::from_str(text)
                .map_err(|error| DataFusionError::Internal(format!("a segment is not JSON: {error}")))?;
            places.push(self.place(segment));
        }
        let columns = Columns::of(batch);
        for row in 0..batch.num_rows() {
            let key = CellKey {
                series: columns.series[row],
                bucket: columns.buckets[row],
                segment: places[segments.keys().value(row) as usize],
            };
            self.entry(key).merge(&columns.cell(row)?);
        }
        Ok(())
    }

    /// All cells as one batch.
    pub fn into_batch(self) -> Result<RecordBatch> {
        let (keys, mut cells): (Vec<CellKey>, Vec<Cell>) = self.cells.into_iter().unzip();
        let spreads = cells
            .iter_mut()
            .map(|cell| std::mem::take(&mut cell.spread).into_pairs());
        let spreads: Vec<Vec<(f64, u64)>> = spreads.collect();
        let mut texts = vec![String::new(); self.segments.len()];
        for (text, place) in self.texts {
            texts[place as usize] = text;
        }
        let mut segments = StringDictionaryBuilder::<Int32Type>::new();
        keys.iter()
            .for_each(|key| segments.append_value(&texts[key.segment as usize]));
        let mut members = BinaryBuilder::new();
        for cell in &cells {
            if cell.members.is_empty() {
                members.append_null();
                continue;
            }
            let mut bytes = Vec::with_capacity(cell.members.serialized_size());
            cell.members.serialize_into(&mut bytes)?;
            members.append_value(bytes);
        }
        let mut times = ListBuilder::new(Int64Builder::new());
        for cell in &cells {
            for took in &cell.times {
                let words = [took.person as i64, took.from_previous_ms, took.from_start_ms];
                times.values().append_slice(&words);
            }
            times.append(!cell.times.is_empty());
        }
        let counts = |field: fn(&Cell) -> u64| Arc::new(cells.iter().map(field).collect::<UInt64Array>());
        let extremes = |number: fn(&Extremes) -> f64| {
            let numbers = cells.iter().map(|cell| cell.extremes.as_ref().map(number));
            Arc::new(numbers.collect::<Float64Array>())
        };
        let floats = |field: fn(&Cell) -> f64| Arc::new(cells.iter().map(field).collect::<Float64Array>());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(keys.iter().map(|key| key.series).collect::<UInt32Array>()),
            Arc::new(keys.iter().map(|key| key.bucket).collect::<Int32Array>()),
            Arc::new(segments.finish()),
            counts(|cell| cell.events),
            counts(|cell| cell.person_events),
            counts(|cell| cell.numbers),
            floats(|cell| cell.sum),
            extremes(|extremes| extremes.least.number),
            extremes(|extremes| extremes.most.number),
            floats(|cell| cell.from_previous_ms),
            floats(|cell| cell.from_start_ms),
            counts(|cell| cell.persons),
            crowds(cells.iter().map(|cell| Some(&cell.crowd))),
            Arc::new(members.finish()),
            Arc::new(times.finish()),
            lists(&spreads, Float64Builder::new(), |list, spread| {
                spread.iter().for_each(|(number, _)| list.append_value(*number));
            }),
            lists(&spreads, UInt64Builder::new(), |list, spread| {
                spread.iter().for_each(|(_, count)| list.append_value(*count));
            }),
            lists(&cells, StringBuilder::new(), |list, cell| {
                cell.values.iter().for_each(|value| list.append_value(value));
            }),
            crowds(cells.iter().map(|cell| Some(&cell.extremes.as_ref()?.least.whose))),
            crowds(cells.iter().map(|cell| Some(&cell.extremes.as_ref()?.most.whose))),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

/// One list per crowd, null where there are many; empty where there is no crowd.
fn crowds<'a>(crowds: impl Iterator<Item = Option<&'a Crowd>>) -> ArrayRef {
    let mut lists = ListBuilder::new(UInt64Builder::new());
    for crowd in crowds {
        match crowd {
            Some(crowd) if crowd.is_many() => lists.append_null(),
            Some(crowd) => lists.append_value(crowd.few().iter().copied().map(Some)),
            None => lists.append(true),
        }
    }
    Arc::new(lists.finish())
}

fn crowd(lists: &ListArray, row: usize) -> Crowd {
    if lists.is_null(row) {
        return Crowd::many();
    }
    let mut crowd = Crowd::default();
    let few = lists.value(row);
    let few = few.as_primitive::<UInt64Type>().values();
    few.iter().for_each(|person| crowd.insert(*person));
    crowd
}

/// One list per cell.
fn lists<T, B: ArrayBuilder>(of_cells: &[T], items: B, append: impl Fn(&mut B, &T)) -> ArrayRef {
    let mut lists = ListBuilder::new(items);
    for of_cell in of_cells {
        append(lists.values(), of_cell);
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// A batch of cells, by column.
struct Columns<'a> {
    series: &'a [u32],
    buckets: &'a [i32],
    counts: [&'a [u64]; 4],
    floats: [&'a [f64]; 3],
    extremes: [&'a Float64Array; 2],
    whose: [&'a ListArray; 2],
    crowds: &'a ListArray,
    members: &'a BinaryArray,
    times: &'a ListArray,
    spreads: &'a ListArray,
    spread_counts: &'a ListArray,
    values: &'a ListArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Columns<'a> {
        let count = |index: usize| -> &'a [u64] { batch.column(index).as_primitive::<UInt64Type>().values() };
        let float = |index: usize| -> &'a [f64] { batch.column(index).as_primitive::<Float64Type>().values() };
        Columns {
            series: batch.column(0).as_primitive::<UInt32Type>().values(),
            buckets: batch.column(1).as_primitive::<Int32Type>().values(),
            counts: [count(3), count(4), count(5), count(11)],
            floats: [float(6), float(9), float(10)],
            extremes: [7, 8].map(|index| batch.column(index).as_primitive::<Float64Type>()),
            whose: [18, 19].map(|index| batch.column(index).as_list()),
            crowds: batch.column(12).as_list(),
            members: batch.column(13).as_binary(),
            times: batch.column(14).as_list(),
            spreads: batch.column(15).as_list(),
            spread_counts: batch.column(16).as_list(),
            values: batch.column(17).as_list(),
        }
    }

    fn cell(&self, row: usize) -> Result<Cell> {
        let extreme = |end: usize| Extreme {
            number: self.extremes[end].value(row),
            whose: crowd(self.whose[end], row),
        };
        let extremes = self.extremes[0].is_valid(row).then(|| Extremes {
            least: extreme(0),
            most: extreme(1),
        });
        let members = if self.members.is_null(row) {
            RoaringTreemap::new()
        } else {
            RoaringTreemap::deserialize_from(self.members.value(row))?
        };
        let times = if self.times.is_null(row) {
            Vec::new()
        } else {
            let words = self.times.value(row);
            let words = words.as_primitive::<Int64Type>().values().chunks_exact(3);
            let took = words.map(|took| Took {
                person: took[0] as u64,
                from_previous_ms: took[1],
                from_start_ms: took[2],
            });
            took.collect()
        };
        let (numbers, counts) = (self.spreads.value(row), self.spread_counts.value(row));
        let numbers = numbers.as_primitive::<Float64Type>().values().iter();
        let spread = numbers.zip(counts.as_primitive::<UInt64Type>().values());
        let values = self.values.value(row);
        Ok(Cell {
            spread: Spread::of_pairs(spread.map(|(number, count)| (*number, *count))),
            values: values.as_string::<i32>().iter().flatten().map(Box::from).collect(),
            events: self.counts[0][row],
            person_events: self.counts[1][row],
            numbers: self.counts[2][row],
            sum: self.floats[0][row],
            extremes,
            from_previous_ms: self.floats[1][row],
            from_start_ms: self.floats[2][row],
            persons: self.counts[3][row],
            crowd: crowd(self.crowds, row),
            members,
            times,
        })
    }
}
