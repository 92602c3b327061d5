//! The identity directory as the rest of the vault sees it.

use super::feed;
use super::index::Short;
use super::project::Project;
use super::queue::{Done, Job, Queue, Work};
use super::reading::Readers;
use super::table::{Act, Seen, decide};
use super::transaction::Looked;
use super::writer::{Projects, Steps, Writer, find_project};
use super::{load, normal, schema};
use crate::clock::Clock;
use crate::crypto::random_bytes;
use crate::error::{Fault, VaultServeError};
use crate::keys::KeyStore;
use crate::sqlite;
use model::{ErrorCode, FeedItem, GroupNumber, PersonNumber, ProjectId};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use vault_client::{ProjectHello, Reference, ResolveReply, ResolveRequest, ResolvedId, WriteSubject};

pub(crate) struct DirectoryOptions {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) steps: Steps,
    /// Identities kept in RAM, per project.
    pub(crate) index_entries_max: usize,
    /// Pages of the database that the writer keeps.
    pub(crate) page_cache_bytes: usize,
    /// Opens files that are older than their copies know, under a new lineage.
    pub(crate) accept_restore: bool,
}

pub(crate) struct Directory {
    pub(super) projects: Projects,
    pub(super) readers: Readers,
    pub(super) store: Arc<KeyStore>,
    pub(super) clock: Arc<dyn Clock>,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
    lineage: u64,
}

/// Makes `vault.db`.
pub(crate) fn create(directory: &Path) -> Result<(), VaultServeError> {
    let connection = sqlite::open(&directory.join("vault.db"))?;
    let transaction = connection.unchecked_transaction()?;
    schema::create(&transaction)?;
    sqlite::set_meta_number(&transaction, "state_seq", 0)?;
    sqlite::set_meta_number(&transaction, "lineage", first_lineage()?)?;
    transaction.commit()?;
    Ok(())
}

/// Whether there is no such file, or one without any project in it.
pub(crate) fn is_unused(path: &Path) -> Result<bool, VaultServeError> {
    if !path.exists() {
        return Ok(true);
    }
    let connection = sqlite::open(path)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'project'", [], |row| {
        row.get(0)
    })?;
    Ok(tables == 0 || load::projects(&connection)?.is_empty())
}

/// 40 random bits and a counter, so that two restores of one backup differ.
fn first_lineage() -> Result<u64, Fault> {
    Ok((u64::from_le_bytes(random_bytes()?) & !0xff_ffff) | 1)
}

impl Directory {
    /// Opens the databases, reads the index into RAM and starts the writer.
    pub(crate) fn open(
        directory: &Path,
        store: Arc<KeyStore>,
        options: DirectoryOptions,
    ) -> Result<Directory, VaultServeError> {
        let path = directory.join("vault.db");
        if !path.exists() {
            return Err(VaultServeError::Missing(directory.to_owned()));
        }
        let connection = sqlite::open(&path)?;
        // Negative: KiB in place of pages.
        connection.pragma_update(None, "cache_size", -((options.page_cache_bytes >> 10) as i64))?;
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        check_state(&connection, &store, options.accept_restore)?;
        let mut projects = std::collections::HashMap::new();
        for id in load::projects(&connection)? {
            let project = load::project(&connection, store.project_keys(id)?, options.index_entries_max)?;
            if project.read().counters.dek_serial > store.high_water(id)? {
                return Err(Fault::Tampered("keys.db, which is older than vault.db,").into());
            }
            projects.insert(id, Arc::new(project));
        }
        let projects: Projects = Arc::new(RwLock::new(projects));
        let lineage = sqlite::meta_number(&connection, "lineage")?.ok_or(Fault::Tampered("vault.db"))?;
        let writer = Writer::new(
            connection,
            Arc::clone(&store),
            Arc::clone(&projects),
            Arc::clone(&options.clock),
            options.steps,
            options.index_entries_max,
        )?;
        let queue = Arc::new(Queue::default());
        let served = Arc::clone(&queue);
        let writer = std::thread::Builder::new()
            .name("vault-writer".to_owned())
            .spawn(move || writer.run(&served))
            .map_err(VaultServeError::io(directory))?;
        Ok(Directory {
            projects,
            readers: Readers::new(path),
            store,
            clock: options.clock,
            queue,
            writer: Some(writer),
            lineage,
        })
    }

