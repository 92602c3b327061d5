//! Persons counted in cells, one call per person and number.
//!
//! The numbers of one bucket and segment lie side by side, so that a person costs one search for each bucket, however
//! many numbers they are in.

use super::cells::{Cell, CellKey, Cells, WHOLE_RANGE, Wanted};
use super::input::Breakdowns;
use crate::persons::Crowd;
use hashbrown::HashMap;
use roaring::RoaringTreemap;

pub(crate) struct Tally<'a> {
    breakdowns: &'a Breakdowns,
    /// Numbers of a bucket and segment.
    series: usize,
    /// Empty but for the segments, until the end.
    cells: Cells,
    everybody: u32,
    /// Cell segment of each segment, plus one, once known.
    places: Vec<u32>,
    /// Row of everybody in each bucket and, behind these, the whole range; plus one.
    everybodys_rows: Vec<u32>,
    /// Rows of the other segments, by place and bucket.
    rows: HashMap<(u32, u32), u32>,
    counts: Vec<Counted>,
    wanted: Option<CellKey>,
    /// Where the wanted number's row begins, once it exists.
    wanted_row: Option<usize>,
    members: RoaringTreemap,
}

/// A number on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub persons: u64,
    pub crowd: Crowd,
    /// Milliseconds, in funnels: see [`Cell`].
    pub from_previous_ms: f64,
    pub from_start_ms: f64,
}

impl Counted {
    #[inline]
    fn add(&mut self, person: u64) {
        self.persons += 1;
        self.crowd.insert(person);
    }

    /// Adds a number about other persons.
    pub fn merge(&mut self, other: &Counted) {
        self.persons += other.persons;
        self.crowd.merge(&other.crowd);
    }
}

/// How an operator describes the number whose members it looks for.
pub(crate) fn members_of(wanted: Option<&Wanted>) -> String {
    wanted.map_or(String::new(), |wanted| format!("; members of {wanted:?}"))
}

/// Where the numbers of one bucket and segment begin.
#[derive(Clone, Copy)]
pub(crate) struct Row(usize);

impl<'a> Tally<'a> {
    /// With a wanted number, whoever counts says who is in it: see [`Tally::member`].
    pub fn new(breakdowns: &'a Breakdowns, series: usize, buckets: usize, wanted: Option<&Wanted>) -> Tally<'a> {
        let mut cells = Cells::default();
        let wanted = wanted.map(|wanted| cells.key_of(wanted));
        Tally {
            breakdowns,
            series,
            everybody: cells.place(Vec::new()),
            cells,
            places: Vec::new(),
            everybodys_rows: vec![0; buckets + 1],
            rows: HashMap::new(),
            counts: Vec::new(),
            wanted,
            wanted_row: None,
            members: RoaringTreemap::new(),
        }
    }

    /// What stands for the whole range among the buckets.
    pub fn whole_range(&self) -> usize {
        self.everybodys_rows.len() - 1
    }

    /// The numbers of everybody in a bucket.
    #[inline]
    pub fn everybody(&mut self, bucket: usize) -> Row {
        match self.everybodys_rows[bucket] {
            0 => {
                let row = self.new_row(self.everybody, bucket as u32);
                self.everybodys_rows[bucket] = row + 1;
                self.begin(row)
            }
            row => self.begin(row - 1),
        }
    }

    /// The numbers of a segment in a bucket.
    pub fn segment(&mut self, segment: u32, bucket: usize) -> Row {
        let key = (self.place(segment), bucket as u32);
        let row = match self.rows.get(&key) {
            Some(row) => *row,
            None => {
                let row = self.new_row(key.0, key.1);
                self.rows.insert(key, row);
                row
            }
        };
        self.begin(row)
    }

    fn new_row(&mut self, place: u32, bucket: u32) -> u32 {
        let bucket = self.bucket_of_cells(bucket);
        let is_wanted = |wanted: CellKey| (wanted.segment, wanted.bucket) == (place, bucket);
        if self.wanted.is_some_and(is_wanted) {
            self.wanted_row = Some(self.counts.len());
        }
        let row = self.counts.len() / self.series;
        self.counts.resize(self.counts.len() + self.series, Counted::default());
        row as u32
    }

    fn bucket_of_cells(&self, bucket: u32) -> i32 {
        match bucket as usize == self.whole_range() {
            true => WHOLE_RANGE,
            false => bucket as i32,
        }
    }

    fn begin(&self, row: u32) -> Row {
        Row(row as usize * self.series)
    }

    fn place(&mut self, segment: u32) -> u32 {
        let index = segment as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        if self.places[index] == 0 {
            let shown = self.breakdowns.index.shown(segment, self.breakdowns.len());
            self.places[index] = self.cells.place(shown) + 1;
        }
        self.places[index] - 1
    }

    #[inline]
    pub fn count(&mut self, row: Row, series: u32, person: u64) {
        self.counts[row.0 + series as usize].add(person);
    }

    /// Adds how long a person took to a step of a funnel.
    #[inline]
    pub fn took(&mut self, row: Row, series: u32, from_previous_ms: i64, from_start_ms: i64) {
        let counted = &mut self.counts[row.0 + series as usize];
        counted.from_previous_ms += from_previous_ms as f64;
        counted.from_start_ms += from_start_ms as f64;
    }

    /// Adds a person to the wanted number's members if it is one of this row that they are in.
    #[inline]
    pub fn member(&mut self, row: Row, person: u64, is_in: impl Fn(u32) -> bool) {
        if self.wanted_row == Some(row.0) && self.wanted.is_some_and(|wanted| is_in(wanted.series)) {
            self.members.insert(person);
        }
    }

    /// Changes the numbers of every bucket and segment together.
    pub fn each_row(&mut self, change: impl FnMut(&mut [Counted])) {
        self.counts.chunks_exact_mut(self.series).for_each(change);
    }

    pub fn into_cells(mut self) -> Cells {
        let everybody = self.everybody;
        let everybodys = self.everybodys_rows.iter().enumerate().filter(|(_, row)| **row > 0);
        let mut rows: Vec<(u32, u32, u32)> = everybodys
            .map(|(bucket, row)| (everybody, bucket as u32, row - 1))
            .collect();
        rows.extend(self.rows.iter().map(|((place, bucket), row)| (*place, *bucket, *row)));
        for (segment, bucket, row) in rows {
            let bucket = self.bucket_of_cells(bucket);
            let begin = row as usize * self.series;
            let counts = self.counts[begin..begin + self.series].iter_mut().enumerate();
            for (series, counted) in counts.filter(|(_, counted)| counted.persons > 0) {
                let key = CellKey {
                    series: series as u32,
                    bucket,
                    segment,
                };
                *self.cells.entry(key) = Cell {
                    persons: counted.persons,
                    crowd: std::mem::take(&mut counted.crowd),
                    from_previous_ms: counted.from_previous_ms,
                    from_start_ms: counted.from_start_ms,
                    ..Cell::default()
                };
            }
        }
        if let Some(wanted) = self.wanted {
            self.cells.entry(wanted).members = self.members;
        }
        self.cells
    }
}
