//! What waits for the writer: bounded, taken in turn by project, in groups.

use crate::error::Fault;
use model::{GroupNumber, ProjectId};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use vault_client::{ResolveRequest, ResolvedId};

/// Calls that may wait (ID-19).
const QUEUE_MAX: usize = 64;
/// Calls of one transaction.
const GROUP_MAX: usize = 8;
/// Identities after which a transaction takes no further call, so that a group of imports does not keep those that
/// wait behind it beyond their patience.
const GROUP_IDS_MAX: usize = 2_000;

pub(super) enum Work {
    Resolve(ResolveRequest),
    AddProject,
    /// A sealed text in place of the one that was there.
    PutDocument {
        kind: &'static str,
        name: Vec<u8>,
        sealed: Vec<u8>,
    },
}

impl Work {
    fn ids(&self) -> usize {
        match self {
            Work::Resolve(request) => request.ids.len() + request.refs.len() + request.writes.len(),
            Work::AddProject | Work::PutDocument { .. } => 1,
        }
    }
}

pub(super) enum Done {
    Resolved {
        ids: Vec<ResolvedId>,
        refs: Vec<GroupNumber>,
    },
    Stored,
}

pub(super) struct Job {
    pub(super) project: ProjectId,
    pub(super) work: Work,
    /// Milliseconds since 1970; 0 for none.
    pub(super) deadline_ms: i64,
    pub(super) queued_ms: i64,
    pub(super) answer: SyncSender<Result<Done, Fault>>,
}

#[derive(Default)]
struct Waiting {
    by_project: BTreeMap<ProjectId, VecDeque<Job>>,
    count: usize,
    /// The project served last; the next one comes first.
    last: Option<ProjectId>,
    closed: bool,
}

/// The queue between callers and the writer.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

impl Queue {
    pub(super) fn push(&self, job: Job) -> Result<(), Fault> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Fault::Stopped);
        }
        if waiting.count >= QUEUE_MAX {
            return Err(Fault::Overloaded);
        }
        waiting.count += 1;
        waiting.by_project.entry(job.project).or_default().push_back(job);
        self.arrived.notify_one();
        Ok(())
    }

    /// Lets the writer finish what waits and end.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Refuses all that waits and comes from now on. For the way out of the writer's thread, also by a panic: a caller
    /// must not wait for a writer that is gone.
    pub(super) fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.count = 0;
        waiting.by_project.clear();
    }

    /// The next group, empty after `patience` without one; `None` when closed and drained.
    pub(super) fn pop(&self, patience: Duration) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        if waiting.count == 0 && !waiting.closed {
            waiting = self
                .arrived
                .wait_timeout(waiting, patience)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
        }
        if waiting.count == 0 && waiting.closed {
            return None;
        }
        let (mut group, mut ids) = (Vec::new(), 0);
        while group.len() < GROUP_MAX && ids < GROUP_IDS_MAX {
            let Some(job) = waiting.take_in_turn() else { break };
            ids += job.work.ids();
            group.push(job);
        }
        Some(group)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take_in_turn(&mut self) -> Option<Job> {
        let next = self
            .last
            .and_then(|last| self.by_project.range((Bound::Excluded(last), Bound::Unbounded)).next())
            .or_else(|| self.by_project.iter().next())
            .map(|(project, _)| *project)?;
        let jobs = self.by_project.get_mut(&next)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.by_project.remove(&next);
        }
        self.count -= 1;
        self.last = Some(next);
        job
    }
}