    pub(crate) fn lineage(&self) -> u64 {
        self.lineage
    }

    pub(crate) fn projects(&self) -> Vec<ProjectHello> {
        let projects = self.projects.read().unwrap_or_else(PoisonError::into_inner);
        let mut hello: Vec<ProjectHello> = projects
            .values()
            .map(|project| {
                let counters = project.read().counters;
                ProjectHello {
                    project: project.id(),
                    next_person: counters.next_person,
                    feed_seq: counters.feed_seq,
                }
            })
            .collect();
        hello.sort_by_key(|project| project.project);
        hello
    }

    pub(crate) fn create_project(&self, project: ProjectId) -> Result<(), Fault> {
        if project.0 == 0 {
            return Err(Fault::refused(
                ErrorCode::InvalidRequest,
                "projects are numbered from 1",
            ));
        }
        self.write(project, Work::AddProject, 0).map(|_| ())
    }

    pub(super) fn project(&self, id: ProjectId) -> Result<Arc<Project>, Fault> {
        find_project(&self.projects, id)
    }

    pub(crate) fn resolve(&self, request: ResolveRequest) -> Result<ResolveReply, Fault> {
        let project = self.project(request.project)?;
        check(&request)?;
        let (id, have_feed) = (request.project, request.have_feed);
        let (ids, refs, feed_seq) = match known(&project, &request) {
            Some(found) => found,
            None => {
                let deadline_ms = request.deadline_ms;
                let Done::Resolved { ids, refs } = self.write(id, Work::Resolve(request), deadline_ms)? else {
                    unreachable!("the writer answers what it was asked");
                };
                // At least what this call added: the writer publishes before it answers.
                (ids, refs, project.read().counters.feed_seq)
            }
        };
        let (feed, more) = self.feed_page(id, have_feed, feed_seq)?;
        Ok(ResolveReply {
            lineage: self.lineage,
            ids,
            refs,
            feed,
            more,
        })
    }

    /// A page of the feed above `seq`, and whether there is more.
    pub(crate) fn feed_since(&self, project: ProjectId, seq: u64) -> Result<(Vec<FeedItem>, bool), Fault> {
        let feed_seq = self.project(project)?.read().counters.feed_seq;
        self.feed_page(project, seq, feed_seq)
    }

    fn feed_page(&self, project: ProjectId, seq: u64, up_to: u64) -> Result<(Vec<FeedItem>, bool), Fault> {
        if seq >= up_to {
            return Ok((Vec::new(), false));
        }
        feed::page(&*self.readers.take()?, project, seq, up_to)
    }

    pub(super) fn write(&self, project: ProjectId, work: Work, deadline_ms: i64) -> Result<Done, Fault> {
        let (answer, answered) = mpsc::sync_channel(1);
        let queued_ms = self.clock.now_ms();
        self.queue.push(Job {
            project,
            work,
            deadline_ms,
            queued_ms,
            answer,
        })?;
        answered.recv().unwrap_or(Err(Fault::Stopped))
    }
}

