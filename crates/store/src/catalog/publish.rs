//! What a flush or a compaction publishes, in one transaction, and what a start reads back.

use super::Catalog;
use crate::columns::{Column, ColumnKind, EventSummary};
use crate::error::StoreError;
use crate::segment::SegmentMeta;
use crate::state::profiles::{Profile, Slot};
use model::{EventTime, ProjectId};
use roaring::RoaringBitmap;
use rusqlite::{Connection, Row, Transaction};

/// Changes of one transaction.
#[derive(Default)]
pub(crate) struct Publication {
    /// Set by a flush: everything up to this record is in segments and catalog.
    pub watermark: Option<u64>,
    pub projects: Vec<ProjectChanges>,
    pub added: Vec<SegmentMeta>,
    pub removed: Vec<u64>,
    /// Segments whose deleted rows changed, with all of them.
    pub deleted: Vec<(u64, RoaringBitmap)>,
    /// Numbers under which no stored row lies any more.
    pub settled: Vec<(ProjectId, Vec<u64>)>,
    /// Erased persons of whom no segment has a row any more.
    pub purged: Vec<(ProjectId, Vec<u64>)>,
}

/// A project's state that a flush makes durable.
#[derive(Default)]
pub(crate) struct ProjectChanges {
    pub project: ProjectId,
    pub next_seq: u64,
    pub feed_position: u64,
    pub received: EventTime,
    pub columns: Vec<Column>,
    pub events: Vec<EventSummary>,
    /// Absorbed number, what it was merged into, and the last row number before the merge.
    pub merges: Vec<(u64, u64, u64)>,
    /// Erased number, and the last row number before the erasure.
    pub erased: Vec<(u64, u64)>,
    /// `None`: the profile is gone.
    pub profiles: Vec<(Slot, Option<Profile>)>,
}

/// A project as the catalog has it.
#[derive(Default)]
pub(crate) struct ProjectOnDisk {
    pub project: ProjectId,
    pub next_seq: u64,
    pub feed_position: u64,
    pub received: EventTime,
    pub columns: Vec<(String, ColumnKind, u64)>,
    pub events: Vec<EventSummary>,
    pub merges: Vec<(u64, u64)>,
    pub unsettled: Vec<(u64, u64)>,
    pub erased: Vec<u64>,
    pub unpurged: Vec<(u64, u64)>,
    pub profiles: Vec<(Slot, Profile)>,
    pub segments: Vec<(SegmentMeta, RoaringBitmap)>,
}

impl Catalog {
    pub(crate) fn setting(&self, name: &str) -> Result<u64, StoreError> {
        setting(&self.lock(), name)
    }

    /// Takes numbers for new segments. They are never given again, whatever becomes of the segments.
    pub(crate) fn take_segment_ids(&self, count: u64) -> Result<u64, StoreError> {
        self.lock()
            .query_row(
                "UPDATE setting SET value = value + ?1 WHERE name = 'next_segment' RETURNING value - ?1",
                [count],
                |row| row.get(0),
            )
            .map_err(StoreError::catalog("number segments"))
    }

    /// Carries out all changes or none. After [`StoreError::Unknown`] it is not known which; after any other error none.
    pub(crate) fn publish(&self, publication: &Publication) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let refused = StoreError::catalog("publish segments");
        let transaction = match connection.transaction() {
            Ok(transaction) => transaction,
            Err(error) => return Err(refused(error)),
        };
        // What fails before the commit is rolled back, now or by whoever opens the file next.
        write(&transaction, publication).map_err(refused)?;
        transaction.commit().map_err(commit_error)
    }

    /// Everything about all projects that have state of their own.
    pub(crate) fn load(&self) -> Result<Vec<ProjectOnDisk>, StoreError> {
        load(&self.lock())
    }
}

pub(super) fn setting(connection: &Connection, name: &str) -> Result<u64, StoreError> {
    connection
        .query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0))
        .map_err(StoreError::catalog("read a setting"))
}

