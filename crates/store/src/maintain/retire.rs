//! Removing rows past retention from the disk.
//!
//! A segment of which every row is past its event's cutoff is dropped. One that holds some is rewritten, but only when they
//! have been past it for [`GRACE_MS`]: the cutoff moves every day, and a month's segment should not be written again thirty
//! times. Answers do not wait for either.

use super::compact::{exchange, rewrite};
use super::written::Written;
use crate::catalog::publish::Publication;
use crate::core::Core;
use crate::error::StoreError;
use crate::retention::Cutoffs;
use crate::segment::Segment;
use model::ProjectId;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How long rows past retention may lie in a segment with others.
const GRACE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What retention asks of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Rewritten,
    Dropped,
}

/// Does what is due for one project. Returns the number of segments replaced.
pub(super) fn retire(core: &Core, project: ProjectId) -> Result<usize, StoreError> {
    let cutoffs = core.cutoffs(project);
    if cutoffs.keep_all() {
        core.note_enforced(project, cutoffs);
        return Ok(0);
    }
    if core.clock_is_suspect.load(Ordering::Relaxed) {
        return Ok(0);
    }
    let _held = core.maintain()?;
    let segments = core.state().project(project).segments.clone();
    let (mut dropped, mut rewritten) = (Vec::new(), Vec::new());
    for segment in segments.iter() {
        match fate(segment, &cutoffs)? {
            Fate::Kept => {}
            Fate::Rewritten => rewritten.push(segment.clone()),
            Fate::Dropped => dropped.push(segment.meta.id),
        }
    }
    let replaced = dropped.len() + rewritten.len();
    if !dropped.is_empty() {
        let publication = Publication {
            removed: dropped,
            ..Publication::default()
        };
        exchange(core, project, publication, Vec::new(), Written::new(core))?;
    }
    for segment in &rewritten {
        let inputs = std::slice::from_ref(segment);
        rewrite(core, project, inputs, segment.meta.shard, &segment.meta.period)?;
    }
    core.note_enforced(project, cutoffs);
    Ok(replaced)
}

fn fate(segment: &Arc<Segment>, cutoffs: &Cutoffs) -> Result<Fate, StoreError> {
    if segment.meta.first_ms >= cutoffs.latest_ms() {
        return Ok(Fate::Kept);
    }
    let runs = &segment.footer()?.events;
    if runs.iter().all(|run| run.last_ms < cutoffs.of(&run.event)) {
        return Ok(Fate::Dropped);
    }
    let is_overdue = |first_ms: i64, cutoff: i64| first_ms < cutoff.saturating_sub(GRACE_MS);
    let overdue = runs.iter().any(|run| is_overdue(run.first_ms, cutoffs.of(&run.event)));
    Ok(if overdue { Fate::Rewritten } else { Fate::Kept })
}
