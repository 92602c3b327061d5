//! Documents that people save: reports, cohorts, boards, annotations. The store keeps their text and reads none of it.
//!
//! Every document has a version, which begins at 1 and grows with each change, so that two people who edit the same one
//! cannot overwrite each other unseen ([`Catalog::replace_document`]). A number is never given twice, also after its
//! document was deleted: links and boards go by it.

use super::Catalog;
use crate::error::StoreError;
use model::{EventTime, ProjectId};
use rusqlite::{Connection, OptionalExtension, Row};

/// A saved document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub id: u64,
    pub name: String,
    pub json: String,
    /// 1 for a new one; one more with each change.
    pub version: u64,
    pub created: Stamp,
    pub changed: Stamp,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub at: EventTime,
    /// The actor as the ledger writes it (`account:1`); empty for documents older than this field.
    pub by: String,
}

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    pub name: &'a str,
    pub json: &'a str,
    /// The actor as the ledger writes it.
    pub by: &'a str,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    Done(Document),
    /// Somebody else was faster; nothing was written.
    Outdated {
        version: u64,
    },
    /// There is no such document (any more).
    Missing,
}

const COLUMNS: &str = "id, name, json, version, created_ms, created_by, changed_ms, changed_by";

impl Catalog {
    /// Saves a document and returns its number: a new one, or the given one, whose former text is replaced.
    pub fn save_document(
        &self,
        project: ProjectId,
        kind: &str,
        id: Option<u64>,
        name: &str,
        json: &str,
    ) -> Result<u64, StoreError> {
        let draft = Draft { name, json, by: "" };
        let Some(id) = id else {
            return Ok(self.add_document(project, kind, draft)?.id);
        };
        match self.replace_document(project, kind, id, None, draft)? {
            Replaced::Missing => self.insert(project, kind, Some(id), draft).map(|document| document.id),
            _ => Ok(id),
        }
    }

    /// Saves a new document under the next number of its kind.
    pub fn add_document(&self, project: ProjectId, kind: &str, draft: Draft<'_>) -> Result<Document, StoreError> {
        self.insert(project, kind, None, draft)
    }

    fn insert(
        &self,
        project: ProjectId,
        kind: &str,
        id: Option<u64>,
        draft: Draft<'_>,
    ) -> Result<Document, StoreError> {
        if !self.has_project(project) {
            return Err(StoreError::UnknownProject(project));
        }
        let mut connection = self.lock();
        let now = (self.clock)();
        let mut write = || -> rusqlite::Result<Document> {
            let transaction = connection.transaction()?;
            let document = insert_in(&transaction, (project, kind, id), draft, now)?;
            transaction.commit()?;
            Ok(document)
        };
        write().map_err(StoreError::catalog("save a document"))
    }

    /// Saves the document of a name: a new one, or in the place of the one that has it, if that still has the version that
    /// the change was made from; any version without one.
    pub fn put_document(
        &self,
        project: ProjectId,
        kind: &str,
        version: Option<u64>,
        draft: Draft<'_>,
    ) -> Result<Replaced, StoreError> {
        if !self.has_project(project) {
            return Err(StoreError::UnknownProject(project));
        }
        let mut connection = self.lock();
        let now = (self.clock)();
        let mut write = || -> rusqlite::Result<Replaced> {
            let transaction = connection.transaction()?;
            let put = match read_named(&transaction, project, kind, draft.name)? {
                Some(former) => replace_in(&transaction, (project, kind, version), former, draft, now)?,
                None if version.is_some() => Replaced::Missing,
                None => Replaced::Done(insert_in(&transaction, (project, kind, None), draft, now)?),
            };
            transaction.commit()?;
            Ok(put)
        };
        write().map_err(StoreError::catalog("save a document"))
    }

    /// Replaces a document, if it still has the version that the change was made from; any version without one.
    pub fn replace_document(
        &self,
        project: ProjectId,
        kind: &str,
        id: u64,
        version: Option<u64>,
        draft: Draft<'_>,
    ) -> Result<Replaced, StoreError> {
        let mut connection = self.lock();
        let now = (self.clock)();
        let mut write = || -> rusqlite::Result<Replaced> {
            let transaction = connection.transaction()?;
            let Some(former) = read(&transaction, project, kind, id)? else {
                return Ok(Replaced::Missing);
            };
            let replaced = replace_in(&transaction, (project, kind, version), former, draft, now)?;
            transaction.commit()?;
            Ok(replaced)
        };
        write().map_err(StoreError::catalog("replace a document"))
    }

