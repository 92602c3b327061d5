//! The one writer of `vault.db`.
//!
//! Calls wait in a bounded queue, taken in turn by project so that one project's import does not starve another. Up to
//! eight go into one transaction. While a commit waits for the disk the next calls gather, so there is no need to wait
//! on purpose for company: a lone call commits at once, a busy vault groups by itself.
//!
//! The commit point is `COMMIT` in [`Writer::commit`]: before it nothing happened, after it the RAM index follows and
//! the answers go out. A group that fails is rolled back and its calls are tried one by one, so that a damaged row or
//! a senseless write harms its own call only. A failed `COMMIT` leaves the disk in an unknown state; the writer then
//! stops for good and a restart reads what is there.

use super::owner::Owner;
use super::project::{Pending, Project};
use super::queue::{Done, Job, Queue, Work};
use super::transaction::{Change, Looked};
use super::{load, schema, writes};
use crate::clock::{Clock, HOUR_MS, SECOND_MS};
use crate::crypto::DataKey;
use crate::error::Fault;
use crate::keys::KeyStore;
use crate::sqlite;
use model::ProjectId;
use rusqlite::{Connection, TransactionBehavior};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use vault_client::{ResolveRequest, WriteSubject};

/// A call without a deadline that waited longer is shed (ID-19): its sender has a clock of its own.
const WAIT_MAX_MS: i64 = SECOND_MS;
/// How often the counter of states is copied to `keys.db` (VA-5).
const COPY_STATE_MS: i64 = SECOND_MS;

/// Places where a test lets the vault die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    BeforeCommit,
    AfterCommit,
}

/// Decides whether a step works. Real vaults have none.
#[derive(Clone, Default)]
pub(crate) struct Steps(pub(crate) Option<Arc<dyn Fn(Step) -> bool + Send + Sync>>);

impl Steps {
    fn pass(&self, step: Step) -> Result<(), Fault> {
        match &self.0 {
            Some(works) if !works(step) => Err(Fault::Stopped),
            _ => Ok(()),
        }
    }
}