impl Drop for Directory {
    /// Finishes what waits, copies the counter of states and closes the files.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Answers from RAM, when every identity and reference is known and nothing is to be written.
fn known(project: &Project, request: &ResolveRequest) -> Option<(Vec<ResolvedId>, Vec<GroupNumber>, u64)> {
    if !request.writes.is_empty() {
        return None;
    }
    let looked: Vec<Looked<'_>> = request.ids.iter().map(|tuple| Looked::new(project, tuple)).collect();
    let group_keys: Vec<Option<u32>> = {
        let state = project.read();
        request
            .refs
            .iter()
            .map(|reference| state.group_keys.get(&reference.key).map(|key| key.key_no))
            .collect()
    };
    let references: Vec<Option<Short>> = request
        .refs
        .iter()
        .zip(group_keys)
        .map(|(reference, key_no)| reference_index(project, reference, key_no))
        .collect::<Option<_>>()?;
    // One lock for all look-ups, and none while hashing: the answer is of one moment, and writers wait shortly.
    let state = project.read();
    let mut ids = Vec::with_capacity(looked.len());
    for looked in &looked {
        let entry = |blind: Option<_>| blind.and_then(|blind| state.identities.get(&Short::of(&blind)));
        let act = decide(
            Seen::of(looked.device.is_some(), entry(looked.device)),
            Seen::of(looked.user.is_some(), entry(looked.user)),
        );
        let person = match act {
            Act::Nobody => 0,
            Act::Known(person) if looked.tuple.ignore_alias => match looked.user.or(looked.device) {
                Some(blind) => state.own_number(&blind, person),
                None => person,
            },
            Act::Known(person) => person,
            _ => return None,
        };
        ids.push(ResolvedId {
            person: PersonNumber(person),
            new: false,
            linked: false,
        });
    }
    let mut refs = Vec::with_capacity(references.len());
    for short in references {
        refs.push(GroupNumber(match short {
            Some(short) => state.groups.get(&short)?.person(),
            None => 0,
        }));
    }
    Some((ids, refs, state.counters.feed_seq))
}

/// Outer `None`: a key nobody used yet. Inner `None`: a value that names no group.
fn reference_index(project: &Project, reference: &Reference, key_no: Option<u32>) -> Option<Option<Short>> {
    let text = reference.value.expose();
    if !normal::is_usable(text) {
        return Some(None);
    }
    Some(Some(Short::of(&project.group_index(key_no?, text))))
}

/// What a writer must be able to rely on.
fn check(request: &ResolveRequest) -> Result<(), Fault> {
    let in_range = |subject: WriteSubject| match subject {
        WriteSubject::Id(at) => (at as usize) < request.ids.len(),
        WriteSubject::Ref(at) => (at as usize) < request.refs.len(),
    };
    match request.writes.iter().all(|write| in_range(write.subject)) {
        true => Ok(()),
        false => Err(Fault::refused(
            ErrorCode::InvalidRequest,
            "a write names a subject that is not in the call",
        )),
    }
}

/// Refuses a `vault.db` that is older than `keys.db` remembers, unless a restore is meant (VA-5).
fn check_state(connection: &Connection, store: &KeyStore, accept_restore: bool) -> Result<(), VaultServeError> {
    let found = sqlite::meta_number(connection, "state_seq")?.ok_or(Fault::Tampered("vault.db"))?;
    let expected = store.state_seq()?;
    if found >= expected {
        return Ok(());
    }
    if !accept_restore {
        return Err(VaultServeError::Restored {
            file: "vault.db",
            found,
            expected,
        });
    }
    let marks: Vec<(ProjectId, u64)> = load::projects(connection)?
        .into_iter()
        .map(|project| Ok((project, store.high_water(project)?)))
        .collect::<Result<_, Fault>>()?;
    Ok(begin_lineage(connection, expected, &marks)?)
}

/// Makes a `vault.db` that was put back the beginning of a history of its own.
///
/// `marks` are the highest key serials that were ever taken: keys above the backup's own mark may have served people who are
/// no longer in it (VA-4). `state_seq` is the latest state that the keystore knows of.
fn begin_lineage(connection: &Connection, state_seq: u64, marks: &[(ProjectId, u64)]) -> Result<(), Fault> {
    let transaction = connection.unchecked_transaction()?;
    let meta = |name| sqlite::meta_number(&transaction, name)?.ok_or(Fault::Tampered("vault.db"));
    let (lineage, own_seq) = (meta("lineage")?, meta("state_seq")?);
    let counter = (lineage & 0xff_ffff) + 1;
    sqlite::set_meta_number(&transaction, "lineage", (first_lineage()? & !0xff_ffff) | counter)?;
    sqlite::set_meta_number(&transaction, "state_seq", state_seq.max(own_seq) + 1)?;
    for (project, high) in marks {
        transaction.execute(
            "UPDATE project SET dek_serial = ?2 WHERE project = ?1",
            (project.0, *high as i64),
        )?;
    }
    Ok(transaction.commit()?)
}

/// The same for a file that no vault has opened yet.
pub(crate) fn adopt_restored(path: &Path, state_seq: u64, marks: &[(i64, i64)]) -> Result<(), VaultServeError> {
    let connection = sqlite::open(path)?;
    let marks: Vec<(ProjectId, u64)> = marks
        .iter()
        .map(|(project, high)| (ProjectId(*project as u32), *high as u64))
        .collect();
    Ok(begin_lineage(&connection, state_seq, &marks)?)
}
