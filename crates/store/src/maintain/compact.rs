//! Compaction: settle what merges and erasures left behind, then merge segments as planned.

use super::merge::{Keeping, Target, merge};
use super::plan::{Figures, plan};
use super::retire;
use super::settle;
use super::written::Written;
use crate::catalog::publish::Publication;
use crate::core::Core;
use crate::error::StoreError;
use crate::memory::MemoryUse;
use crate::segment::Segment;
use crate::segment::reader::batch_rows;
use hashbrown::{HashMap, HashSet};
use model::ProjectId;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Works until there is nothing left to do. Returns the number of segments replaced.
pub(crate) fn compact(core: &Core) -> Result<usize, StoreError> {
    let mut replaced = 0;
    loop {
        match step(core)? {
            0 => return Ok(replaced),
            count => replaced += count,
        }
    }
}

/// Does the next thing there is to do. Returns the number of segments replaced; 0 when nothing is left.
pub(crate) fn step(core: &Core) -> Result<usize, StoreError> {
    let projects: Vec<ProjectId> = core.state().projects.keys().copied().collect();
    for project in projects {
        settle::settle_merged(core, project)?;
        let mut replaced = settle::purge_erased(core, project)?;
        if replaced == 0 {
            replaced = retire_noted(core, project)?;
        }
        if replaced == 0 {
            replaced = merge_once(core, project)?;
        }
        if replaced > 0 {
            return Ok(replaced);
        }
    }
    Ok(0)
}

/// Enforces retention, and lets the metrics know when it cannot be.
fn retire_noted(core: &Core, project: ProjectId) -> Result<usize, StoreError> {
    let retired = retire::retire(core, project);
    let is_overdue = match &retired {
        Ok(retired) => retired.is_overdue,
        Err(error) => !matches!(error, StoreError::Closed),
    };
    if core.note_retention(project, is_overdue) && is_overdue {
        tracing::error!(
            project = project.0,
            "Rows past retention could not be removed from the disk"
        );
    }
    Ok(retired?.replaced)
}

/// Carries out the first of the planned merges.
fn merge_once(core: &Core, project: ProjectId) -> Result<usize, StoreError> {
    let _held = core.maintain()?;
    let (segments, now_ms) = {
        let mut state = core.state();
        let state = state.project(project);
        (state.segments.clone(), state.received.0)
    };
    let intact = segments.iter().filter(|segment| !segment.is_damaged());
    let figures: Vec<Figures> = intact.map(figures_of).collect();
    let Some(next) = plan(&figures, now_ms).into_iter().next() else {
        return Ok(0);
    };
    let by_id: HashMap<u64, &Arc<Segment>> = segments.iter().map(|segment| (segment.meta.id, segment)).collect();
    let inputs: Vec<Arc<Segment>> = next.inputs.iter().map(|id| by_id[id].clone()).collect();
    let (count, bytes) = fitting(core, &inputs)?;
    let Some(_memory) = core.options.memory.reserve(MemoryUse::Maintenance, bytes) else {
        core.compaction_waits.store(true, Ordering::Relaxed);
        return Ok(0);
    };
    let inputs = &inputs[..count];
    rewrite(core, project, inputs, next.shard, &next.period)?;
    Ok(inputs.len())
}

/// What an open column of an input takes beside its part of a batch, about: a page, and the values that others refer to.
const COLUMN_BYTES: usize = 16 << 10;

/// How many of the inputs, the smallest first, can be merged at once within a part of the memory, and what that takes.
fn fitting(core: &Core, inputs: &[Arc<Segment>]) -> Result<(usize, usize), StoreError> {
    let bytes_max = core.options.memory.part(6, usize::MAX);
    let mut fitting = 0;
    for (count, segment) in inputs.iter().enumerate() {
        let columns = segment.footer()?.metadata.schema().fields().len();
        // A batch as it is read, and its rows in order.
        let batches = 2 * batch_rows(columns) * columns * size_of::<u64>();
        let bytes = fitting + batches + columns * COLUMN_BYTES;
        if bytes > bytes_max && count >= 2 {
            return Ok((count, fitting));
        }
        fitting = bytes.min(bytes_max);
    }
    Ok((inputs.len(), fitting))
}

fn figures_of(segment: &Arc<Segment>) -> Figures {
    Figures {
        id: segment.meta.id,
        shard: segment.meta.shard,
        period: segment.meta.period.clone(),
        rows: segment.meta.rows,
        deleted: segment.deleted.len(),
    }
}

/// Replaces segments by one with their live rows. The caller holds the maintenance lock.
pub(super) fn rewrite(
    core: &Core,
    project: ProjectId,
    inputs: &[Arc<Segment>],
    shard: u32,
    period: &str,
) -> Result<(), StoreError> {
    let identity = core.state().project(project).identity.clone();
    let cutoffs = core.cutoffs(project);
    let mut written = Written::new(core);
    let target = Target { project, shard, period };
    merge(
        core,
        inputs,
        &Keeping {
            identity: &identity,
            cutoffs: &cutoffs,
        },
        &target,
        &mut written,
    )?;
    let publication = Publication {
        removed: inputs.iter().map(|segment| segment.meta.id).collect(),
        ..Publication::default()
    };
    exchange(core, project, publication, Vec::new(), written)
}

/// Publishes new segments in the place of removed and changed ones, on disk and then in memory.
pub(super) fn exchange(
    core: &Core,
    project: ProjectId,
    mut publication: Publication,
    marked: Vec<Arc<Segment>>,
    mut written: Written<'_>,
) -> Result<(), StoreError> {
    written.sync()?;
    publication.added = written.metas().to_vec();
    publication.deleted = marked
        .iter()
        .map(|segment| (segment.meta.id, segment.deleted.clone()))
        .collect();
    written.publish(&publication)?;
    let removed: HashSet<u64> = publication.removed.iter().copied().collect();
    let marked: HashMap<u64, Arc<Segment>> = marked.into_iter().map(|segment| (segment.meta.id, segment)).collect();
    let mut state = core.state();
    let state = state.project(project);
    let flushed_seq = state.flushed_seq;
    let kept = state
        .segments
        .iter()
        .filter(|segment| !removed.contains(&segment.meta.id));
    let kept = kept.map(|segment| marked.get(&segment.meta.id).unwrap_or(segment).clone());
    let all: Vec<Arc<Segment>> = kept.chain(written.segments(project, flushed_seq)).collect();
    for segment in state
        .segments
        .iter()
        .filter(|segment| removed.contains(&segment.meta.id))
    {
        segment.file.mark_obsolete();
    }
    state.segments = Arc::new(all);
    for (_, persons) in &publication.settled {
        state.identity.settle(persons);
    }
    for (_, persons) in &publication.purged {
        state.identity.purge(persons);
    }
    core.cache.forget(&removed);
    Ok(())
}
