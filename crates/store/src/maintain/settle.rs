//! Making merges and erasures physical.
//!
//! A merged person's rows are written again under the canonical number, into the shard of that number, and marked as
//! deleted where they were. An erased person's rows are removed by rewriting every segment that has one. Both wait
//! until a flush has passed the feed entry: only then can no fresh row carry the former number any more.

use super::compact::{exchange, rewrite};
use super::flush::partition;
use super::written::Written;
use crate::catalog::publish::Publication;
use crate::core::Core;
use crate::error::StoreError;
use crate::memory::{MemoryUse, Reservation};
use crate::rows::sorted::{Gathering, drop_copies, sort};
use crate::segment::Segment;
use crate::segment::stream::{RowStream, all_rows, rows_of_persons};
use crate::state::identity::Identity;
use arrow::record_batch::RecordBatch;
use model::ProjectId;
use roaring::{RoaringBitmap, RoaringTreemap};
use std::sync::Arc;

/// What the steps below work on.
struct View {
    identity: Identity,
    segments: Arc<Vec<Arc<Segment>>>,
    flushed_seq: u64,
    now_ms: i64,
}

impl View {
    /// Whether a damaged segment may have a row of one of the persons: then it cannot be moved or removed.
    fn damage_may_hold(&self, persons: &[u64], shards: u32) -> bool {
        let persons: RoaringTreemap = persons.iter().copied().collect();
        let mut damaged = self.segments.iter().filter(|segment| segment.is_damaged());
        damaged.any(|segment| segment.may_hold(&persons, shards))
    }
}

fn view(core: &Core, project: ProjectId) -> View {
    let mut state = core.state();
    let state = state.project(project);
    View {
        identity: state.identity.clone(),
        segments: state.segments.clone(),
        flushed_seq: state.flushed_seq,
        now_ms: state.received.0,
    }
}

/// Moves the rows of absorbed persons to the number that absorbed them, of as many persons at a time as there is memory for.
pub(super) fn settle_merged(core: &Core, project: ProjectId) -> Result<(), StoreError> {
    while settle_some(core, project)? {}
    Ok(())
}

/// Memory of the rows that are moved at a time, where there is no limit to take a part of.
const MOVED_BYTES: usize = 256 << 20;

/// Returns whether some persons are left.
fn settle_some(core: &Core, project: ProjectId) -> Result<bool, StoreError> {
    let _held = core.maintain()?;
    let view = view(core, project);
    let ready = view
        .identity
        .unsettled()
        .iter()
        .filter(|(_, seq)| **seq <= view.flushed_seq)
        .map(|(person, _)| *person);
    let mut ready: Vec<u64> = ready
        .filter(|person| !view.damage_may_hold(&[*person, view.identity.canonical(*person)], core.shards))
        .collect();
    if ready.is_empty() {
        return Ok(false);
    }
    let all = ready.len();
    let bytes_max = core.options.memory.part(8, MOVED_BYTES);
    let moving = loop {
        // One person's rows are moved however many they are.
        let bytes_max = if ready.len() == 1 { usize::MAX } else { bytes_max };
        match Moving::gather(core, &view, &ready, bytes_max)? {
            Some(moving) => break moving,
            None => ready.truncate(ready.len().div_ceil(4)),
        }
    };
    let is_done = ready.len() == all;
    moving.write(core, project, &view, ready)?;
    Ok(!is_done)
}

/// Rows that get another number, out of the segments they lie in.
struct Moving {
    sources: Vec<RecordBatch>,
    /// The segments without them.
    marked: Vec<Arc<Segment>>,
    _memory: Reservation,
}

impl Moving {
    /// The rows of absorbed persons and of those who absorbed them; `None` if they take more than allowed.
    fn gather(core: &Core, view: &View, absorbed: &[u64], bytes_max: usize) -> Result<Option<Moving>, StoreError> {
        // The rows of the absorbing number come along, because a merge can make copies of rows that were none.
        let moving: RoaringTreemap = absorbed
            .iter()
            .flat_map(|person| [*person, view.identity.canonical(*person)])
            .collect();
        let mut sources = Vec::new();
        let mut marked = Vec::new();
        let mut bytes = 0;
        for segment in view
            .segments
            .iter()
            .filter(|segment| segment.may_hold(&moving, core.shards))
        {
            let footer = segment.footer()?;
            let ranges = rows_of_persons(&core.cache, segment, all_rows(&footer), &moving)?;
            if ranges.is_empty() {
                continue;
            }
            let mut moved = RoaringBitmap::new();
            for range in &ranges {
                moved.insert_range(range.start as u32..range.end as u32);
            }
            marked.push(Arc::new(segment.with_deleted(&moved)));
            let mut rows = RowStream::open_whole(&footer, ranges, segment.deleted.clone())?;
            while let Some(batch) = rows.next()? {
                bytes += batch.get_array_memory_size();
                if bytes > bytes_max {
                    return Ok(None);
                }
                sources.push(batch);
            }
        }
        let _memory = core.options.memory.hold(MemoryUse::Maintenance, 2 * bytes);
        Ok(Some(Moving {
            sources,
            marked,
            _memory,
        }))
    }

    /// Writes the rows under their new numbers and lets these segments take the place of what was marked.
    fn write(self, core: &Core, project: ProjectId, view: &View, settled: Vec<u64>) -> Result<(), StoreError> {
        let mut gathering = Gathering::new(self.sources, |_, row, fixed| {
            let person = fixed.persons[row];
            let canonical = view.identity.canonical(person);
            let erased = view.identity.is_erased(person) || view.identity.is_erased(canonical);
            (!erased).then_some(canonical)
        });
        let mut rows = std::mem::take(&mut gathering.rows);
        sort(&mut rows);
        drop_copies(&mut rows, |_| {});
        let mut written = Written::new(core);
        for ((shard, period), rows) in partition(&rows, core.shards, view.now_ms) {
            written.add(project, shard, &period, &gathering.take(&rows))?;
        }
        let publication = Publication {
            settled: vec![(project, settled)],
            ..Publication::default()
        };
        exchange(core, project, publication, self.marked, written)
    }
}

/// Rewrites every segment that still has a row of an erased person. Returns how many there were.
pub(super) fn purge_erased(core: &Core, project: ProjectId) -> Result<usize, StoreError> {
    let _held = core.maintain()?;
    let view = view(core, project);
    let ready = view
        .identity
        .unpurged()
        .iter()
        .filter(|(_, seq)| **seq <= view.flushed_seq)
        .map(|(person, _)| *person);
    let ready: Vec<u64> = ready
        .filter(|person| !view.damage_may_hold(&[*person], core.shards))
        .collect();
    if ready.is_empty() {
        return Ok(0);
    }
    let erased: RoaringTreemap = ready.iter().copied().collect();
    let mut concerned = Vec::new();
    for segment in view
        .segments
        .iter()
        .filter(|segment| segment.may_hold(&erased, core.shards))
    {
        let footer = segment.footer()?;
        // Rows marked as deleted count as well: they must leave the disk like the others.
        if !rows_of_persons(&core.cache, segment, all_rows(&footer), &erased)?.is_empty() {
            concerned.push(segment.clone());
        }
    }
    for segment in &concerned {
        let inputs = std::slice::from_ref(segment);
        rewrite(core, project, inputs, segment.meta.shard, &segment.meta.period)?;
    }
    // The last publication says that it is done; a crash before it only repeats the search.
    let publication = Publication {
        purged: vec![(project, ready)],
        ..Publication::default()
    };
    exchange(core, project, publication, Vec::new(), Written::new(core))?;
    Ok(concerned.len())
}
