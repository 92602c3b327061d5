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

/// How long rows past retention may lie in a segment with others.
const GRACE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What retention asks of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Rewritten,
    Dropped,
    /// It would be rewritten if it could be read.
    Overdue,
}

/// What was done for a project.
#[derive(Debug, Default)]
pub(super) struct Retired {
    /// Number of segments.
    pub replaced: usize,
    /// Something was due that could not be done.
    pub is_overdue: bool,
}

/// Does what is due for one project.
pub(super) fn retire(core: &Core, project: ProjectId) -> Result<Retired, StoreError> {
    let cutoffs = core.cutoffs(project);
    if cutoffs.keep_all() {
        core.note_enforced(project, cutoffs);
        return Ok(Retired::default());
    }
    // Asked after the cutoffs were made: they are by a clock that was right.
    if core.clock_is_suspect() {
        return Ok(Retired {
            replaced: 0,
            is_overdue: true,
        });
    }
    let _held = core.maintain()?;
    let segments = core.state().project(project).segments.clone();
    let (mut dropped, mut rewritten) = (Vec::new(), Vec::new());
    let mut is_overdue = false;
    for segment in segments.iter() {
        match fate(segment, &cutoffs)? {
            Fate::Kept => {}
            Fate::Overdue => is_overdue = true,
            Fate::Rewritten => rewritten.push(segment.clone()),
            Fate::Dropped => dropped.push(segment.meta.id),
        }
    }
    let mut replaced = dropped.len();
    if !dropped.is_empty() {
        let publication = Publication {
            removed: dropped,
            ..Publication::default()
        };
        exchange(core, project, publication, Vec::new(), Written::new(core))?;
    }
    for segment in &rewritten {
        let inputs = std::slice::from_ref(segment);
        match rewrite(core, project, inputs, segment.meta.shard, &segment.meta.period) {
            Ok(()) => replaced += 1,
            Err(_) if segment.is_damaged() => is_overdue = true,
            Err(error) => return Err(error),
        }
    }
    core.note_enforced(project, cutoffs);
    Ok(Retired { replaced, is_overdue })
}

fn fate(segment: &Arc<Segment>, cutoffs: &Cutoffs) -> Result<Fate, StoreError> {
    if segment.meta.first_ms >= cutoffs.latest_ms() {
        return Ok(Fate::Kept);
    }
    if segment.meta.last_ms < cutoffs.earliest_ms() {
        return Ok(Fate::Dropped);
    }
    let footer = match segment.footer() {
        _ if segment.is_damaged() => return Ok(Fate::Overdue),
        footer => footer?,
    };
    let runs = &footer.events;
    if runs.iter().all(|run| run.last_ms < cutoffs.of(&run.event)) {
        return Ok(Fate::Dropped);
    }
    let is_overdue = |first_ms: i64, cutoff: i64| first_ms < cutoff.saturating_sub(GRACE_MS);
    let overdue = runs.iter().any(|run| is_overdue(run.first_ms, cutoffs.of(&run.event)));
    Ok(if overdue { Fate::Rewritten } else { Fate::Kept })
}