pub(super) type Projects = Arc<RwLock<HashMap<ProjectId, Arc<Project>>>>;

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) store: Arc<KeyStore>,
    pub(super) projects: Projects,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) steps: Steps,
    pub(super) index_entries_max: usize,
    pool: HashMap<ProjectId, Vec<DataKey>>,
    state_seq: u64,
    copied_seq: u64,
    copied_ms: i64,
    purged_ms: i64,
    stopped: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        store: Arc<KeyStore>,
        projects: Projects,
        clock: Arc<dyn Clock>,
        steps: Steps,
        index_entries_max: usize,
    ) -> Result<Writer, Fault> {
        let state_seq = sqlite::meta_number(&connection, "state_seq")?.unwrap_or(0);
        let copied_seq = store.state_seq()?;
        let mut pool = HashMap::new();
        for (id, project) in projects.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let taken = project.read().counters.dek_serial;
            pool.insert(*id, store.data_keys_above(&project.keys, taken)?);
        }
        let now_ms = clock.now_ms();
        writes::purge_applied(&connection, now_ms)?;
        Ok(Writer {
            connection,
            store,
            projects,
            clock,
            steps,
            index_entries_max,
            pool,
            state_seq,
            copied_seq,
            copied_ms: now_ms,
            purged_ms: now_ms,
            stopped: false,
        })
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Queue) {
        let _abandon = Abandon(queue);
        while let Some(group) = queue.pop(Duration::from_millis(COPY_STATE_MS as u64)) {
            let group = self.shed(group);
            if !group.is_empty() {
                self.serve(&group);
            }
            if let Err(fault) = self.housekeep() {
                tracing::error!(error = %fault, "The vault's housekeeping failed");
            }
        }
        if !self.stopped {
            let _ = self.copy_state();
        }
    }

    /// Calls whose sender has given up are answered without work.
    fn shed(&self, group: Vec<Job>) -> Vec<Job> {
        let now_ms = self.clock.now_ms();
        let late =
            |job: &Job| now_ms - job.queued_ms > WAIT_MAX_MS || (job.deadline_ms != 0 && now_ms > job.deadline_ms);
        let (late, timely): (Vec<Job>, Vec<Job>) = group.into_iter().partition(late);
        for job in late {
            let _ = job.answer.send(Err(Fault::Overloaded));
        }
        timely
    }

    fn serve(&mut self, group: &[Job]) {
        match self.commit(group) {
            Ok(done) => {
                for (job, done) in group.iter().zip(done) {
                    // The sender may have gone; what it asked for is done all the same.
                    let _ = job.answer.send(Ok(done));
                }
            }
            Err(fault) if group.len() == 1 || self.stopped => {
                tracing::error!(error = %fault, "A write to the vault failed");
                let _ = group[0].answer.send(Err(fault));
                for job in &group[1..] {
                    let _ = job.answer.send(Err(Fault::Stopped));
                }
            }
            Err(_) => group.iter().for_each(|job| self.serve(std::slice::from_ref(job))),
        }
    }

    /// One transaction for all of the group.
    fn commit(&mut self, group: &[Job]) -> Result<Vec<Done>, Fault> {
        if self.stopped {
            return Err(Fault::Stopped);
        }
        let now_ms = self.clock.now_ms();
        let added = self.prepare_projects(group, now_ms)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for project in added.values() {
            insert_project(&transaction, project.id())?;
        }
        let mut touched: BTreeMap<ProjectId, (Arc<Project>, Pending)> = BTreeMap::new();
        let mut done = Vec::with_capacity(group.len());
        for job in group {
            let project = match added.get(&job.project) {
                Some(project) => Arc::clone(project),
                None => find_project(&self.projects, job.project)?,
            };
            let (project, pending) = touched.entry(job.project).or_insert_with(|| {
                let pending = project.begin();
                (project, pending)
            });
            let mut change = Change {
                connection: &transaction,
                store: &self.store,
                project,
                pending,
                pool: self.pool.entry(job.project).or_default(),
                now_ms,
            };
            done.push(perform(&mut change, &job.work)?);
            change.finish()?;
        }
        sqlite::set_meta_number(&transaction, "state_seq", self.state_seq + 1)?;
        if let Err(fault) = self.steps.pass(Step::BeforeCommit) {
            self.stopped = true;
            return Err(fault);
        }
        if let Err(error) = transaction.commit() {
            // A full disk fails the write of a frame, so the commit mark is not there and the transaction is rolled
            // back: nothing happened, and the next call may find room.
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
                return Err(error.into());
            }
            self.stopped = true;
            tracing::error!(%error, "A commit of the vault failed; nothing more is written until a restart");
            return Err(Fault::Stopped);
        }
        // On disk from here on. A death before the next lines loses RAM only, which the next start reads back.
        if let Err(fault) = self.steps.pass(Step::AfterCommit) {
            self.stopped = true;
            return Err(fault);
        }
        self.state_seq += 1;
        self.publish(added, touched);
        Ok(done)
    }

    /// RAM follows the disk.
    fn publish(
        &mut self,
        added: HashMap<ProjectId, Arc<Project>>,
        touched: BTreeMap<ProjectId, (Arc<Project>, Pending)>,
    ) {
        for (id, (project, pending)) in touched {
            if let Some(pool) = self.pool.get_mut(&id) {
                pool.drain(..pending.keys_taken.len());
            }
            project.apply(pending);
        }
        self.projects
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(added);
    }

    /// Projects that the group adds, with keys that are on disk before any row names them.
    fn prepare_projects(&self, group: &[Job], now_ms: i64) -> Result<HashMap<ProjectId, Arc<Project>>, Fault> {
        let mut added = HashMap::new();
        for job in group.iter().filter(|job| matches!(job.work, Work::AddProject)) {
            if find_project(&self.projects, job.project).is_ok() || added.contains_key(&job.project) {
                continue;
            }
            self.store.create_project(job.project, now_ms)?;
            let keys = self.store.project_keys(job.project)?;
            added.insert(job.project, Arc::new(load::empty_project(keys, self.index_entries_max)));
        }
        Ok(added)
    }

    fn housekeep(&mut self) -> Result<(), Fault> {
        let now_ms = self.clock.now_ms();
        if self.stopped {
            return Ok(());
        }
        if self.state_seq != self.copied_seq && now_ms - self.copied_ms >= COPY_STATE_MS {
            self.copied_ms = now_ms;
            self.copy_state()?;
        }
        if now_ms - self.purged_ms >= HOUR_MS {
            self.purged_ms = now_ms;
            writes::purge_applied(&self.connection, now_ms)?;
        }
        Ok(())
    }

    fn copy_state(&mut self) -> Result<(), Fault> {
        self.store.set_state_seq(self.state_seq)?;
        self.copied_seq = self.state_seq;
        Ok(())
    }
}

