//! Fresh rows to segments.
//!
//! Taken at one place in the log, for all projects: rows, changed profiles, identity changes, names and counts. The
//! rows are written by shard and period; rows of earlier segments that have a later copy among them are marked as
//! deleted. One catalog transaction publishes everything together with the watermark. Only then are the rows dropped
//! from memory and the log files below the watermark removed. A flush that fails changes nothing.

use super::period::{DAY_MS, Periods};
use super::written::Written;
use crate::catalog::publish::{ProjectChanges, Publication};
use crate::core::Core;
use crate::error::StoreError;
use crate::rows::sorted::{Gathering, RowKey, drop_copies, sort};
use crate::segment::Segment;
use crate::snapshot::SnapshotParts;
use crate::state::profiles::Slot;
use crate::state::project::IdentityChanges;
use hashbrown::{HashMap, HashSet};
use model::ProjectId;
use roaring::RoaringBitmap;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// A project's part of a flush.
struct Taken {
    project: ProjectId,
    parts: SnapshotParts,
    changes: ProjectChanges,
    slots: HashSet<Slot>,
}

/// What a flush found out about a project while writing.
struct Outcome {
    /// Segments with more deleted rows than before.
    marked: Vec<Arc<Segment>>,
    /// Copies that were recognised only now, by event.
    copies: HashMap<String, u64>,
}

pub(crate) fn flush(core: &Core) -> Result<(), StoreError> {
    let _held = core.maintain()?;
    let (position, mut taken) = take(core);
    if position == core.state().flushed {
        return Ok(());
    }
    // Besides the rows themselves: their keys in order, and a copy of a part of them at a time.
    let _memory = core.hold_for_flush();
    let result = write_and_publish(core, position, &mut taken);
    if result.is_err() {
        give_back(core, taken);
    }
    result?;
    core.queue.remove_below(position)
}

fn take(core: &Core) -> (u64, Vec<Taken>) {
    let mut state = core.state();
    let shards = core.shards;
    let mut taken = Vec::new();
    for (id, project) in &mut state.projects {
        if !project.changed {
            continue;
        }
        project.changed = false;
        let slots = std::mem::take(&mut project.changed_profiles);
        let identity_changes = std::mem::take(&mut project.changed_identity);
        let profile = |slot: &Slot| (slot.clone(), project.profiles.at(slot).cloned());
        let changes = ProjectChanges {
            project: *id,
            next_seq: project.next_seq,
            feed_position: project.feed_position,
            received: project.received,
            columns: project.registry.columns(),
            events: project.registry.events(),
            merges: identity_changes.merges,
            erased: identity_changes.erased,
            profiles: slots.iter().map(profile).collect(),
        };
        let parts = SnapshotParts {
            shards,
            last_seq: project.last_seq(),
            version: project.version,
            cutoffs: Arc::default(),
            fresh: project.freeze(),
            segments: project.segments.clone(),
            identity: project.identity.clone(),
            profiles: project.profiles.clone(),
            registry: project.registry.clone(),
            cache: core.cache.clone(),
        };
        taken.push(Taken {
            project: *id,
            parts,
            changes,
            slots,
        });
    }
    (state.position, taken)
}

/// Undoes [`take`] after a failure. What changed since comes after what is given back.
fn give_back(core: &Core, taken: Vec<Taken>) {
    let mut state = core.state();
    for part in taken {
        let project = state.project(part.project);
        project.changed = true;
        project.changed_profiles.extend(part.slots);
        let later = std::mem::take(&mut project.changed_identity);
        project.changed_identity = IdentityChanges {
            merges: part.changes.merges.into_iter().chain(later.merges).collect(),
            erased: part.changes.erased.into_iter().chain(later.erased).collect(),
        };
    }
}

fn write_and_publish(core: &Core, position: u64, taken: &mut [Taken]) -> Result<(), StoreError> {
    let mut written = Written::new(core);
    let mut outcomes = Vec::new();
    for part in taken.iter_mut() {
        outcomes.push(write_project(part, &mut written)?);
    }
    written.sync()?;
    let mut publication = Publication {
        watermark: Some(position),
        added: written.metas().to_vec(),
        ..Publication::default()
    };
    for (part, outcome) in taken.iter_mut().zip(&outcomes) {
        for event in &mut part.changes.events {
            let copies = outcome.copies.get(&event.name).copied().unwrap_or(0);
            event.rows = event.rows.saturating_sub(copies);
        }
        let marked = outcome.marked.iter();
        publication
            .deleted
            .extend(marked.map(|segment| (segment.meta.id, segment.deleted.clone())));
        publication.projects.push(std::mem::take(&mut part.changes));
    }
    let published = written.publish(&publication);
    for (part, changes) in taken.iter_mut().zip(publication.projects) {
        part.changes = changes;
    }
    published?;
    exchange(core, position, taken, &outcomes, &written);
    for segment in taken.iter().flat_map(|part| part.parts.segments.iter()) {
        let superseded = segment.file.superseded.lock();
        superseded.unwrap_or_else(PoisonError::into_inner).forget_filters();
    }
    Ok(())
}

