//! Group commit: many appending threads, one that writes.
//!
//! While a group is being synced, appends queue up; together they are the next group. Only if the group before had
//! company does the writer wait a moment for more, so that a lone sender is not slowed down.

use super::RECORD_BYTES_MAX;
use super::files::LogFiles;
use crate::core::Core;
use crate::error::StoreError;
use crate::state::encoded::RecordHead;
use crate::state::prepared::Prepared;
use hashbrown::HashMap;
use model::{ProjectId, Record};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most bytes of a group.
const GROUP_BYTES: usize = 16 << 20;

/// Place of a record in the log: records are numbered from 1, over all projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// Appends waiting to be written.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    appends: Vec<Append>,
    removal: Option<Removal>,
    closed: bool,
}

/// Files with nothing but records up to `flushed` are to be removed. There is one flush at a time, and it waits.
struct Removal {
    flushed: u64,
    reply: SyncSender<Result<(), StoreError>>,
}

/// What the writer does next.
enum Work {
    Write(Vec<Append>),
    Remove(Removal),
}

struct Append {
    prepared: Prepared,
    reply: SyncSender<Reply>,
}

type Reply = Result<Position, StoreError>;

impl Append {
    fn new(record: Record) -> Result<(Append, Receiver<Reply>), StoreError> {
        let prepared = Prepared::new(&record)
            .map_err(|error| StoreError::Invalid(format!("the record cannot be encoded: {error}")))?;
        let bytes = prepared.record_bytes().len();
        if bytes > RECORD_BYTES_MAX {
            return Err(StoreError::TooLarge {
                bytes,
                limit: RECORD_BYTES_MAX,
            });
        }
        let (reply, answer) = sync_channel(1);
        Ok((Append { prepared, reply }, answer))
    }
}

impl Queue {
    /// Encodes a record, has it written, and returns when it is durable and applied.
    pub fn append(&self, record: Record) -> Result<Position, StoreError> {
        let (append, answer) = Append::new(record)?;
        self.put([append])?;
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// [`Queue::append`] for several records that come together, however fast the writer is.
    pub fn append_group(&self, records: Vec<Record>) -> Result<Vec<Reply>, StoreError> {
        let appends: Result<Vec<_>, StoreError> = records.into_iter().map(Append::new).collect();
        let (appends, answers): (Vec<_>, Vec<_>) = appends?.into_iter().unzip();
        self.put(appends)?;
        let answers = answers.into_iter();
        Ok(answers
            .map(|answer| answer.recv().unwrap_or(Err(StoreError::Closed)))
            .collect())
    }

    /// Has the log files removed whose records are all in segments, and returns when they are gone.
    pub fn remove_below(&self, flushed: u64) -> Result<(), StoreError> {
        let (reply, answer) = sync_channel(1);
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        waiting.removal = Some(Removal { flushed, reply });
        drop(waiting);
        self.changed.notify_one();
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    fn put(&self, appends: impl IntoIterator<Item = Append>) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        waiting.appends.extend(appends);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Lets the writer finish what waits and then end.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next group, or files to remove; `None` when the queue is closed and empty.
    fn take(&self, company: usize, gather: Duration) -> Option<Work> {
        let mut waiting = self.lock();
        // The removal first: appends may never stop coming.
        loop {
            if let Some(removal) = waiting.removal.take() {
                return Some(Work::Remove(removal));
            }
            if !waiting.appends.is_empty() {
                break;
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let until = Instant::now() + gather;
        while waiting.appends.len() < company && !waiting.closed {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                break;
            };
            let (guard, _) = self
                .changed
                .wait_timeout(waiting, left)
                .unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
        }
        let mut bytes = 0;
        let fits = waiting.appends.iter().take_while(|append| {
            bytes += append.prepared.record_bytes().len();
            bytes <= GROUP_BYTES
        });
        let count = fits.count().max(1);
        Some(Work::Write(waiting.appends.drain(..count).collect()))
    }
}

/// However the writer ends, nobody waits for it in vain.
struct RefuseAtEnd<'a>(&'a Queue);

impl Drop for RefuseAtEnd<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.closed = true;
        // Dropping an append answers it.
        waiting.appends.clear();
        waiting.removal = None;
    }
}

/// The writer thread: runs until the queue is closed.
pub(crate) fn run(queue: &Queue, mut files: LogFiles, core: &Core) {
    let _refuse = RefuseAtEnd(queue);
    let mut company = 1;
    while let Some(work) = queue.take(company, core.options.gather) {
        match work {
            Work::Write(group) => {
                company = group.len();
                commit(group, &mut files, core);
            }
            Work::Remove(removal) => {
                let removed = files.remove_below(removal.flushed);
                core.note_log(files.end(), files.is_stopped());
                let _ = removal.reply.send(removed);
            }
        }
    }
}

fn commit(group: Vec<Append>, files: &mut LogFiles, core: &Core) {
    let group = refuse_holes(group, core);
    if group.is_empty() {
        return;
    }
    let payloads: Vec<&[u8]> = group.iter().map(|append| append.prepared.record_bytes()).collect();
    let first = files.next();
    let written = files.write_group(&payloads);
    // Before anybody is answered: a backup begun after an answer must copy the log as far as that answer promises.
    core.note_log(files.end(), files.is_stopped());
    match written {
        Err(error) => {
            for append in group {
                // A sender that went away does not want to know.
                let _ = append.reply.send(Err(error.clone()));
            }
        }
        Ok(()) => {
            let (prepared, replies): (Vec<Prepared>, Vec<_>) =
                group.into_iter().map(|append| (append.prepared, append.reply)).unzip();
            core.apply(first, prepared);
            for (place, reply) in replies.into_iter().enumerate() {
                let _ = reply.send(Ok(Position(first + place as u64)));
            }
        }
    }
}

/// Answers appends whose feed does not follow on the log's, and returns the others.
fn refuse_holes(group: Vec<Append>, core: &Core) -> Vec<Append> {
    let mut positions: HashMap<ProjectId, u64> = HashMap::new();
    let mut accepted = Vec::with_capacity(group.len());
    for append in group {
        let head = &append.prepared.head;
        let project = head.project;
        let position = positions.entry(project).or_insert_with(|| core.feed_position(project));
        match feed_end(*position, head) {
            Ok(end) => {
                *position = end;
                accepted.push(append);
            }
            Err(got) => {
                let expected = *position + 1;
                let _ = append.reply.send(Err(StoreError::FeedHole { project, expected, got }));
            }
        }
    }
    accepted
}

/// The feed position after the record, or the entry that does not follow.
fn feed_end(mut position: u64, head: &RecordHead) -> Result<u64, u64> {
    for item in &head.feed {
        match item.seq {
            seq if seq == position + 1 => position = seq,
            seq if seq > position => return Err(seq),
            _ => {}
        }
    }
    Ok(position)
}