struct Abandon<'a>(&'a Queue);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

pub(super) fn find_project(projects: &Projects, id: ProjectId) -> Result<Arc<Project>, Fault> {
    let projects = projects.read().unwrap_or_else(PoisonError::into_inner);
    projects.get(&id).cloned().ok_or_else(Fault::unknown_project)
}

fn insert_project(connection: &Connection, project: ProjectId) -> Result<(), Fault> {
    let first = schema::FIRST_COUNTERS;
    connection.execute(
        "INSERT INTO project(project, mode, next_person, next_ident, feed_seq, dek_serial, state)
            VALUES(?1, 'simplified', ?2, ?3, ?4, ?5, 'live')",
        (
            project.0,
            first.next_person as i64,
            first.next_ident as i64,
            first.feed_seq as i64,
            first.dek_serial as i64,
        ),
    )?;
    Ok(())
}

fn perform(change: &mut Change<'_>, work: &Work) -> Result<Done, Fault> {
    match work {
        Work::Resolve(request) => resolve(change, request),
        Work::AddProject => Ok(Done::Stored),
        Work::PutDocument { kind, name, sealed } => {
            change
                .connection
                .prepare_cached(
                    "INSERT INTO document(project, kind, name, at_ms, sealed) VALUES(?1, ?2, ?3, ?4, ?5)
                        ON CONFLICT(project, kind, name) DO UPDATE SET at_ms = ?4, sealed = ?5",
                )?
                .execute((change.project.id().0, *kind, name, change.now_ms, sealed))?;
            Ok(Done::Stored)
        }
    }
}

fn resolve(change: &mut Change<'_>, request: &ResolveRequest) -> Result<Done, Fault> {
    let looked: Vec<Looked<'_>> = request
        .ids
        .iter()
        .map(|tuple| Looked::new(change.project, tuple))
        .collect();
    let ids = change.resolve(&looked)?;
    let refs = request
        .refs
        .iter()
        .map(|reference| change.resolve_reference(reference))
        .collect::<Result<Vec<_>, _>>()?;
    let owners: Vec<Option<Owner>> = request
        .writes
        .iter()
        .map(|write| match write.subject {
            WriteSubject::Id(at) => Some(ids[at as usize].person.0).filter(|n| *n != 0).map(Owner::Person),
            WriteSubject::Ref(at) => {
                let (key_no, number) = refs[at as usize];
                Some(number.0)
                    .filter(|n| *n != 0)
                    .map(|number| Owner::Group { key_no, number })
            }
        })
        .collect();
    change.apply_writes(request.batch_id, &request.writes, &owners)?;
    Ok(Done::Resolved {
        ids,
        refs: refs.into_iter().map(|(_, number)| number).collect(),
    })
}
