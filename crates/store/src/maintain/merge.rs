//! Merging sorted segments into one, a few batches at a time.
//!
//! Every input is a stream of batches in the common order. In each step the rows up to the earliest end of the
//! batches at hand are complete: no later batch of any input can come before it. They are sorted together and
//! written; so memory does not grow with the segments.

use super::written::Written;
use crate::core::Core;
use crate::error::StoreError;
use crate::retention::Cutoffs;
use crate::rows::sorted::{Gathering, drop_copies, sort};
use crate::rows::{Fixed, fixed_fields};
use crate::segment::Segment;
use crate::segment::stream::{RowStream, all_rows};
use crate::segment::writer::align;
use crate::state::identity::Identity;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use model::ProjectId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the merged rows go.
pub(super) struct Target<'a> {
    pub project: ProjectId,
    pub shard: u32,
    pub period: &'a str,
}

/// What decides which rows are written again.
pub(super) struct Keeping<'a> {
    pub identity: &'a Identity,
    pub cutoffs: &'a Cutoffs,
}

fn is_kept(cutoffs: &Cutoffs, fixed: &Fixed<'_>, row: usize) -> bool {
    fixed.times[row] >= cutoffs.of(fixed.event_name(row))
}

/// Writes the live rows of the inputs as one segment, or none if no row is left.
pub(super) fn merge(
    core: &Core,
    inputs: &[Arc<Segment>],
    keeping: &Keeping<'_>,
    target: &Target<'_>,
    written: &mut Written<'_>,
) -> Result<(), StoreError> {
    let schema = common_schema(inputs)?;
    let mut streams = Vec::new();
    for segment in inputs {
        streams.push(Stream::open(segment)?);
    }
    let keep_all = keeping.cutoffs.keep_all();
    let mut writer = None;
    loop {
        if core.is_closing() {
            return Err(StoreError::Closed);
        }
        for stream in &mut streams {
            stream.fill()?;
        }
        let Some(horizon) = streams.iter().filter_map(Stream::last_key).min() else {
            break;
        };
        let sources: Vec<RecordBatch> = streams
            .iter_mut()
            .filter_map(|stream| stream.take_up_to(&horizon))
            .collect();
        let mut gathering = Gathering::new(sources, |_, row, fixed| {
            let person = fixed.persons[row];
            let kept = !keeping.identity.is_erased(person) && (keep_all || is_kept(keeping.cutoffs, fixed, row));
            kept.then_some(person)
        });
        let mut rows = std::mem::take(&mut gathering.rows);
        if rows.is_empty() {
            continue;
        }
        sort(&mut rows);
        // Copies were marked when they came in, so there are none; but this is the last place to be sure.
        drop_copies(&mut rows, |_| debug_assert!(false, "segments hold unmarked copies"));
        let writer = match &mut writer {
            Some(writer) => writer,
            None => writer.insert(written.start(target.project, target.shard, target.period, &schema)?),
        };
        writer.write(&align(&gathering.take(&rows), &schema))?;
    }
    match writer {
        Some(writer) => written.finish(writer),
        None => Ok(()),
    }
}

/// The fixed columns and every property column of any input.
fn common_schema(inputs: &[Arc<Segment>]) -> Result<SchemaRef, StoreError> {
    let mut properties: BTreeMap<String, Field> = BTreeMap::new();
    for segment in inputs {
        let fields = segment.footer()?.metadata.schema().fields().clone();
        for field in fields.iter().skip(fixed_fields().len()) {
            properties
                .entry(field.name().clone())
                .or_insert_with(|| Field::clone(field));
        }
    }
    let fields: Vec<Field> = fixed_fields().into_iter().chain(properties.into_values()).collect();
    Ok(Arc::new(Schema::new(fields)))
}

/// A place in the common order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    event: String,
    person: u64,
    time: i64,
    seq: u64,
}

struct Stream {
    rows: RowStream,
    buffer: Option<RecordBatch>,
}

impl Stream {
    fn open(segment: &Segment) -> Result<Stream, StoreError> {
        let footer = segment.footer()?;
        Ok(Stream {
            rows: RowStream::open_whole(&footer, all_rows(&footer), segment.deleted.clone())?,
            buffer: None,
        })
    }

    fn fill(&mut self) -> Result<(), StoreError> {
        while self.buffer.is_none() {
            match self.rows.next()? {
                Some(batch) if batch.num_rows() > 0 => self.buffer = Some(batch),
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }

    fn last_key(&self) -> Option<Key> {
        let batch = self.buffer.as_ref()?;
        Some(key_at(&Fixed::of(batch), batch.num_rows() - 1))
    }

    /// Takes the buffered rows that are not behind the horizon.
    fn take_up_to(&mut self, horizon: &Key) -> Option<RecordBatch> {
        let batch = self.buffer.take()?;
        let fixed = Fixed::of(&batch);
        let (mut low, mut high) = (0, batch.num_rows());
        while low < high {
            let middle = low.midpoint(high);
            if key_at(&fixed, middle) <= *horizon {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low < batch.num_rows() {
            self.buffer = Some(batch.slice(low, batch.num_rows() - low));
        }
        (low > 0).then(|| batch.slice(0, low))
    }
}

fn key_at(fixed: &Fixed<'_>, row: usize) -> Key {
    Key {
        event: fixed.event_name(row).to_owned(),
        person: fixed.persons[row],
        time: fixed.times[row],
        seq: fixed.seqs[row],
    }
}