/// Writes a project's fresh rows and finds the earlier rows that they supersede.
fn write_project(part: &Taken, written: &mut Written<'_>) -> Result<Outcome, StoreError> {
    let parts = &part.parts;
    let mut copies: HashMap<String, u64> = HashMap::new();
    let sources: Vec<_> = parts
        .fresh
        .blocks
        .iter()
        .flat_map(|block| block.batches().iter().flatten())
        .collect();
    let mut gathering = Gathering::new(sources.into_iter().cloned().collect(), |_, row, fixed| {
        let person = fixed.persons[row];
        let canonical = parts.identity.canonical(person);
        let gone = parts.fresh.superseded.contains(fixed.seqs[row])
            || parts.identity.is_erased(person)
            || parts.identity.is_erased(canonical);
        (!gone).then_some(canonical)
    });
    let mut rows = std::mem::take(&mut gathering.rows);
    sort(&mut rows);
    drop_copies(&mut rows, |row| {
        *copies.entry_ref(gathering.event_name(row.rank)).or_default() += 1;
    });
    for ((shard, period), rows) in partition(&rows, parts.shards, part.changes.received.0) {
        written.add(part.project, shard, &period, &gathering.take(&rows))?;
    }
    Ok(Outcome {
        marked: mark_superseded(parts, &mut copies)?,
        copies,
    })
}

/// Rows by shard and period, each still in order.
pub(super) fn partition(rows: &[RowKey], shards: u32, now_ms: i64) -> BTreeMap<(u32, String), Vec<RowKey>> {
    let days: HashSet<i64> = rows.iter().map(|row| row.time.div_euclid(DAY_MS)).collect();
    let periods = Periods::plan(now_ms, &days);
    let names: HashMap<i64, String> = days.into_iter().map(|day| (day, periods.of_day(day))).collect();
    let mut parts: BTreeMap<(u32, &str), Vec<RowKey>> = BTreeMap::new();
    for row in rows {
        let shard = (row.person % u64::from(shards)) as u32;
        let period = names[&row.time.div_euclid(DAY_MS)].as_str();
        parts.entry((shard, period)).or_default().push(*row);
    }
    let owned = parts.into_iter();
    owned
        .map(|((shard, period), rows)| ((shard, period.to_owned()), rows))
        .collect()
}

/// The earlier segments that lose rows to the flushed ones.
fn mark_superseded(parts: &SnapshotParts, copies: &mut HashMap<String, u64>) -> Result<Vec<Arc<Segment>>, StoreError> {
    let mut marked = Vec::new();
    for segment in parts.segments.iter().filter(|segment| !segment.is_damaged()) {
        let dropped = parts.dropped_rows(segment)?;
        let new: RoaringBitmap = &dropped - &segment.deleted;
        if new.is_empty() {
            continue;
        }
        for run in &segment.footer()?.events {
            let count = new.range_cardinality(run.first_row as u32..run.end_row() as u32);
            if count > 0 {
                *copies.entry_ref(&run.event).or_default() += count;
            }
        }
        marked.push(Arc::new(segment.with_deleted(&new)));
    }
    Ok(marked)
}

/// Lets the published segments take the place of the flushed rows, in memory.
fn exchange(core: &Core, position: u64, taken: &[Taken], outcomes: &[Outcome], written: &Written<'_>) {
    let mut state = core.state();
    state.flushed = position;
    for (part, outcome) in taken.iter().zip(outcomes) {
        let last_seq = part.parts.last_seq;
        let project = state.project(part.project);
        let marked: HashMap<u64, &Arc<Segment>> = outcome
            .marked
            .iter()
            .map(|segment| (segment.meta.id, segment))
            .collect();
        let kept = project.segments.iter();
        let kept = kept.map(|segment| (*marked.get(&segment.meta.id).unwrap_or(&segment)).clone());
        let all = kept.chain(written.segments(part.project, last_seq)).collect();
        project.segments = Arc::new(all);
        project.flushed_seq = last_seq;
        project.fresh.forget(last_seq);
        for (event, rows) in &outcome.copies {
            if let Some(place) = project.registry.event_place(event) {
                project.registry.discount_event(place, *rows);
            }
        }
    }
    let has_fresh = state.projects.values().any(|project| project.fresh.rows() > 0);
    state.fresh_since = has_fresh.then(std::time::Instant::now);
    core.note_flushed(&state);
}
