//! The paths of all partitions, with nodes and segments numbered anew.

use super::super::nodes::name_of;
use super::super::table::{End, GAPS_MAX, MORE, place};
use crate::operators::Memory;
use crate::operators::cells::segment_text;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Int32Type, UInt8Type, UInt64Type};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use hashbrown::HashMap;
use model::report::{NodeKind, NodeName, Segment};
use std::hash::Hash;

#[derive(Default)]
pub(super) struct Paths {
    nodes: Numbered<NodeName>,
    segments: Numbered<Segment>,
    /// Distinct places, by number.
    ways: Vec<Box<[u64]>>,
    way_numbers: HashMap<Box<[u64]>, u32>,
    pub rows: Vec<PathRow>,
    heap_bytes: usize,
}

/// Occurrences of one partition that have the same way, end and segments; or what was not completed.
pub(super) struct PathRow {
    pub way: u32,
    pub end: End,
    pub segments: Vec<u32>,
    pub more: [u64; GAPS_MAX],
    pub count: u64,
    /// Distinct.
    pub persons: Vec<u64>,
}

/// Things that came as texts, by number.
struct Numbered<T> {
    numbers: HashMap<String, u32>,
    listed: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered {
            numbers: HashMap::new(),
            listed: Vec::new(),
        }
    }
}

impl<T> Numbered<T> {
    fn number(&mut self, text: &str, read: impl Fn(&str) -> serde_json::Result<T>) -> Result<u32> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let number = self.listed.len() as u32;
        self.listed
            .push(read(text).map_err(|error| DataFusionError::External(Box::new(error)))?);
        self.numbers.insert(text.to_owned(), number);
        Ok(number)
    }
}

fn intern<T: Hash + Eq + Clone>(numbers: &mut HashMap<T, u32>, listed: &mut Vec<T>, one: T) -> u32 {
    let next = listed.len() as u32;
    *numbers.entry(one).or_insert_with_key(|one| {
        listed.push(one.clone());
        next
    })
}

impl Paths {
    /// The paths of all partitions.
    pub fn of(partials: &[RecordBatch], memory: Memory<'_>) -> Result<Paths> {
        let mut paths = Paths::default();
        for partial in partials {
            paths.add(partial)?;
        }
        memory(paths.size_bytes())?;
        Ok(paths)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let [columns, nodes, segments, mores, persons] =
            [0, 1, 3, 4, 6].map(|index| batch.column(index).as_list::<i32>());
        let dictionary = nodes.values().as_dictionary::<Int32Type>();
        let texts: &StringArray = dictionary.values().as_string();
        let mut node_numbers = Vec::with_capacity(texts.len());
        for text in texts.iter().flatten() {
            node_numbers.push(self.nodes.number(text, name_of)?);
        }
        let column_numbers = columns.values().as_primitive::<UInt8Type>().values();
        let segment_texts: &StringArray = segments.values().as_string();
        let ends = batch.column(2).as_primitive::<UInt8Type>().values();
        let counts = batch.column(5).as_primitive::<UInt64Type>().values();
        let mores_flat = mores.values().as_primitive::<UInt64Type>().values();
        let persons_flat = persons.values().as_primitive::<UInt64Type>().values();
        for row in 0..batch.num_rows() {
            let places = span(columns.value_offsets(), row).map(|item| {
                let keys = dictionary.keys();
                let node = if keys.is_null(item) {
                    MORE
                } else {
                    node_numbers[keys.value(item) as usize]
                };
                place(usize::from(column_numbers[item]), node)
            });
            let places: Box<[u64]> = places.collect();
            let mut in_segments = Vec::new();
            for item in span(segments.value_offsets(), row) {
                let text = segment_texts.value(item);
                in_segments.push(self.segments.number(text, |text| serde_json::from_str(text))?);
            }
            let persons = persons_flat[span(persons.value_offsets(), row)].to_vec();
            self.heap_bytes += places.len() * 16 + persons.len() * 8 + in_segments.len() * 4;
            let mut more = [0; GAPS_MAX];
            more.copy_from_slice(&mores_flat[span(mores.value_offsets(), row)]);
            self.rows.push(PathRow {
                way: intern(&mut self.way_numbers, &mut self.ways, places),
                end: End::ALL[usize::from(ends[row])],
                segments: in_segments,
                more,
                count: counts[row],
                persons,
            });
        }
        Ok(())
    }

    /// The places of a way; none for what was not completed.
    pub fn places(&self, way: u32) -> &[u64] {
        &self.ways[way as usize]
    }

    pub fn node(&self, node: u32) -> NodeName {
        match node {
            MORE => NodeName::of_kind(NodeKind::More),
            _ => self.nodes.listed[node as usize].clone(),
        }
    }

    /// The number of a node, if any path has it.
    pub fn find_node(&self, name: &NodeName) -> Option<u32> {
        let place = self.nodes.listed.iter().position(|listed| listed == name)?;
        Some(place as u32)
    }

    /// The number of a segment, if any path is of it.
    pub fn find_segment(&self, segment: &Segment) -> Option<u32> {
        self.segments.numbers.get(&segment_text(segment)).copied()
    }

    pub fn segment(&self, segment: u32) -> &Segment {
        &self.segments.listed[segment as usize]
    }

    /// Occurrences per segment that has any.
    pub fn segment_sizes(&self) -> HashMap<u32, u64> {
        let mut sizes = HashMap::new();
        for row in self.rows.iter().filter(|row| !self.places(row.way).is_empty()) {
            for segment in &row.segments {
                *sizes.entry(*segment).or_insert(0) += row.count;
            }
        }
        sizes
    }

    pub fn size_bytes(&self) -> usize {
        self.heap_bytes + self.rows.capacity() * (size_of::<PathRow>() + 80)
    }
}

fn span(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}