    /// All documents of a kind by number.
    pub fn documents(&self, project: ProjectId, kind: &str) -> Result<Vec<Document>, StoreError> {
        let connection = self.lock();
        let read = || -> rusqlite::Result<Vec<Document>> {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM document WHERE project = ?1 AND kind = ?2 ORDER BY id"
                ))?
                .query_map((project.0, kind), document_of_row)?
                .collect()
        };
        read().map_err(StoreError::catalog("read the documents"))
    }

    pub fn document(&self, project: ProjectId, kind: &str, id: u64) -> Result<Option<Document>, StoreError> {
        read(&self.lock(), project, kind, id).map_err(StoreError::catalog("read a document"))
    }

    /// The document of a name, the first one where names repeat.
    pub fn document_named(&self, project: ProjectId, kind: &str, name: &str) -> Result<Option<Document>, StoreError> {
        read_named(&self.lock(), project, kind, name).map_err(StoreError::catalog("read a document"))
    }

    /// Removes a document. `false`: there was none.
    pub fn delete_document(&self, project: ProjectId, kind: &str, id: u64) -> Result<bool, StoreError> {
        self.lock()
            .execute(
                "DELETE FROM document WHERE project = ?1 AND kind = ?2 AND id = ?3",
                (project.0, kind, id),
            )
            .map(|removed| removed > 0)
            .map_err(StoreError::catalog("delete a document"))
    }
}

/// The number for a new document: the given one, or the one after the largest that was ever given.
fn take_number(connection: &Connection, project: ProjectId, kind: &str, id: Option<u64>) -> rusqlite::Result<u64> {
    let last: u64 = connection
        .query_row(
            "SELECT last FROM document_number WHERE project = ?1 AND kind = ?2",
            (project.0, kind),
            |row| row.get(0),
        )
        .optional()?
        .unwrap_or(0);
    let id = id.unwrap_or(last + 1);
    connection.execute(
        "INSERT OR REPLACE INTO document_number(project, kind, last) VALUES (?1, ?2, ?3)",
        (project.0, kind, id.max(last)),
    )?;
    Ok(id)
}

fn read(connection: &Connection, project: ProjectId, kind: &str, id: u64) -> rusqlite::Result<Option<Document>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM document WHERE project = ?1 AND kind = ?2 AND id = ?3"
        ))?
        .query_row((project.0, kind, id), document_of_row)
        .optional()
}

fn read_named(
    connection: &Connection,
    project: ProjectId,
    kind: &str,
    name: &str,
) -> rusqlite::Result<Option<Document>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM document WHERE project = ?1 AND kind = ?2 AND name = ?3 ORDER BY id LIMIT 1"
        ))?
        .query_row((project.0, kind, name), document_of_row)
        .optional()
}

fn insert_in(
    connection: &Connection,
    (project, kind, id): (ProjectId, &str, Option<u64>),
    draft: Draft<'_>,
    now: EventTime,
) -> rusqlite::Result<Document> {
    let id = take_number(connection, project, kind, id)?;
    connection.execute(
        "INSERT INTO document(project, kind, id, name, json, version, created_ms, created_by, changed_ms, changed_by)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?6, ?7)",
        (project.0, kind, id, draft.name, draft.json, now.0, draft.by),
    )?;
    let stamp = Stamp {
        at: now,
        by: draft.by.to_owned(),
    };
    Ok(Document {
        id,
        name: draft.name.to_owned(),
        json: draft.json.to_owned(),
        version: 1,
        created: stamp.clone(),
        changed: stamp,
    })
}

fn replace_in(
    connection: &Connection,
    (project, kind, version): (ProjectId, &str, Option<u64>),
    former: Document,
    draft: Draft<'_>,
    now: EventTime,
) -> rusqlite::Result<Replaced> {
    if version.is_some_and(|version| version != former.version) {
        return Ok(Replaced::Outdated {
            version: former.version,
        });
    }
    connection.execute(
        "UPDATE document SET name = ?4, json = ?5, version = version + 1, changed_ms = ?6, changed_by = ?7
         WHERE project = ?1 AND kind = ?2 AND id = ?3",
        (project.0, kind, former.id, draft.name, draft.json, now.0, draft.by),
    )?;
    Ok(Replaced::Done(Document {
        id: former.id,
        name: draft.name.to_owned(),
        json: draft.json.to_owned(),
        version: former.version + 1,
        created: former.created,
        changed: Stamp {
            at: now,
            by: draft.by.to_owned(),
        },
    }))
}

fn document_of_row(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document {
        id: row.get(0)?,
        name: row.get(1)?,
        json: row.get(2)?,
        version: row.get(3)?,
        created: Stamp {
            at: EventTime(row.get(4)?),
            by: row.get(5)?,
        },
        changed: Stamp {
            at: EventTime(row.get(6)?),
            by: row.get(7)?,
        },
    })
}