pub(super) fn load(connection: &Connection) -> Result<Vec<ProjectOnDisk>, StoreError> {
    let load = || -> rusqlite::Result<Vec<ProjectOnDisk>> {
        let mut projects: Vec<ProjectOnDisk> = connection
            .prepare("SELECT id, next_seq, feed_position, received_ms FROM project ORDER BY id")?
            .query_map((), |row| {
                Ok(ProjectOnDisk {
                    project: ProjectId(row.get(0)?),
                    next_seq: row.get(1)?,
                    feed_position: row.get(2)?,
                    received: EventTime(row.get(3)?),
                    ..ProjectOnDisk::default()
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        for project in &mut projects {
            load_project(connection, project)?;
        }
        Ok(projects)
    };
    load().map_err(StoreError::catalog("read its projects"))
}

/// All segments, of every project.
pub(super) fn segments_of(connection: &Connection) -> rusqlite::Result<Vec<SegmentMeta>> {
    connection
        .prepare("SELECT * FROM segment ORDER BY id")?
        .query_map((), |row| segment_of_row(row).map(|(meta, _)| meta))?
        .collect()
}

/// Of a commit that failed. A full disk had no room for the mark that makes it one. After an error of the disk that mark may be
/// there, and count at the next start although this process was told otherwise.
fn commit_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::SystemIoFailure) => StoreError::Unknown {
            reason: format!("the commit of a publication failed: {error}"),
        },
        _ => StoreError::catalog("publish segments")(error),
    }
}

fn write(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    if let Some(watermark) = publication.watermark {
        transaction.execute("UPDATE setting SET value = ?1 WHERE name = 'watermark'", [watermark])?;
    }
    for changes in &publication.projects {
        write_project(transaction, changes)?;
    }
    write_segments(transaction, publication)?;
    write_done(transaction, publication)
}

fn write_done(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    let mut settled = transaction.prepare_cached("DELETE FROM unsettled_person WHERE project = ?1 AND person = ?2")?;
    for (project, persons) in &publication.settled {
        for person in persons {
            settled.execute((project.0, person))?;
        }
    }
    let mut purged = transaction
        .prepare_cached("UPDATE erased_person SET purge_after_seq = NULL WHERE project = ?1 AND person = ?2")?;
    for (project, persons) in &publication.purged {
        for person in persons {
            purged.execute((project.0, person))?;
        }
    }
    Ok(())
}

fn write_project(transaction: &Transaction<'_>, changes: &ProjectChanges) -> rusqlite::Result<()> {
    let project = changes.project.0;
    transaction.execute(
        "UPDATE project SET next_seq = ?2, feed_position = ?3, received_ms = ?4 WHERE id = ?1",
        (project, changes.next_seq, changes.feed_position, changes.received.0),
    )?;
    let mut column =
        transaction.prepare_cached("INSERT OR REPLACE INTO property_column VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (place, entry) in changes.columns.iter().enumerate() {
        column.execute((project, place, &entry.name, entry.kind.as_str(), entry.rows))?;
    }
    let mut event = transaction.prepare_cached("INSERT OR REPLACE INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (place, entry) in changes.events.iter().enumerate() {
        event.execute((project, place, &entry.name, entry.rows, entry.first_ms, entry.last_ms))?;
    }
    let mut merge = transaction.prepare_cached("INSERT OR REPLACE INTO merged_person VALUES (?1, ?2, ?3)")?;
    let mut unsettled = transaction.prepare_cached("INSERT OR REPLACE INTO unsettled_person VALUES (?1, ?2, ?3)")?;
    for (person, into, last_seq) in &changes.merges {
        merge.execute((project, person, into))?;
        unsettled.execute((project, person, last_seq))?;
    }
    let mut erased = transaction.prepare_cached("INSERT OR REPLACE INTO erased_person VALUES (?1, ?2, ?3)")?;
    for (person, last_seq) in &changes.erased {
        erased.execute((project, person, last_seq))?;
    }
    write_profiles(transaction, changes)
}

fn write_profiles(transaction: &Transaction<'_>, changes: &ProjectChanges) -> rusqlite::Result<()> {
    let project = changes.project.0;
    let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO profile VALUES (?1, ?2, ?3, ?4)")?;
    let mut delete =
        transaction.prepare_cached("DELETE FROM profile WHERE project = ?1 AND group_key = ?2 AND number = ?3")?;
    for (slot, profile) in &changes.profiles {
        let key = slot.group_key.as_ref().map_or(PERSON_KEY, String::as_str);
        match profile {
            Some(profile) => {
                let body = postcard::to_stdvec(profile).map_err(|error| {
                    rusqlite::Error::ToSqlConversionFailure(format!("a profile cannot be encoded: {error}").into())
                })?;
                put.execute((project, key, slot.number, body))?;
            }
            None => {
                delete.execute((project, key, slot.number))?;
            }
        }
    }
    Ok(())
}

/// Stands for persons in the column of group keys. No group key is empty.
const PERSON_KEY: &str = "";

fn write_segments(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT INTO segment VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?;
    for meta in &publication.added {
        insert.execute(rusqlite::params![
            meta.id,
            meta.project.0,
            meta.shard,
            meta.period,
            meta.rows,
            meta.bytes,
            meta.first_ms,
            meta.last_ms,
            meta.first_seq,
            meta.last_seq,
            meta.sums.iter().flat_map(|sum| sum.to_le_bytes()).collect::<Vec<u8>>(),
            Vec::<u8>::new(),
        ])?;
    }
    let mut delete = transaction.prepare_cached("DELETE FROM segment WHERE id = ?1")?;
    for id in &publication.removed {
        delete.execute([id])?;
    }
    let mut mark = transaction.prepare_cached("UPDATE segment SET deleted = ?2 WHERE id = ?1")?;
    for (id, deleted) in &publication.deleted {
        let mut bytes = Vec::with_capacity(deleted.serialized_size());
        deleted
            .serialize_into(&mut bytes)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        mark.execute((id, bytes))?;
    }
    Ok(())
}

fn load_project(connection: &Connection, project: &mut ProjectOnDisk) -> rusqlite::Result<()> {
    let id = project.project.0;
    project.columns = connection
        .prepare("SELECT name, kind, rows FROM property_column WHERE project = ?1 ORDER BY position")?
        .query_map([id], |row| {
            let kind: String = row.get(1)?;
            let kind = ColumnKind::parse(&kind).ok_or(rusqlite::Error::InvalidQuery)?;
            Ok((row.get(0)?, kind, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    project.events = connection
        .prepare("SELECT name, rows, first_ms, last_ms FROM event WHERE project = ?1 ORDER BY position")?
        .query_map([id], |row| {
            Ok(EventSummary {
                name: row.get(0)?,
                rows: row.get(1)?,
                first_ms: row.get(2)?,
                last_ms: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let pairs = |sql: &str| -> rusqlite::Result<Vec<(u64, u64)>> {
        connection
            .prepare(sql)?
            .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    project.merges = pairs("SELECT person, into_person FROM merged_person WHERE project = ?1")?;
    project.unsettled = pairs("SELECT person, merged_after_seq FROM unsettled_person WHERE project = ?1")?;
    project.erased = connection
        .prepare("SELECT person FROM erased_person WHERE project = ?1")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    project.unpurged =
        pairs("SELECT person, purge_after_seq FROM erased_person WHERE project = ?1 AND purge_after_seq IS NOT NULL")?;
    project.profiles = connection
        .prepare("SELECT group_key, number, body FROM profile WHERE project = ?1")?
        .query_map([id], profile_of_row)?
        .collect::<rusqlite::Result<_>>()?;
    project.segments = connection
        .prepare("SELECT * FROM segment WHERE project = ?1 ORDER BY id")?
        .query_map([id], segment_of_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(())
}

fn profile_of_row(row: &Row<'_>) -> rusqlite::Result<(Slot, Profile)> {
    let key: String = row.get(0)?;
    let body: Vec<u8> = row.get(2)?;
    let slot = Slot {
        group_key: (key != PERSON_KEY).then_some(key),
        number: row.get(1)?,
    };
    Ok((slot, postcard::from_bytes(&body).map_err(|error| unreadable(2, error))?))
}

fn segment_of_row(row: &Row<'_>) -> rusqlite::Result<(SegmentMeta, RoaringBitmap)> {
    let meta = SegmentMeta {
        id: row.get(0)?,
        project: ProjectId(row.get(1)?),
        shard: row.get(2)?,
        period: row.get(3)?,
        rows: row.get(4)?,
        bytes: row.get(5)?,
        first_ms: row.get(6)?,
        last_ms: row.get(7)?,
        first_seq: row.get(8)?,
        last_seq: row.get(9)?,
        sums: row
            .get_ref(10)?
            .as_blob()?
            .chunks_exact(4)
            .map(|sum| u32::from_le_bytes(sum.try_into().expect("four bytes")))
            .collect(),
    };
    let deleted: Vec<u8> = row.get(11)?;
    let deleted = match deleted.as_slice() {
        [] => RoaringBitmap::new(),
        bytes => RoaringBitmap::deserialize_from(bytes).map_err(|error| unreadable(11, error))?,
    };
    Ok((meta, deleted))
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error))
}
